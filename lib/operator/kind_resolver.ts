import type { Clock } from "../base/clock.ts";
import { type ApiResource, formatApiVersion } from "../apimachinery/resource.ts";
import { type Client, discover, type DiscoveredResource, findResource } from "../client/mod.ts";

/** A miss is not asked again for so long: an object that names a kind which does not exist must not cost discovery each time. */
const MISS_MS = 10_000;

/** Finds the resource of a kind: among those declared, which costs nothing, else by the server's discovery, asked once. */
export class KindResolver {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #declared: readonly ApiResource[];
  readonly #signal: AbortSignal | undefined;
  #discovered: Promise<readonly DiscoveredResource[]> | undefined;
  #discoveredMs = 0;

  /** Discovery ends with `signal`: it is shared by cycles, and must not outlive them all. */
  constructor(client: Client, clock: Clock, declared: readonly ApiResource[], signal?: AbortSignal) {
    this.#client = client;
    this.#clock = clock;
    this.#declared = declared;
    this.#signal = signal;
  }

  /**
   * The resource of a kind.
   *
   * @throws {Error} where the server does not know the kind; API errors of the discovery itself.
   */
  async resolve(group: string, version: string, kind: string): Promise<ApiResource> {
    const known = this.#declared.find((each) => each.group === group && each.version === version && each.kind === kind);
    if (known) return known;
    let found = findResource(await this.#discovery(), group, kind, version);
    if (!found && this.#clock.elapsed() - this.#discoveredMs >= MISS_MS) {
      this.#discovered = undefined; // its CRD may have been installed since
      found = findResource(await this.#discovery(), group, kind, version);
    }
    if (!found) throw new Error(`the server knows no kind ${kind} in ${formatApiVersion({ group, version })}`);
    return found;
  }

  #discovery(): Promise<readonly DiscoveredResource[]> {
    if (!this.#discovered) {
      this.#discoveredMs = this.#clock.elapsed();
      this.#discovered = discover(this.#client, this.#signal);
      this.#discovered.catch(() => this.#discovered = undefined);
    }
    return this.#discovered;
  }
}
