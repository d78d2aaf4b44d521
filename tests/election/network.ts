import { SeededRandom, sleep, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { SkewedClock } from "./skewed_clock.ts";

/** The connection of one process to the server. */
export type Link =
  /** Requests and answers arrive. */
  | { readonly kind: "clear" }
  /** Nothing is sent. */
  | { readonly kind: "refused" }
  /** Nothing arrives, and no error is reported. */
  | { readonly kind: "hanging" }
  /** Requests arrive `delayMs` later, also after their sender has cancelled them. */
  | { readonly kind: "late"; readonly delayMs: number }
  /** Requests arrive, answers do not. */
  | { readonly kind: "unanswered" };

/** A server, and a link to it for each process, on a clock that only the test advances. */
export class Network implements Disposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock, random: new SeededRandom(3) });
  /** Always reaches the server. */
  readonly client = new Client(this.server.transport(), { fieldManager: "test", clock: this.clock });
  readonly #links = new Map<string, Link>();
  readonly #clocks = new Map<string, SkewedClock>();

  /** Changes the link of a process. */
  setLink(process: string, link: Link): void {
    this.#links.set(process, link);
  }

  /** A client of a process, without retries. */
  clientOf(process: string): Client {
    return new Client(this.#transport(process), { fieldManager: process, clock: this.clock, retriesMax: 0 });
  }

  /** The clock of a process: it runs as fast as the server's and may show another time. */
  clockOf(process: string): SkewedClock {
    const clock = this.#clocks.get(process) ?? new SkewedClock(this.clock);
    this.#clocks.set(process, clock);
    return clock;
  }

  #transport(process: string): Transport {
    const inner = this.server.transport();
    return {
      fetch: async (path, request = {}) => {
        const link = this.#links.get(process) ?? { kind: "clear" };
        const aborted = new Promise<never>((_, reject) => {
          const { signal } = request;
          if (signal?.aborted) reject(signal.reason);
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        aborted.catch(() => {});
        switch (link.kind) {
          case "clear":
            return await inner.fetch(path, request);
          case "refused":
            throw new TypeError("connection refused");
          case "hanging":
            return await aborted;
          case "late": {
            const { signal: _, ...rest } = request;
            const arrives = sleep(this.clock, link.delayMs).then(() => inner.fetch(path, rest));
            arrives.catch(() => {});
            return await Promise.race([arrives, aborted]);
          }
          case "unanswered": {
            const { signal: _, ...rest } = request;
            await (await inner.fetch(path, rest)).body?.cancel();
            return await aborted;
          }
        }
      },
      close: () => inner.close(),
    };
  }

  /** Ends the server. */
  [Symbol.dispose](): void {
    this.server.close();
  }
}
