import { UsageError } from "../base/mod.ts";
import type { KubeContext } from "../client/mod.ts";
import type { Cluster, ClusterSource } from "./cluster.ts";
import type { ContainerRuntime } from "./container_runtime.ts";
import { ExitHook } from "./exit_hook.ts";
import { KindProgram, type KindProgramOptions } from "./kind_program.ts";
import { KubeconfigCluster } from "./kubeconfig_cluster.ts";
import { NodeLoad } from "./node_load.ts";

interface KindOptions extends KindProgramOptions {
  /** Such as `kindest/node:v1.34.0`; kind's default if absent. */
  readonly nodeImage?: string;
  /** Use an existing cluster of that name, and keep it. */
  readonly reuse?: boolean;
  /** Keep a created cluster; an incomplete one is deleted anyway. */
  readonly keep?: boolean;
}

/** A kind cluster, whose nodes are containers on this machine. */
export class KindCluster extends KubeconfigCluster {
  readonly #stays: boolean;
  readonly #kind: KindProgram;
  readonly #exitHook: ExitHook | undefined;

  /** For {@linkcode KindSource.open}. */
  constructor(kind: KindProgram, stays: boolean, context: KubeContext, kubeconfig: string) {
    super("kind", context, kubeconfig);
    this.#stays = stays;
    this.#kind = kind;
    this.#exitHook = stays ? undefined : new ExitHook(() => kind.deleteLater());
  }

  /** Whether it existed before or is kept. */
  override get stays(): boolean {
    return this.#stays;
  }

  /** The cluster's name. */
  get name(): string {
    return this.#kind.name;
  }

  /** The runtime of its nodes. */
  get runtime(): ContainerRuntime {
    return this.#kind.runtime;
  }

  /**
   * Loads an image of this machine onto every node. If the cluster stays, disposing removes what that added.
   *
   * @throws {UsageError} if this machine has no such image.
   */
  async loadImage(image: string, signal?: AbortSignal): Promise<AsyncDisposable> {
    const { name, runtime } = this;
    const why = await runtime.whyNoImage(image, signal);
    if (why) {
      throw new UsageError(
        `${runtime.name} has no image ${image}: ${why}`,
        `build it, or ${runtime.name} pull ${image}`,
      );
    }
    const nodes = this.#stays ? await this.#kind.nodes(signal) : [];
    const loads = await Promise.all(nodes.map((node) => NodeLoad.begin(runtime, node, signal)));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => this.#kind.teardown("removing an image from a node", (signal) => removeLoaded(loads, signal)));
    const note = () => this.#kind.teardown("listing the loaded images", (signal) => recordLoaded(loads, signal));
    try {
      await this.#kind.run(["load", "docker-image", image, "--name", name], signal);
    } catch (error) {
      await note().catch(() => {}); // the error of the load matters more
      throw error;
    }
    await note();
    return stack.move();
  }

  /** Removes an image from this machine, not from the nodes. */
  async removeImage(image: string): Promise<void> {
    await this.#kind.teardown("removing an image", (signal) => this.runtime.removeImage(image, signal));
  }

  /** Deletes the cluster, unless it existed before or is kept. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    try {
      if (!this.#stays) await this.#kind.delete();
    } finally {
      this.#exitHook?.[Symbol.dispose]();
    }
  }
}

/** One kind cluster for all scenarios. */
export class KindSource implements ClusterSource {
  /** A kind cluster. */
  readonly kind = "kind";
  /** False: creating one takes long. */
  readonly isolated = false;
  readonly #options: KindOptions;

  /** Starts nothing yet. */
  constructor(options: KindOptions) {
    this.#options = options;
  }

  /**
   * Creates the cluster, or uses the existing one. After a failure or interruption it deletes what it began, even with
   * `keep`.
   *
   * @throws {UsageError} if kind or a container runtime is missing or broken, or a cluster of that name exists;
   *   {@linkcode CommandError} with kind's message if it fails.
   */
  async open(signal: AbortSignal): Promise<Cluster> {
    const { nodeImage, reuse, keep } = this.#options;
    const kind = await KindProgram.find(this.#options, signal);
    const there = await kind.exists(signal);
    if (there && !reuse) {
      throw new UsageError(
        `there is a kind cluster ${kind.name} already`,
        `use it with --reuse, or delete it with kind delete cluster --name ${kind.name}`,
      );
    }
    using _duty = there ? undefined : new ExitHook(() => kind.deleteLater()); // the cluster has one of its own
    await using stack = new AsyncDisposableStack();
    if (!there) {
      stack.defer(() => kind.delete({ half: true }));
      await kind.create(nodeImage, signal);
    }
    const { context, kubeconfig } = await kind.context(signal);
    stack.move();
    return new KindCluster(kind, there || keep === true, context, kubeconfig);
  }
}

async function recordLoaded(loads: readonly NodeLoad[], signal: AbortSignal): Promise<void> {
  for (const load of loads) await load.note(signal);
}

async function removeLoaded(loads: readonly NodeLoad[], signal: AbortSignal): Promise<void> {
  for (const load of loads) await load.undo(signal);
}
