import type { Transport } from "../base/mod.ts";
import { impersonating, type KubeContext, openTransport } from "../client/mod.ts";
import type { Cluster, ClusterKind, ClusterUser } from "./cluster.ts";

/** An existing cluster of a kubeconfig's context. Impersonates other users. Disposing only closes connections. */
export class KubeconfigCluster implements Cluster {
  readonly #context: KubeContext;
  readonly #transports = new Set<Transport>();

  /** `kubeconfig` is the text of a file for other programs, if any. */
  constructor(readonly kind: ClusterKind, context: KubeContext, readonly kubeconfig: string | undefined = undefined) {
    this.#context = context;
  }

  /** It existed before. */
  get stays(): boolean {
    return true;
  }

  /** Address of the API server. */
  get server(): string {
    return this.#context.server;
  }

  /** See {@linkcode Cluster.transport}. */
  transport(user?: ClusterUser): Transport {
    const { server, credentials, proxies } = this.#context;
    const acting = user ? impersonating(credentials, { user: user.name, groups: user.groups }) : credentials;
    const transport = openTransport({ server, credentials: acting, proxies });
    this.#transports.add(transport);
    return {
      fetch: (path, request) => transport.fetch(path, request),
      close: () => {
        this.#transports.delete(transport);
        transport.close();
      },
    };
  }

  /** Closes open connections. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const transport of this.#transports) transport.close();
    this.#transports.clear();
    return Promise.resolve();
  }
}
