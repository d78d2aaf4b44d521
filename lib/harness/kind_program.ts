import { type Clock, describeError, sleep, UsageError } from "../base/mod.ts";
import type { KubeContext, ProxyVariables } from "../client/mod.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { requireCommand, runCommand } from "./command.ts";
import { ContainerRuntime } from "./container_runtime.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { TimeLimit } from "./time_limit.ts";

/** Which cluster the program is for. */
export interface KindProgramOptions {
  /** The run's time. */
  readonly clock: Clock;
  /** The proxies of the environment. */
  readonly proxies?: ProxyVariables;
  /** Name of the cluster: `pintle-test` where absent. */
  readonly name?: string;
  /** docker, podman or nerdctl; the first that works where absent. */
  readonly runtime?: string;
  /** Longest time for it and the container runtime to answer that they work; a minute where absent. */
  readonly answerMsMax?: number;
  /** Longest time for each part of the clearing up; two minutes where absent. */
  readonly teardownMsMax?: number;
}

const NAME = "pintle-test";
const READY = "180s";
const ANSWER_MS_MAX = 60_000, TEARDOWN_MS_MAX = 120_000;
/**
 * Deletions of one cluster, and the pause between them: what its cancelled creation had begun continues
 * for a while in the container runtime, and a node may come to be after the first deletion.
 */
const DELETIONS_MAX = 20, DELETION_PAUSE_MS = 1_000;
const INSTALL = "install kind (kind.sigs.k8s.io/docs/user/quick-start), or take --cluster embedded";

/** The program kind, for one cluster. */
export class KindProgram {
  /** Name of the cluster. */
  readonly name: string;
  /** What its nodes run in. */
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

  /**
   * Finds kind, and what it runs nodes in.
   *
   * @throws {UsageError} where one of them is missing or does not work.
   */
  static async find(options: KindProgramOptions, signal: AbortSignal): Promise<KindProgram> {
    const { clock, answerMsMax = ANSWER_MS_MAX, runtime: preferred } = options;
    // A container runtime whose daemon is stuck takes every question and answers none.
    using limit = new TimeLimit(clock, answerMsMax, "asking for kind and a container runtime", [signal]);
    const runtime = await ContainerRuntime.find(preferred, limit.signal);
    await requireCommand("kind", ["version"], INSTALL, { signal: limit.signal, expected: /^kind v\d/m });
    return new KindProgram(options, runtime);
  }

  /** Whether there is a cluster of that name, complete or not. */
  async exists(signal: AbortSignal): Promise<boolean> {
    return (await this.run(["get", "clusters"], signal)).split("\n").includes(this.name);
  }

  /** Names of the containers that are its nodes. */
  async nodes(signal: AbortSignal | undefined): Promise<string[]> {
    return (await this.run(["get", "nodes", "--name", this.name], signal)).split("\n").filter((node) => node !== "");
  }

  /** Creates the cluster and waits until its node is ready. */
  async create(nodeImage: string | undefined, signal: AbortSignal): Promise<void> {
    // kind merges the new context into a kubeconfig; the person's own is none of its business here.
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

  /** The cluster's kubeconfig, read, and as text. */
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
   * Deletes the cluster, however far it has come, by {@linkcode teardown}. Where its creation was called off (`half`),
   * it has to be gone for a while before that is believed.
   *
   * @throws {Error} that names how to remove what is left.
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
        throw new Error(`it is there after ${DELETIONS_MAX} deletions`);
      });
    } catch (cause) {
      const fix = `kind delete cluster --name ${this.name}`;
      throw new Error(`kind cluster ${this.name} is left behind, remove it with \`${fix}\`: ${describeError(cause)}`);
    }
  }

  /** Clears something up. No interruption of the run ends this: a bound of its own does. */
  async teardown(what: string, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    using limit = new TimeLimit(this.#clock, this.#teardownMsMax, what);
    await act(limit.signal);
  }

  /** Lets another process delete the cluster: this one is about to end. */
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

  /** Runs a command of kind. */
  async run(args: readonly string[], signal: AbortSignal | undefined, secret?: true): Promise<string> {
    return await runCommand("kind", args, { signal, env: this.#env, secret });
  }

  get #env(): Record<string, string> {
    return { KIND_EXPERIMENTAL_PROVIDER: this.runtime.name };
  }
}
