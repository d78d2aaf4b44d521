/** One HTTP client for streams. */
interface PooledClient {
  readonly client: Deno.HttpClient;
  open: number;
  /** The number of streams that it opened so far. */
  retired: boolean;
}

/** A place on a client; release it when its stream has ended. */
export interface StreamLease {
  readonly client: Deno.HttpClient;
  /** `completed`: the server ended the stream; otherwise its connection is suspect and gets no new streams. */
  release(completed: boolean): void;
}

/**
 * HTTP clients for long streams. An HTTP/2 connection carries 100 streams on an API server, and the next one on the
 * same client waits forever: so each client gets fewer. A connection that failed a stream may be dead for all (fetch
 * sends no pings): it gets no new ones, and is closed when its last stream has ended.
 */
export class StreamPool {
  #clients: PooledClient[] = [];

  constructor(readonly create: () => Deno.HttpClient, readonly streamsPerClientMax: number) {}

  /** A place for one stream. */
  lease(): StreamLease {
    let pooled = this.#clients.find((one) => one.open < this.streamsPerClientMax);
    if (!pooled) this.#clients.push(pooled = { client: this.create(), open: 0, retired: false });
    pooled.open++;
    return { client: pooled.client, release: (completed) => this.#release(pooled, completed) };
  }

  /** Closes every client with its last stream. */
  retire(): void {
    for (const pooled of [...this.#clients]) this.#retire(pooled);
  }

  #release(pooled: PooledClient, completed: boolean): void {
    pooled.open--;
    if (!completed) this.#retire(pooled);
    else if (pooled.retired && pooled.open === 0) pooled.client.close();
  }

  #retire(pooled: PooledClient): void {
    this.#clients = this.#clients.filter((one) => one !== pooled);
    if (pooled.open === 0) pooled.client.close();
    pooled.retired = true;
  }
}
