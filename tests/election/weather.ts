import { SeededRandom, sleep, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { TurnedClock } from "./turned_clock.ts";

/** How the way to the server is for one process. */
export type Way =
  /** Requests arrive, and so do answers. */
  | { readonly kind: "clear" }
  /** Nothing is sent. */
  | { readonly kind: "refused" }
  /** Nothing arrives, and nobody is told. */
  | { readonly kind: "hanging" }
  /** Requests arrive `delayMs` later, even where their sender has given up on them. */
  | { readonly kind: "late"; readonly delayMs: number }
  /** Requests arrive, answers do not. */
  | { readonly kind: "unanswered" };

/** A server, and processes that reach it each on a way of its own; time is the test's. */
export class Weather implements Disposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock, random: new SeededRandom(3) });
  /** Always reaches the server. */
  readonly client = new Client(this.server.transport(), { fieldManager: "test", clock: this.clock });
  readonly #ways = new Map<string, Way>();
  readonly #clocks = new Map<string, TurnedClock>();

  /** From now on the way of a process is another. */
  turn(process: string, way: Way): void {
    this.#ways.set(process, way);
  }

  /** A client of a process, which tries nothing again. */
  clientOf(process: string): Client {
    return new Client(this.#transport(process), { fieldManager: process, clock: this.clock, retriesMax: 0 });
  }

  /** The clock of a process: it runs as fast as the server's and may show another time. */
  clockOf(process: string): TurnedClock {
    const clock = this.#clocks.get(process) ?? new TurnedClock(this.clock);
    this.#clocks.set(process, clock);
    return clock;
  }

  #transport(process: string): Transport {
    const inner = this.server.transport();
    return {
      fetch: async (path, request = {}) => {
        const way = this.#ways.get(process) ?? { kind: "clear" };
        const given = new Promise<never>((_, reject) => {
          const { signal } = request;
          if (signal?.aborted) reject(signal.reason);
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        given.catch(() => {});
        switch (way.kind) {
          case "clear":
            return await inner.fetch(path, request);
          case "refused":
            throw new TypeError("connection refused");
          case "hanging":
            return await given;
          case "late": {
            const { signal: _, ...rest } = request;
            const arrives = sleep(this.clock, way.delayMs).then(() => inner.fetch(path, rest));
            arrives.catch(() => {});
            return await Promise.race([arrives, given]);
          }
          case "unanswered": {
            const { signal: _, ...rest } = request;
            await (await inner.fetch(path, rest)).body?.cancel();
            return await given;
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
