import { type Clock, describeError, type Logger } from "../base/mod.ts";
import { type Client, ConflictError, NotFoundError } from "../client/mod.ts";
import { type LeaseObject, LEASES } from "./lease.ts";

/** Whose leases a roster holds. */
export interface RosterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly labelSelector: string;
  /** When a lease that nobody renews ends, by the server's clock; undefined for one that must be renewed. */
  readonly endsMs?: (lease: LeaseObject) => number | undefined;
}

/**
 * Who is there: the leases of one selection, as the server has them. One that has not changed for its duration, by the time that has
 * elapsed in this process, is deleted at the version that was seen, so that its holder is dead once it is missing, and never before.
 */
export class Roster {
  readonly #options: RosterOptions;
  readonly #seen = new Map<string, { readonly version: string | undefined; readonly sinceMs: number }>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Asks the server, never a cache, and buries who has died. */
  async look(signal: AbortSignal): Promise<LeaseObject[]> {
    const { client, namespace, labelSelector } = this.#options;
    const { items } = await client.list<LeaseObject>(LEASES, { namespace, labelSelector, signal });
    const alive: LeaseObject[] = [];
    for (const lease of items) if (!this.#isOver(lease) || !await this.#bury(lease, signal)) alive.push(lease);
    const names = new Set(items.map(({ metadata }) => metadata?.name));
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
    return alive;
  }

  #isOver(lease: LeaseObject): boolean {
    const { clock } = this.#options, endsMs = this.#options.endsMs?.(lease);
    if (endsMs !== undefined) return clock.now() >= endsMs;
    const elapsedMs = clock.elapsed();
    const { name = "", resourceVersion: version } = lease.metadata ?? {}, known = this.#seen.get(name);
    if (known?.version === version) {
      const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1_000;
      return known !== undefined && elapsedMs - known.sinceMs >= durationMs;
    }
    this.#seen.set(name, { version, sinceMs: elapsedMs });
    return false;
  }

  /** Whether a lease is gone for sure. */
  async #bury({ metadata, spec }: LeaseObject, signal: AbortSignal): Promise<boolean> {
    const { client, namespace, logger } = this.#options, { name = "", uid, resourceVersion } = metadata ?? {};
    try {
      await client.delete(LEASES, { namespace, name }, { uid, resourceVersion, signal });
      logger.info("a lease ran out and is removed", { lease: name, holder: spec?.holderIdentity ?? "" });
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return true;
      // It was renewed in the last moment: it lives.
      if (!(error instanceof ConflictError)) {
        logger.warn("a lease that ran out could not be removed", { lease: name, error: describeError(error) });
      }
      return false;
    }
  }
}
