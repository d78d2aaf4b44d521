import type { ContainerRuntime } from "./container_runtime.ts";

const CTR = ["ctr", "--namespace", "k8s.io", "images"];

/** Loads an image onto a kind node. {@linkcode undo} also removes the names that containerd adds. */
export class NodeLoad {
  readonly #runtime: ContainerRuntime;
  readonly #node: string;
  readonly #before: ReadonlySet<string>;
  #added: readonly string[] = [];

  private constructor(runtime: ContainerRuntime, node: string, before: ReadonlySet<string>) {
    this.#runtime = runtime;
    this.#node = node;
    this.#before = before;
  }

  /** Call before the load. `node` is a container. */
  static async begin(runtime: ContainerRuntime, node: string, signal?: AbortSignal): Promise<NodeLoad> {
    return new NodeLoad(runtime, node, new Set(await imagesOf(runtime, node, signal)));
  }

  /** Call right after the load: later images belong to others. */
  async note(signal: AbortSignal): Promise<void> {
    const now = await imagesOf(this.#runtime, this.#node, signal);
    this.#added = now.filter((name) => !this.#before.has(name));
  }

  /** Removes the added names, and content without other names. */
  async undo(signal: AbortSignal): Promise<void> {
    if (this.#added.length === 0) return;
    await this.#runtime.exec(this.#node, [...CTR, "rm", "--sync", ...this.#added], signal);
  }
}

async function imagesOf(runtime: ContainerRuntime, node: string, signal: AbortSignal | undefined): Promise<string[]> {
  const names = await runtime.exec(node, [...CTR, "ls", "-q"], signal);
  return names.split("\n").filter((name) => name !== "");
}
