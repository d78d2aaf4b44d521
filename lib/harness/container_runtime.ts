import { UsageError } from "../base/mod.ts";
import { runCommand, whyUnusable } from "./command.ts";

const NAMES: readonly ContainerRuntimeName[] = ["docker", "podman", "nerdctl"];

/** A container runtime that kind can use. */
export type ContainerRuntimeName = "docker" | "podman" | "nerdctl";

const INSTALL = "install Docker (docs.docker.com/get-docker), Podman (podman.io) or nerdctl, and start it";

/** Docker, or a program with the same commands. */
export class ContainerRuntime {
  /** Its name. */
  readonly name: ContainerRuntimeName;

  private constructor(name: ContainerRuntimeName) {
    this.name = name;
  }

  /**
   * Finds a working runtime: `preferred`, else the first of docker, podman, nerdctl.
   *
   * @throws {UsageError} saying why each is unusable.
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

  /** Why this machine lacks an image; undefined if it has it. */
  async whyNoImage(image: string, signal?: AbortSignal): Promise<string | undefined> {
    return await whyUnusable(this.name, ["image", "inspect", image], { signal });
  }

  /** Runs a program in a container. */
  async exec(container: string, command: readonly string[], signal?: AbortSignal): Promise<string> {
    return await runCommand(this.name, ["exec", container, ...command], { signal });
  }

  /** Builds an image from a folder with a Dockerfile. */
  async build(image: string, folder: string, signal?: AbortSignal): Promise<void> {
    // The classic builder needs only the daemon, so it works without BuildKit.
    const env: Record<string, string> = this.name === "docker" ? { DOCKER_BUILDKIT: "0" } : {};
    await runCommand(this.name, ["build", "-q", "-t", image, folder], { signal, env });
  }

  /** Removes an image if it exists. */
  async removeImage(image: string, signal?: AbortSignal): Promise<void> {
    await whyUnusable(this.name, ["image", "rm", image], { signal });
  }
}
