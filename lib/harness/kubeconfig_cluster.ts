import type { Transport } from "../base/mod.ts";
import { impersonating, type KubeContext, openTransport } from "../client/mod.ts";
import type { Cluster, ClusterKind, ClusterUser } from "./cluster.ts";

/**
 * A cluster that runs already, by a context of a kubeconfig. Other users are impersonated. Disposing closes the
 * connections and leaves the cluster alone.
 */
export class KubeconfigCluster implements Cluster {
  readonly #context: KubeContext;
  readonly #transports = new Set<Transport>();

  /** `kubeconfig` is the text of a file that other programs can use, where there is one. */
  constructor(readonly kind: ClusterKind, context: KubeContext, readonly kubeconfig: string | undefined = undefined) {
    this.#context = context;
  }

  /** It was there before. */
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

  /** Closes what is still open. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const transport of this.#transports) transport.close();
    this.#transports.clear();
    return Promise.resolve();
  }
}
