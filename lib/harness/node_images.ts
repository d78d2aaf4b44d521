import type { ContainerRuntime } from "./container_runtime.ts";

const CTR = ["ctr", "--namespace", "k8s.io", "images"];

/** The images of a kind node, by every name that its containerd has for them: loading one adds more names than its own. */
export class NodeImages {
  readonly #runtime: ContainerRuntime;
  readonly #node: string;

  /** `node` is the node's container. */
  constructor(runtime: ContainerRuntime, node: string) {
    this.#runtime = runtime;
    this.#node = node;
  }

  /** Every name. */
  async list(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const names = await this.#runtime.exec(this.#node, [...CTR, "ls", "-q"], signal);
    return new Set(names.split("\n").filter((name) => name !== ""));
  }

  /** Removes the names that were not there before; content that no name is left for goes too. */
  async removeAllBut(before: ReadonlySet<string>): Promise<void> {
    const added = [...await this.list()].filter((name) => !before.has(name));
    if (added.length > 0) await this.#runtime.exec(this.#node, [...CTR, "rm", "--sync", ...added]);
  }
}
