import { EmbeddedApiServer, type EmbeddedApiServerOptions } from "../apiserver/mod.ts";
import type { Transport } from "../base/mod.ts";
import type { Cluster, ClusterSource, ClusterUser } from "./cluster.ts";

/** A cluster in this process, without socket or program. */
export class EmbeddedCluster implements Cluster {
  /** Embedded. */
  readonly kind = "embedded";
  /** Without a socket no other program can connect. */
  readonly kubeconfig: undefined = undefined;
  readonly #server: EmbeddedApiServer;

  /** `options` have the server's clock and randomness; the system's if absent. */
  constructor(options: EmbeddedApiServerOptions = {}) {
    this.#server = new EmbeddedApiServer(options);
  }

  /** See {@linkcode Cluster.transport}. */
  transport(user?: ClusterUser): Transport {
    return this.#server.transport(user);
  }

  /** See {@linkcode Cluster.serveService}. */
  serveService(...[namespace, name, fetch]: Parameters<NonNullable<Cluster["serveService"]>>): () => void {
    return this.#server.serveService(namespace, name, fetch);
  }

  /** Waits until the effects of writes have settled, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.settled();
    this.#server.close();
  }
}

/** An embedded cluster for each scenario. */
export class EmbeddedSource implements ClusterSource {
  /** Embedded. */
  readonly kind = "embedded";
  readonly isolated = true;
  readonly #options: EmbeddedApiServerOptions;

  /** `options` have the server's clock and randomness; the system's if absent. */
  constructor(options: EmbeddedApiServerOptions = {}) {
    this.#options = options;
  }

  /** See {@linkcode ClusterSource.open}. */
  open(): Promise<Cluster> {
    return Promise.resolve(new EmbeddedCluster(this.#options));
  }
}
