import type { Ask } from "../answers.ts";
import type { Dns } from "../dns.ts";

/** A registry in memory, and what the apps answer. It outlives the operators that call it. */
export class FakeOutside {
  readonly records = new Map<string, string>();
  puts = 0;
  isDown = false;
  answers = true;

  readonly dns: Dns = {
    put: (host, target) =>
      this.#call(() => {
        this.puts++;
        this.records.set(host, target);
      }),
    remove: (host) => this.#call(() => void this.records.delete(host)),
  };

  readonly ask: Ask = () => Promise.resolve(this.answers);

  #call(act: () => void): Promise<void> {
    if (this.isDown) return Promise.reject(new Error("connection refused"));
    act();
    return Promise.resolve();
  }
}
