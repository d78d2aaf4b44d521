import { ForbiddenError, type KubeObject, TemporaryError } from "../mod.ts";
import type { ObjectKey } from "../mod.ts";
import type { Client } from "../client.ts";
import { claimOf, isCopyOf, leftBehindBy, type ReplicationIdentity, replicationText } from "./claim.ts";
import type { CopyRecord } from "./copy_record.ts";
import { Replication, type ReplicationObject } from "./replication.ts";

/** The API server requires it of every service account token. */
const SERVICE_ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name";

/** The Replication may not take the object in a copy's place. */
export class OccupiedError extends TemporaryError {
  override readonly name = "OccupiedError";

  constructor(message: string) {
    super(message, { reason: "Conflict" });
  }
}

export interface Occupant {
  readonly record: CopyRecord;
  /** Such as `Secret team-a/token`, for messages. */
  readonly title: string;
  /** The existing Replication that it is a copy of, if any. */
  readonly claimedBy: ReplicationIdentity | undefined;
  /** The Replication whose source it is, as `namespace/name`. */
  readonly sourceOf: string | undefined;
}

export interface Claimant {
  readonly replication: ReplicationIdentity;
  readonly conflictPolicy: "Fail" | "Adopt";
  /** Whether the administrator trusts its namespace. */
  readonly trusted: boolean;
}

/**
 * Why a Replication may not take an object, if so. It takes back its own copies, and what it left behind unchanged. It
 * takes others only by `conflictPolicy: Adopt`, and never what is in use. Pure.
 */
export function refusal({ record, title, claimedBy, sourceOf }: Occupant, claimant: Claimant): string | undefined {
  const { replication, conflictPolicy, trusted } = claimant;
  if (isCopyOf(record, replication)) return undefined;
  if (claimedBy) return `${title} is a copy of Replication ${replicationText(claimedBy)}`;
  if (sourceOf) return `${title} is the source of Replication ${sourceOf}`;
  if (record.controller) return `${title} belongs to ${record.controller}, which controls it`;
  if (leftBehindBy(record) === replicationText(replication)) return undefined;
  const annotations = record.metadata?.annotations ?? {};
  if (Object.hasOwn(annotations, SERVICE_ACCOUNT_ANNOTATION)) return `${title} is a service account token`;
  if (conflictPolicy === "Fail") {
    return `${title} exists and is not a copy; delete it, or set conflictPolicy: Adopt`;
  }
  if (trusted) return undefined;
  return `${title} exists and is not a copy; conflictPolicy: Adopt needs ${replication.namespace} in the operator's ` +
    "PINTLE_TRUSTED_NAMESPACES";
}

/** Reads what {@linkcode refusal} needs from the server. What may not be read counts as in use. */
export class OccupantReader {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async describe(record: CopyRecord, kind: string): Promise<Occupant> {
    const { namespace = "", name = "" } = record.metadata ?? {}, claim = claimOf(record);
    return {
      record,
      title: `${kind} ${namespace}/${name}`,
      claimedBy: claim && await this.exists(claim) ? claim : undefined,
      sourceOf: await this.#sourceOf(kind, { namespace, name }),
    };
  }

  /** Whether a Replication exists, by the server: a store lags, and may hold only some namespaces. */
  async exists({ uid, ...key }: ReplicationIdentity): Promise<boolean> {
    try {
      const found = await this.#client.find<KubeObject>(Replication, key, { metadataOnly: true });
      return found?.metadata?.uid === uid;
    } catch (error) {
      if (error instanceof ForbiddenError) return true;
      throw error;
    }
  }

  async #sourceOf(kind: string, { namespace, name }: ObjectKey): Promise<string | undefined> {
    try {
      const { items } = await this.#client.list<ReplicationObject>(Replication, { namespace });
      const user = items.find(({ spec }) => spec?.source?.kind === kind && spec.source.name === name);
      return user && `${namespace}/${user.metadata?.name}`;
    } catch (error) {
      if (error instanceof ForbiddenError) return `${namespace}/? (its Replications cannot be read)`;
      throw error;
    }
  }
}
