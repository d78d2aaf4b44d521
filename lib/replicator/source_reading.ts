import { type ObjectKey, TemporaryError } from "../mod.ts";
import { claimOf, replicationText } from "./claim.ts";
import { type Context, KINDS, recordOf } from "./copied_kinds.ts";
import type { SourceFacts, SourceObject } from "./source.ts";
import { OccupantReader } from "./takeover.ts";

/** Never copied: each is a credential of one ServiceAccount. */
const SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token";

/** Reads the source at most once in a pass. */
export class SourceReading {
  readonly #context: Context;
  readonly #key: ObjectKey;
  #reading: Promise<SourceObject | undefined> | undefined;
  #refusing: Promise<SourceFacts["refused"]> | undefined;

  constructor(context: Context, key: ObjectKey) {
    this.#context = context;
    this.#key = key;
  }

  find(): Promise<SourceObject | undefined> {
    return this.#reading ??= this.#context.client.find<SourceObject>(KINDS[this.#context.spec.source.kind], this.#key);
  }

  /** Why it can be no source, with what to do; undefined if it can, or is gone. */
  refusal(): Promise<SourceFacts["refused"]> {
    return this.#refusing ??= this.find().then((source) => source && sourceRefusal(this.#context, source));
  }

  /** The source. @throws {TemporaryError} if it is gone, or was replaced by what can be no source. */
  async get(): Promise<SourceObject> {
    const source = await this.find(), refused = await this.refusal();
    if (!source) throw new TemporaryError("the source was just deleted", { delay: 100, reason: "SourceNotFound" });
    if (refused) throw new TemporaryError(`the source ${refused.message}`, { delay: 100, reason: refused.reason });
    return source;
  }
}

async function sourceRefusal({ client }: Context, source: SourceObject): Promise<SourceFacts["refused"]> {
  if (source.type === SERVICE_ACCOUNT_TOKEN) {
    const message = "is a service account token, which is never copied; grant access by a RoleBinding instead";
    return { reason: "ServiceAccountToken", message };
  }
  const claim = claimOf(recordOf(source));
  if (!claim || !(await new OccupantReader(client).exists(claim))) return undefined;
  const message = `is a copy of Replication ${
    replicationText(claim)
  }; name the original, or add targets to that Replication`;
  return { reason: "SourceIsCopy", message };
}
