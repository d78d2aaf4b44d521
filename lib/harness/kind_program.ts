import { type Clock, describeError, sleep, TimeLimit, UsageError } from "../base/mod.ts";
import type { KubeContext, ProxyVariables } from "../client/mod.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { requireCommand, runCommand } from "./command.ts";
import { ContainerRuntime } from "./container_runtime.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** Options for kind and its cluster. */
export interface KindProgramOptions {
  /** Clock of the run. */
  readonly clock: Clock;
  /** Proxies of the environment. */
  readonly proxies?: ProxyVariables;
  /** The cluster's name; `pintle-test` if absent. */
  readonly name?: string;
  /** docker, podman or nerdctl; the first that works if absent. */
  readonly runtime?: string;
  /** Longest wait for kind and the container runtime to answer; a minute if absent. */
  readonly answerMsMax?: number;
  /** Longest time for each part of the clean-up; two minutes if absent. */
  readonly teardownMsMax?: number;
}

const NAME = "pintle-test";
const READY = "180s";
const ANSWER_MS_MAX = 60_000, TEARDOWN_MS_MAX = 120_000;
/** A cancelled creation goes on in the runtime for a while, and may create a node after the first deletion. */
const DELETIONS_MAX = 20, DELETION_PAUSE_MS = 1_000;
const INSTALL = "install kind (kind.sigs.k8s.io/docs/user/quick-start), or use --cluster embedded";

export class KindProgram {
  readonly name: string;
  readonly runtime: ContainerRuntime;
  readonly #clock: Clock;
  readonly #proxies: ProxyVariables | undefined;
  readonly #teardownMsMax: number;

  private constructor(
    { name = NAME, clock, proxies, teardownMsMax = TEARDOWN_MS_MAX }: KindProgramOptions,
    runtime: ContainerRuntime,
  ) {
    this.name = name;
    this.runtime = runtime;
    this.#clock = clock;
    this.#proxies = proxies;
    this.#teardownMsMax = teardownMsMax;
  }

  /** Finds kind and a container runtime. @throws {UsageError} if one of them is missing or broken. */
  static async find(options: KindProgramOptions, signal: AbortSignal): Promise<KindProgram> {
    const { clock, answerMsMax = ANSWER_MS_MAX, runtime: preferred } = options;
    // A stuck daemon accepts requests and never answers.
    using limit = new TimeLimit(clock, answerMsMax, "looking for kind and a container runtime took longer than", [
      signal,
    ]);
    const runtime = await ContainerRuntime.find(preferred, limit.signal);
    await requireCommand("kind", ["version"], INSTALL, { signal: limit.signal, expected: /^kind v\d/m });
    return new KindProgram(options, runtime);
  }

  async exists(signal: AbortSignal): Promise<boolean> {
    return (await this.run(["get", "clusters"], signal)).split("\n").includes(this.name);
  }

  async nodes(signal: AbortSignal | undefined): Promise<string[]> {
    return (await this.run(["get", "nodes", "--name", this.name], signal)).split("\n").filter((node) => node !== "");
  }

  async create(nodeImage: string | undefined, signal: AbortSignal): Promise<void> {
    // kind merges the new context into a kubeconfig, which must not be the user's own.
    await using folder = TemporaryFolder.make("kind");
    const image = nodeImage ? ["--image", nodeImage] : [], kubeconfig = `${folder.path}/kubeconfig`;
    const args = [
      "create",
      "cluster",
      "-q",
      "--name",
      this.name,
      "--wait",
      READY,
      "--kubeconfig",
      kubeconfig,
      ...image,
    ];
    await this.run(args, signal);
  }

  /** The cluster's kubeconfig, parsed and as text. */
  async context(signal: AbortSignal): Promise<{ context: KubeContext; kubeconfig: string }> {
    const kubeconfig = await this.run(["get", "kubeconfig", "--name", this.name], signal, true);
    const readFile = () => Promise.resolve(kubeconfig), proxies = this.#proxies;
    try {
      return { context: await loadKubeconfig({ paths: ["kind"], clock: this.#clock, proxies, readFile }), kubeconfig };
    } catch (cause) {
      throw new UsageError(`kind gave no usable kubeconfig of cluster ${this.name}`, INSTALL, { cause });
    }
  }

  /**
   * Deletes the cluster, even an incomplete one, by {@linkcode teardown}. After a cancelled creation (`half`) it must
   * stay gone for a while.
   *
   * @throws {Error} naming how to remove what is left.
   */
  async delete({ half = false }: { half?: boolean } = {}): Promise<void> {
    try {
      await this.teardown("its deletion", async (signal) => {
        for (let nth = 0, gone = 0; nth < DELETIONS_MAX; nth++) {
          await this.run(["delete", "cluster", "--name", this.name], signal);
          gone = await this.exists(signal) ? 0 : gone + 1;
          if (gone === (half ? 2 : 1)) return;
          await sleep(this.#clock, DELETION_PAUSE_MS, signal);
        }
        throw new Error(`it still exists after ${DELETIONS_MAX} deletions`);
      });
    } catch (cause) {
      const fix = `kind delete cluster --name ${this.name}`;
      throw new Error(`kind cluster ${this.name} was not deleted; delete it with \`${fix}\`: ${describeError(cause)}`);
    }
  }

  /** Bounded by itself; an interrupted run does not end it. */
  async teardown(what: string, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    using limit = new TimeLimit(this.#clock, this.#teardownMsMax, `${what} took longer than`);
    await act(limit.signal);
  }

  /** Another process deletes the cluster, because this one ends. */
  deleteLater(): void {
    const lines = `kind cluster ${this.name} is being deleted in the background\n`;
    new Deno.Command("kind", {
      args: ["delete", "cluster", "--name", this.name],
      env: this.#env,
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    Deno.stderr.writeSync(new TextEncoder().encode(lines));
  }

  async run(args: readonly string[], signal: AbortSignal | undefined, secret?: true): Promise<string> {
    return await runCommand("kind", args, { signal, env: this.#env, secret });
  }

  get #env(): Record<string, string> {
    return { KIND_EXPERIMENTAL_PROVIDER: this.runtime.name };
  }
}
