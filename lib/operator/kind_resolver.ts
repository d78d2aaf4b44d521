import { type Clock, TemporaryError } from "../base/mod.ts";
import { type ApiResource, formatApiVersion, formatGroupResource } from "../apimachinery/mod.ts";
import { type Client, discoverAll, type Discovery, findResource, type RequestRecord } from "../client/mod.ts";

/** Minimum between discoveries: objects that name a missing kind must not cost one each. */
const DISCOVERY_MS_MIN = 10_000;

/** A kind missing in discovery, perhaps because its CRD was just created. */
export class UnknownKindError extends Error {
  /** Identifies the class in logs. */
  override readonly name = "UnknownKindError";
}

/** Finds the resource of a kind: among the declared ones without a request, else by cached discovery. */
export class KindResolver {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #declared: readonly ApiResource[];
  readonly #signal: AbortSignal | undefined;
  readonly #discoveryMsMin: number;
  #discovered: Promise<Discovery> | undefined;
  #discoveredMs = 0;
  /** In use, by `plural.group`. */
  readonly #found = new Set<string>();
  #outdated = false;

  /** Passes share discovery, so it ends with `signal`. Not repeated within `discoveryMsMin`, ten seconds by default. */
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
   * @throws {TemporaryError} if discovery is stale. @throws {UnknownKindError} if the server does not serve the kind;
   * API errors of discovery.
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
        `the server cannot report now whether it knows ${kind} in ${apiVersion}: its discovery is stale`,
        {
          reason: "DiscoveryStale",
        },
      );
    }
    throw new UnknownKindError(`the server knows no kind ${kind} in ${apiVersion}`);
  }

  /**
   * Call it for every request. If a write finds no resource, its plural or scope may have changed: the next
   * {@linkcode resolve} reads discovery.
   */
  onRequest({ code, verb, resource }: RequestRecord): void {
    if (code === 404 && (verb === "patch" || verb === "create") && this.#found.has(resource)) this.#outdated = true;
  }

  /** Unless discovery was a moment ago. */
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
