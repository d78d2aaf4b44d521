import { type Clock, describeError, type Logger } from "../base/mod.ts";
import { type Client, ConflictError, ForbiddenError, NotFoundError } from "../client/mod.ts";
import { type LeaseObject, LEASES } from "./lease.ts";

interface MemberListOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly labelSelector: string;
  /** When a Lease with a fixed lifetime ends, by the server's clock; undefined for one that must be renewed. */
  readonly expiresMs?: (lease: LeaseObject) => number | undefined;
}

/**
 * The members' Leases, read from the server each time. One unchanged for its duration, by this process's elapsed time,
 * is deleted at the version read: its holder is dead once the Lease is gone, never before.
 */
export class MemberList {
  readonly #options: MemberListOptions;
  readonly #seen = new Map<string, { readonly version: string | undefined; readonly sinceMs: number }>();
  /** Ends of Leases with a fixed lifetime, in elapsed time, by uid. */
  readonly #ends = new Map<string, number>();
  readonly #deleted = new Set<string>();

  constructor(options: MemberListOptions) {
    this.#options = options;
  }

  /** Holders whose Leases the last {@linkcode list} deleted: they are dead. */
  get deleted(): ReadonlySet<string> {
    return this.#deleted;
  }

  /** Deletes the expired Leases; returns the others. */
  async list(signal: AbortSignal): Promise<LeaseObject[]> {
    const { client, namespace, labelSelector } = this.#options;
    const { items } = await client.list<LeaseObject>(LEASES, { namespace, labelSelector, signal });
    const alive: LeaseObject[] = [];
    this.#deleted.clear();
    for (const lease of items) {
      if (!await this.#isExpired(lease, signal) || !await this.#deleteExpired(lease, signal)) alive.push(lease);
    }
    const existing = new Set(items.flatMap(({ metadata }) => [metadata?.name, metadata?.uid]));
    for (const known of [this.#seen, this.#ends]) {
      for (const key of known.keys()) if (!existing.has(key)) known.delete(key);
    }
    return alive;
  }

  async #isExpired(lease: LeaseObject, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options, expiresMs = this.#options.expiresMs?.(lease);
    if (expiresMs !== undefined) return clock.elapsed() >= await this.#endOf(lease, expiresMs, signal);
    const elapsedMs = clock.elapsed();
    const { name = "", resourceVersion: version } = lease.metadata ?? {}, known = this.#seen.get(name);
    if (known?.version === version) {
      const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1_000;
      return known !== undefined && elapsedMs - known.sinceMs >= durationMs;
    }
    this.#seen.set(name, { version, sinceMs: elapsedMs });
    return false;
  }

  /** Reads the server's time once per such Lease: this machine's may be wrong. */
  async #endOf({ metadata }: LeaseObject, expiresMs: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.#options, uid = metadata?.uid ?? "", known = this.#ends.get(uid);
    if (known !== undefined) return known;
    const elapsedMs = clock.elapsed(), end = elapsedMs + expiresMs - await this.#serverTimeMs(signal);
    this.#ends.set(uid, end);
    return end;
  }

  /** To the second, by creating a Lease; this machine's time if forbidden. */
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

  /** Whether the Lease is gone. */
  async #deleteExpired({ metadata, spec }: LeaseObject, signal: AbortSignal): Promise<boolean> {
    const { client, namespace, logger } = this.#options, { name = "", uid, resourceVersion } = metadata ?? {};
    try {
      await client.delete(LEASES, { namespace, name }, { uid, resourceVersion, signal });
      this.#deleted.add(spec?.holderIdentity ?? "");
      logger.info("an expired lease is deleted", { lease: name, holder: spec?.holderIdentity ?? "" });
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return true;
      // A conflict: its holder has renewed it since it was read.
      if (!(error instanceof ConflictError)) {
        logger.warn("an expired lease could not be deleted", { lease: name, error: describeError(error) });
      }
      return false;
    }
  }
}
