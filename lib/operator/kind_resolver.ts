import { type Clock, TemporaryError } from "../base/mod.ts";
import { type ApiResource, formatApiVersion, formatGroupResource } from "../apimachinery/mod.ts";
import { type Client, discoverAll, type Discovery, findResource, type RequestRecord } from "../client/mod.ts";

/**
 * Discovery is not repeated within this time: an object that names a kind which does not exist must not cost one each
 * time.
 */
const DISCOVERY_MS_MIN = 10_000;

/** The server's discovery has no such kind. A CRD that was just created may not be in it yet. */
export class UnknownKindError extends Error {
  /** Tells the class in logs. */
  override readonly name = "UnknownKindError";
}

/**
 * Finds the resource of a kind: among those declared, which costs nothing, else by the server's discovery, which is
 * remembered.
 */
export class KindResolver {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #declared: readonly ApiResource[];
  readonly #signal: AbortSignal | undefined;
  readonly #discoveryMsMin: number;
  #discovered: Promise<Discovery> | undefined;
  #discoveredMs = 0;
  /** Resources that discovery named and that were used, by `plural.group`. */
  readonly #found = new Set<string>();
  #outdated = false;

  /**
   * Discovery ends with `signal`: it is shared by passes, and must not outlive them all. It is not repeated within
   * `discoveryMsMin`, ten seconds by default.
   */
  constructor(
    client: Client,
    clock: Clock,
    declared: readonly ApiResource[],
    { signal, discoveryMsMin = DISCOVERY_MS_MIN }: {
      readonly signal?: AbortSignal;
      readonly discoveryMsMin?: number;
    } = {},
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#declared = declared;
    this.#signal = signal;
    this.#discoveryMsMin = discoveryMsMin;
  }

  /**
   * The resource of a kind.
   *
   * @throws {TemporaryError} where discovery is stale. @throws {UnknownKindError} where the server does not serve the
   *   kind; API errors of the discovery itself.
   */
  async resolve(group: string, version: string, kind: string): Promise<ApiResource> {
    const known = this.#declared.find((each) => each.group === group && each.version === version && each.kind === kind);
    if (known) return known;
    if (this.#outdated) this.#forget();
    let { resources, unknown } = await this.#discovery(), found = findResource(resources, group, kind, version);
    if (!found && this.#forget()) { // its CRD may have been installed since
      ({ resources, unknown } = await this.#discovery());
      found = findResource(resources, group, kind, version);
    }
    if (found) {
      this.#found.add(formatGroupResource(found));
      return found;
    }
    const apiVersion = formatApiVersion({ group, version });
    if (unknown.some((each) => each.group === group && each.version === version)) {
      throw new TemporaryError(
        `the server cannot tell now whether it knows ${kind} in ${apiVersion}: its discovery is stale`,
        {
          reason: "DiscoveryStale",
        },
      );
    }
    throw new UnknownKindError(`the server knows no kind ${kind} in ${apiVersion}`);
  }

  /**
   * Call it for every request. Where a write finds no such resource, the kind may have been installed again with
   * another plural or scope: the next {@linkcode resolve} reads discovery.
   */
  onRequest({ code, verb, resource }: RequestRecord): void {
    if (code === 404 && (verb === "patch" || verb === "create") && this.#found.has(resource)) this.#outdated = true;
  }

  /** Forgets what was discovered, unless that was a moment ago. */
  #forget(): boolean {
    if (this.#clock.elapsed() - this.#discoveredMs < this.#discoveryMsMin) return false;
    this.#discovered = undefined;
    this.#outdated = false;
    return true;
  }

  #discovery(): Promise<Discovery> {
    if (!this.#discovered) {
      this.#discoveredMs = this.#clock.elapsed();
      this.#discovered = discoverAll(this.#client, this.#signal);
      this.#discovered.catch(() => this.#discovered = undefined);
    }
    return this.#discovered;
  }
}
