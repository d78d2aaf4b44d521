import { type Clock, describeError, type Logger } from "../base/mod.ts";
import { type Client, ConflictError, ForbiddenError, NotFoundError } from "../client/mod.ts";
import { type LeaseObject, LEASES } from "./lease.ts";

/** Whose leases a roster holds. */
export interface MemberListOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly labelSelector: string;
  /** When a lease that nobody renews ends, by the server's clock; undefined for one that must be renewed. */
  readonly endsMs?: (lease: LeaseObject) => number | undefined;
}

/**
 * Who is there: the leases of one selection, as the server has them. One that has not changed for its duration, by the
 * time that has elapsed in this process, is deleted at the version that was seen, so that its holder is dead once it is
 * missing, and never before.
 */
export class MemberList {
  readonly #options: MemberListOptions;
  readonly #seen = new Map<string, { readonly version: string | undefined; readonly sinceMs: number }>();
  /** By their uids, when leases that nobody renews end, in elapsed time. */
  readonly #ends = new Map<string, number>();
  readonly #removed = new Set<string>();

  constructor(options: MemberListOptions) {
    this.#options = options;
  }

  /** Holders whose leases the last look removed: they are dead for sure. */
  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  /** Asks the server, never a cache, and buries who has died. */
  async look(signal: AbortSignal): Promise<LeaseObject[]> {
    const { client, namespace, labelSelector } = this.#options;
    const { items } = await client.list<LeaseObject>(LEASES, { namespace, labelSelector, signal });
    const alive: LeaseObject[] = [];
    this.#removed.clear();
    for (const lease of items) {
      if (!await this.#isOver(lease, signal) || !await this.#bury(lease, signal)) alive.push(lease);
    }
    const there = new Set(items.flatMap(({ metadata }) => [metadata?.name, metadata?.uid]));
    for (const known of [this.#seen, this.#ends]) {
      for (const key of known.keys()) if (!there.has(key)) known.delete(key);
    }
    return alive;
  }

  async #isOver(lease: LeaseObject, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options, endsMs = this.#options.endsMs?.(lease);
    if (endsMs !== undefined) return clock.elapsed() >= await this.#endOf(lease, endsMs, signal);
    const elapsedMs = clock.elapsed();
    const { name = "", resourceVersion: version } = lease.metadata ?? {}, known = this.#seen.get(name);
    if (known?.version === version) {
      const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1_000;
      return known !== undefined && elapsedMs - known.sinceMs >= durationMs;
    }
    this.#seen.set(name, { version, sinceMs: elapsedMs });
    return false;
  }

  /** The server is asked for its time once for each such lease: that of this machine may be any. */
  async #endOf({ metadata }: LeaseObject, endsMs: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.#options, uid = metadata?.uid ?? "", known = this.#ends.get(uid);
    if (known !== undefined) return known;
    const elapsedMs = clock.elapsed(), end = elapsedMs + endsMs - await this.#serverTimeMs(signal);
    this.#ends.set(uid, end);
    return end;
  }

  /**
   * What the server would write down as the creation of a lease now, to the second; this machine's time for who may
   * create none.
   */
  async #serverTimeMs(signal: AbortSignal): Promise<number> {
    const { client, clock, namespace } = this.#options;
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace, generateName: "time-" },
    };
    try {
      const { metadata } = await client.create<LeaseObject>(LEASES, lease, { dryRun: true, signal });
      return Date.parse(metadata?.creationTimestamp ?? "");
    } catch (error) {
      if (error instanceof ForbiddenError) return clock.now();
      throw error;
    }
  }

  /** Whether a lease is gone for sure. */
  async #bury({ metadata, spec }: LeaseObject, signal: AbortSignal): Promise<boolean> {
    const { client, namespace, logger } = this.#options, { name = "", uid, resourceVersion } = metadata ?? {};
    try {
      await client.delete(LEASES, { namespace, name }, { uid, resourceVersion, signal });
      this.#removed.add(spec?.holderIdentity ?? "");
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
