import { UsageError } from "../base/mod.ts";
import type { KubeContext } from "../client/mod.ts";
import type { Cluster, ClusterSource } from "./cluster.ts";
import type { ContainerRuntime } from "./container_runtime.ts";
import { ExitHook } from "./exit_hook.ts";
import { KindProgram, type KindProgramOptions } from "./kind_program.ts";
import { KubeconfigCluster } from "./kubeconfig_cluster.ts";
import { NodeLoad } from "./node_load.ts";

/** Which kind cluster is wanted. */
interface KindOptions extends KindProgramOptions {
  /** Node image, as `kindest/node:v1.34.0`; kind's own default where absent. */
  readonly nodeImage?: string;
  /** Take a cluster of that name that is there already, and leave it. */
  readonly reuse?: boolean;
  /** Keep a cluster that was created; an incomplete one is deleted anyway. */
  readonly keep?: boolean;
}

/** A kind cluster: nodes in containers of this machine. */
export class KindCluster extends KubeconfigCluster {
  readonly #stays: boolean;
  readonly #kind: KindProgram;
  readonly #duty: ExitHook | undefined;

  /** {@linkcode KindSource.open} makes it. */
  constructor(kind: KindProgram, stays: boolean, context: KubeContext, kubeconfig: string) {
    super("kind", context, kubeconfig);
    this.#stays = stays;
    this.#kind = kind;
    this.#duty = stays ? undefined : new ExitHook(() => kind.deleteLater());
  }

  /** Whether it was there before or is to be kept. */
  override get stays(): boolean {
    return this.#stays;
  }

  /** Name of the cluster. */
  get name(): string {
    return this.#kind.name;
  }

  /** What its nodes run in. */
  get runtime(): ContainerRuntime {
    return this.#kind.runtime;
  }

  /**
   * Puts an image of this machine on every node. Disposing takes off what that added, where the cluster stays.
   *
   * @throws {UsageError} where this machine has no such image.
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
    stack.defer(() => this.#kind.teardown("taking an image off", (signal) => takeOff(loads, signal)));
    const note = () => this.#kind.teardown("looking what was loaded", (signal) => noteAll(loads, signal));
    try {
      await this.#kind.run(["load", "docker-image", image, "--name", name], signal);
    } catch (error) {
      await note().catch(() => {}); // the error of the load matters more
      throw error;
    }
    await note();
    return stack.move();
  }

  /** Removes an image from this machine; that of its nodes is none of this. */
  async removeImage(image: string): Promise<void> {
    await this.#kind.teardown("removing an image", (signal) => this.runtime.removeImage(image, signal));
  }

  /** Deletes the cluster, unless it was there before or is to be kept. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    try {
      if (!this.#stays) await this.#kind.delete();
    } finally {
      this.#duty?.[Symbol.dispose]();
    }
  }
}

/** One kind cluster that all scenarios share. */
export class KindSource implements ClusterSource {
  /** Nodes in containers. */
  readonly kind = "kind";
  /** It takes long to make, so all share one. */
  readonly isolated = false;
  readonly #options: KindOptions;

  /** Starts nothing yet. */
  constructor(options: KindOptions) {
    this.#options = options;
  }

  /**
   * Creates the cluster, or takes the one that is there. Whatever was begun is deleted again where this fails or is
   * interrupted, also where the cluster was to be kept: half of one is of no use.
   *
   * @throws {UsageError} where kind or a container runtime is missing or does not work, and for a cluster of that name
   *   that is
   * there already; {@linkcode CommandError} with kind's words where it fails.
   */
  async open(signal: AbortSignal): Promise<Cluster> {
    const { nodeImage, reuse, keep } = this.#options;
    const kind = await KindProgram.find(this.#options, signal);
    const there = await kind.exists(signal);
    if (there && !reuse) {
      throw new UsageError(
        `there is a kind cluster ${kind.name} already`,
        `use it with --reuse, or remove it with kind delete cluster --name ${kind.name}`,
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

async function noteAll(loads: readonly NodeLoad[], signal: AbortSignal): Promise<void> {
  for (const load of loads) await load.note(signal);
}

async function takeOff(loads: readonly NodeLoad[], signal: AbortSignal): Promise<void> {
  for (const load of loads) await load.undo(signal);
}
