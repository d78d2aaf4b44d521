import type { ContainerRuntime } from "./container_runtime.ts";

const CTR = ["ctr", "--namespace", "k8s.io", "images"];

/**
 * The load of an image onto one kind node: containerd gets more names for it than its own, and all of them have to go
 * again.
 */
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

  /** To be called before the load. `node` is the node's container. */
  static async begin(runtime: ContainerRuntime, node: string, signal?: AbortSignal): Promise<NodeLoad> {
    return new NodeLoad(runtime, node, new Set(await imagesOf(runtime, node, signal)));
  }

  /** To be called at once after it: what others load later is theirs. */
  async note(signal: AbortSignal): Promise<void> {
    const now = await imagesOf(this.#runtime, this.#node, signal);
    this.#added = now.filter((name) => !this.#before.has(name));
  }

  /** Removes what it added; content that no name is left for goes too. */
  async undo(signal: AbortSignal): Promise<void> {
    if (this.#added.length === 0) return;
    await this.#runtime.exec(this.#node, [...CTR, "rm", "--sync", ...this.#added], signal);
  }
}

async function imagesOf(runtime: ContainerRuntime, node: string, signal: AbortSignal | undefined): Promise<string[]> {
  const names = await runtime.exec(node, [...CTR, "ls", "-q"], signal);
  return names.split("\n").filter((name) => name !== "");
}
