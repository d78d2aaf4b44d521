import { UsageError } from "../base/mod.ts";
import { runCommand, whyUnusable } from "./command.ts";

const NAMES: readonly ContainerRuntimeName[] = ["docker", "podman", "nerdctl"];

/** A program that runs containers, as kind can use it. */
export type ContainerRuntimeName = "docker" | "podman" | "nerdctl";

const INSTALL = "install Docker (docs.docker.com/get-docker), Podman (podman.io) or nerdctl, and start it";

/** Docker, or one of those that understand its commands. */
export class ContainerRuntime {
  /** Which one it is. */
  readonly name: ContainerRuntimeName;

  private constructor(name: ContainerRuntimeName) {
    this.name = name;
  }

  /**
   * Finds one that is installed and runs: the `preferred` one, else the first of docker, podman, nerdctl.
   *
   * @throws {UsageError} that lists why each cannot be used.
   */
  static async find(preferred: string | undefined, signal?: AbortSignal): Promise<ContainerRuntime> {
    const named = NAMES.find((name) => name === preferred);
    if (preferred && !named) {
      throw new UsageError(`there is no container runtime ${preferred}`, `one of ${NAMES.join(", ")}`);
    }
    const reasons: string[] = [];
    for (const name of named ? [named] : NAMES) {
      const why = await whyUnusable(name, ["info"], { signal });
      if (!why) return new ContainerRuntime(name);
      reasons.push(`${name}: ${why}`);
    }
    throw new UsageError(`no container runtime can be used (${reasons.join("; ")})`, INSTALL);
  }

  /** Why an image cannot be had from this machine, in words; undefined where it can. */
  async whyNoImage(image: string, signal?: AbortSignal): Promise<string | undefined> {
    return await whyUnusable(this.name, ["image", "inspect", image], { signal });
  }

  /** Runs a program in a container. */
  async exec(container: string, command: readonly string[], signal?: AbortSignal): Promise<string> {
    return await runCommand(this.name, ["exec", container, ...command], { signal });
  }

  /** Builds an image from a folder that has a Dockerfile. */
  async build(image: string, folder: string, signal?: AbortSignal): Promise<void> {
    // The classic builder needs nothing but the daemon: it works where no BuildKit is to be had.
    const env: Record<string, string> = this.name === "docker" ? { DOCKER_BUILDKIT: "0" } : {};
    await runCommand(this.name, ["build", "-q", "-t", image, folder], { signal, env });
  }

  /** Removes an image if it exists. */
  async removeImage(image: string, signal?: AbortSignal): Promise<void> {
    await whyUnusable(this.name, ["image", "rm", image], { signal });
  }
}
