import { type Clock, UsageError } from "../base/mod.ts";
import { loadKubeconfig } from "../client/mod.ts";
import type { Cluster, ClusterSource } from "./cluster.ts";
import { requireCommand, runCommand } from "./command.ts";
import { ContainerRuntime } from "./container_runtime.ts";
import { KubeconfigCluster } from "./kubeconfig_cluster.ts";

/** Which kind cluster is wanted. */
export interface KindOptions {
  /** The run's time. */
  readonly clock: Clock;
  /** Name of the cluster: `pintle-test` where absent. */
  readonly name?: string;
  /** Node image, as `kindest/node:v1.34.0`; kind's own default where absent. */
  readonly nodeImage?: string;
  /** docker, podman or nerdctl; the first that works where absent. */
  readonly runtime?: string;
  /** Take a cluster of that name that is there already, and leave it. */
  readonly reuse?: boolean;
  /** Leave a cluster that was made. */
  readonly keep?: boolean;
}

const NAME = "pintle-test";
const READY = "180s";
const INSTALL = "install kind (kind.sigs.k8s.io/docs/user/quick-start), or take --cluster embedded";

/** A kind cluster: nodes in containers of this machine. */
export class KindCluster extends KubeconfigCluster {
  /** Name of the cluster. */
  readonly name: string;
  /** What its nodes run in. */
  readonly runtime: ContainerRuntime;
  /** Whether the cluster stays when this is disposed. */
  readonly leave: boolean;

  /** {@linkcode KindSource.open} makes it. */
  constructor(
    name: string,
    runtime: ContainerRuntime,
    leave: boolean,
    ...[context, kubeconfig]: [ConstructorParameters<typeof KubeconfigCluster>[1], string]
  ) {
    super("kind", context, kubeconfig);
    this.name = name;
    this.runtime = runtime;
    this.leave = leave;
  }

  /**
   * Puts an image of this machine on every node.
   *
   * @throws {UsageError} where this machine has no such image.
   */
  async loadImage(image: string, signal?: AbortSignal): Promise<void> {
    if (!await this.runtime.hasImage(image, signal)) {
      throw new UsageError(
        `${this.runtime.name} has no image ${image}`,
        `build it, or ${this.runtime.name} pull ${image}`,
      );
    }
    await kind(this.runtime, ["load", "docker-image", image, "--name", this.name], signal);
  }

  /** Deletes the cluster, unless it was there before or is to be kept. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    if (!this.leave) await kind(this.runtime, ["delete", "cluster", "--name", this.name]);
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
   * Creates the cluster, or takes the one that is there. Whatever was begun is deleted again where this fails or is interrupted.
   *
   * @throws {UsageError} where kind or a container runtime is missing, and for a cluster of that name that is there already.
   */
  async open(signal: AbortSignal): Promise<Cluster> {
    const { name = NAME, nodeImage, reuse, keep } = this.#options;
    const runtime = await ContainerRuntime.find(this.#options.runtime, signal);
    await requireCommand("kind", ["version"], INSTALL, signal);
    const there = (await kind(runtime, ["get", "clusters"], signal)).split("\n").includes(name);
    if (there && !reuse) {
      throw new UsageError(
        `there is a kind cluster ${name} already`,
        `use it with --reuse, or remove it with kind delete cluster --name ${name}`,
      );
    }
    await using stack = new AsyncDisposableStack();
    if (!there) {
      if (!keep) stack.defer(async () => void await kind(runtime, ["delete", "cluster", "--name", name]));
      await this.#create(name, runtime, nodeImage, signal);
    }
    const kubeconfig = await kind(runtime, ["get", "kubeconfig", "--name", name], signal);
    const { clock } = this.#options;
    const context = await loadKubeconfig({
      paths: ["kind"],
      clock,
      readFile: () => Promise.resolve(kubeconfig),
    });
    stack.move();
    return new KindCluster(name, runtime, there || keep === true, context, kubeconfig);
  }

  async #create(
    name: string,
    runtime: ContainerRuntime,
    nodeImage: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    // kind merges the new context into a kubeconfig; the person's own is none of its business here.
    const folder = await Deno.makeTempDir({ prefix: "pintle-kind-" });
    try {
      const image = nodeImage ? ["--image", nodeImage] : [];
      const kubeconfig = ["--kubeconfig", `${folder}/kubeconfig`];
      await kind(
        runtime,
        ["create", "cluster", "-q", "--name", name, "--wait", READY, ...kubeconfig, ...image],
        signal,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
}

function kind(runtime: ContainerRuntime, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return runCommand("kind", args, { signal, env: { KIND_EXPERIMENTAL_PROVIDER: runtime.name } });
}
