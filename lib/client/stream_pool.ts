interface PooledClient {
  readonly client: Deno.HttpClient;
  open: number;
  retired: boolean;
}

/** Release it when its stream has ended. */
export interface StreamLease {
  readonly client: Deno.HttpClient;
  /** `completed`: the server ended the stream; otherwise its connection gets no new streams. */
  release(completed: boolean): void;
}

/**
 * HTTP clients for long streams. An API server takes 100 streams per HTTP/2 connection and blocks the next, so each
 * client gets fewer. A connection that failed a stream may be dead (fetch sends no pings): it gets no new ones, and is
 * closed after its last.
 */
export class StreamPool {
  #clients: PooledClient[] = [];

  constructor(readonly create: () => Deno.HttpClient, readonly streamsPerClientMax: number) {}

  lease(): StreamLease {
    let pooled = this.#clients.find((one) => one.open < this.streamsPerClientMax);
    if (!pooled) this.#clients.push(pooled = { client: this.create(), open: 0, retired: false });
    pooled.open++;
    return { client: pooled.client, release: (completed) => this.#release(pooled, completed) };
  }

  /** Closes every client after its last stream. */
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
