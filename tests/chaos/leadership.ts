import type { GateObserver } from "./gate.ts";

/** Who leads, as the API server's answers to writes of the Lease tell, and who wrote without leading. */
export class Leadership {
  #leader: string | undefined;
  readonly #overlaps: string[] = [];
  /** How often the lease went to another process. */
  transitions = 0;

  /** The host of the process that holds the lease; undefined before the first one, and after one gave it up. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** Each write that reached the API server while another process held the lease. */
  get overlaps(): readonly string[] {
    return this.#overlaps;
  }

  /** Follows the requests of one process, whose identity in the lease is its host and a random part. */
  observe(host: string): GateObserver {
    return {
      onRequest: ({ isWrite, method, path }) => {
        if (isWrite && this.#leader !== host) {
          this.#overlaps.push(`${host} sent ${method} ${path} while ${this.#leader ?? "no process"} led`);
        }
      },
      onAnswer: ({ holder }, status) => {
        if (holder === undefined || status >= 300) return;
        if (holder.startsWith(`${host}_`)) {
          if (this.#leader !== host) this.transitions++;
          this.#leader = host;
        } else if (this.#leader === host) this.#leader = undefined;
      },
    };
  }
}
