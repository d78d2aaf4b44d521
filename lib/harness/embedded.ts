import { EmbeddedApiServer, type EmbeddedApiServerOptions } from "../apiserver/mod.ts";
import type { Transport } from "../base/mod.ts";
import type { Cluster, ClusterSource, ClusterUser } from "./cluster.ts";

/** A cluster in this process: no socket, no program, there at once. */
export class EmbeddedCluster implements Cluster {
  /** It is embedded. */
  readonly kind = "embedded";
  /** No socket listens, so no other program can come in. */
  readonly kubeconfig: undefined = undefined;
  readonly #server: EmbeddedApiServer;

  /** The clock and randomness of the server; the machine's where absent. */
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

  /** Lets what writes have set off come to its end, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.settled();
    this.#server.close();
  }
}

/** A cluster in this process for each scenario. */
export class EmbeddedSource implements ClusterSource {
  /** It is embedded. */
  readonly kind = "embedded";
  readonly isolated = true;
  readonly #options: EmbeddedApiServerOptions;

  /** The clock and randomness of the server; the machine's where absent. */
  constructor(options: EmbeddedApiServerOptions = {}) {
    this.#options = options;
  }

  /** See {@linkcode ClusterSource.open}. */
  open(): Promise<Cluster> {
    return Promise.resolve(new EmbeddedCluster(this.#options));
  }
}
