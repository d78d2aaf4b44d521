import { describeError, type Logger } from "../base/mod.ts";
import { formatApiVersion, formatKey, keyOf, type KubeObject, type ResourceKind } from "../apimachinery/mod.ts";
import { ApiError, type Client, ConflictError, InvalidError, NotFoundError, type WriteRecord } from "../client/mod.ts";
import type { ChangeHandlers } from "./change_handlers.ts";
import { STATUS_REFUSED } from "./conditions.ts";
import type { ControllerDeclaration } from "./declaration.ts";
import { annotate, annotated } from "./finalizer.ts";
import { statusOf } from "./managed_fields.ts";
import type { ChangesHandled, Unsaved } from "./report.ts";
import type { StatusDraft } from "./status_draft.ts";

/** Fresh reads of a concurrently written object before its status waits for the next pass. */
const STATUS_ATTEMPTS_MAX = 4;

/** An object after a write, and whether another writer's change lies before it. */
export interface Written<T> {
  readonly object: T;
  readonly foreign: boolean;
}

interface CommitParts<T extends KubeObject, Spec, Status extends object> {
  readonly host: {
    readonly declaration: ControllerDeclaration<T, Spec, Status>;
    readonly changes?: ChangeHandlers<T, Spec, Status>;
  };
  readonly client: Client;
  readonly writes: readonly WriteRecord[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly deleting: boolean;
  /** A draft that begins with the status of `object`. */
  draft(object: T): StatusDraft<Status>;
}

interface Refused<T extends KubeObject, Status extends object> {
  readonly status: Unsaved["status"];
  readonly ran: boolean;
  readonly changes: ChangesHandled | undefined;
  /** Whether the last pass could not write this status either. */
  readonly again: boolean;
  /** Whether the answer to our write shows no other writer's change. */
  isOwn(before: T, after: T, status: unknown): boolean;
}

/** Writes a pass's results: the status once, and a record of the handled changes. */
export class Commit<T extends KubeObject, Spec, Status extends object> {
  readonly #parts: CommitParts<T, Spec, Status>;

  constructor(parts: CommitParts<T, Spec, Status>) {
    this.#parts = parts;
  }

  /**
   * Keeps the unwritten status for the next pass, and records success if possible. `after` is the object then, if
   * certainly only this pass wrote to it.
   */
  async keepSuccess(object: T, error: unknown, refused: Refused<T, Status>): Promise<{ unsaved: Unsaved; after?: T }> {
    const { status, ran, changes } = refused;
    const unsaved: { -readonly [Part in keyof Unsaved]: Unsaved[Part] } = { status, ran };
    if (changes) unsaved.state = changes.state;
    // A failing server or a race is over soon; until then a crash calls the handlers again and loses no status.
    const refusal = isRefusal(error), internal = error instanceof ApiError && error.code === 500;
    if (!refusal && !internal) return { unsaved, after: object };
    let after: T | undefined = object, latest = object;
    try {
      // An API server whose schema lacks a field of a status answers 500; it takes a smaller status.
      // One 500 says nothing yet: the server may be in trouble.
      if (error instanceof InvalidError || (internal && refused.again)) {
        after = await this.#reportRefusal(object, error, refused);
        latest = after ?? object;
        if (after) unsaved.refusal = describeError(error);
      }
      if (!changes || !refusal) return { unsaved, after };
      const edit = await this.#parts.host.changes!.editWithoutStatus(object, changes.state) ?? changes.edit;
      if (!edit.annotations) return { unsaved, after };
      const recorded = await this.record(latest, { ...changes, edit });
      const own = recorded && !recorded.foreign &&
        refused.isOwn(annotated(latest, edit.annotations), recorded.object, statusOf(latest));
      return { unsaved, after: after && own ? recorded.object : undefined };
    } catch (other) {
      if (this.#parts.signal.aborted) throw other;
      this.#parts.log.debug("the handled state could not be saved either", { error: describeError(other) });
      return { unsaved, after };
    }
  }

  /**
   * The server will refuse it again, so the status reports why. Undefined if another writer changed the object first.
   */
  async #reportRefusal(object: T, error: unknown, { isOwn }: Refused<T, Status>): Promise<T | undefined> {
    const plain = this.#parts.draft(object);
    plain.condition({
      type: "Ready",
      status: false,
      reason: STATUS_REFUSED,
      message: `${describeError(error)}; ${adviceFor(error, this.#parts.host.declaration.kind)}`,
    });
    if (!plain.changed) return object;
    const written = await this.status(object, plain);
    return written && !written.foreign && isOwn(object, written.object, plain.current) ? written.object : undefined;
  }

  /** Applies the status despite concurrent writers; undefined if the object is gone. */
  async status(object: T, draft: StatusDraft<Status>): Promise<Written<T> | undefined> {
    const { kind } = this.#parts.host.declaration;
    const { name, namespace, uid } = object.metadata!;
    let resourceVersion = this.#latestVersion(object), edited = draft;
    for (let attempt = 1;; attempt++) {
      // A server ignores the uid in status writes of custom resources. Only the version protects a successor of the
      // same name.
      const metadata = { name, uid, resourceVersion, ...(namespace ? { namespace } : {}) };
      const body = { apiVersion: formatApiVersion(kind), kind: kind.kind, metadata, status: edited.own };
      let failure: unknown;
      try {
        const written = await this.#parts.client.apply(kind, body as unknown as T, { subresource: "status" });
        return { object: written, foreign: attempt > 1 };
      } catch (error) {
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
        failure = error;
      }
      const fresh = await this.#parts.client.find<T>(kind, keyOf(object));
      if (!fresh || fresh.metadata?.uid !== uid) {
        // A successor brings its own pass.
        this.#parts.log.debug("the object was deleted during the reconcile; its status is not written");
        return undefined;
      }
      // The object exists: the installed definition has no status subresource.
      if (failure instanceof NotFoundError || attempt >= STATUS_ATTEMPTS_MAX) throw failure;
      resourceVersion = fresh.metadata?.resourceVersion;
      // Only the edits: a former process may have set other fields, which this pass did not see.
      edited = this.#parts.draft(fresh);
      draft.repeatOn(edited);
      if (!edited.changed) return { object: fresh, foreign: true };
    }
  }

  /** Records the handled changes; undefined if the object is gone. */
  async record(object: T, { edit, state }: ChangesHandled): Promise<Written<T> | undefined> {
    const { declaration: { kind }, changes } = this.#parts.host;
    if (!edit.annotations) return { object, foreign: false };
    try {
      return await annotate(this.#parts.client, kind, object, edit.annotations);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      this.#parts.log.warn("the handled content is too large for annotations; only its digests are stored", {
        error: describeError(error),
      });
    }
    const minimal = await changes!.minimalEdit(object, state);
    try {
      return minimal.annotations
        ? await annotate(this.#parts.client, kind, object, minimal.annotations)
        : { object, foreign: false };
    } catch (error) {
      // Our records must not hold up a deletion.
      if (this.#parts.deleting && error instanceof InvalidError) return { object, foreign: false };
      throw error;
    }
  }

  /** The object's version after this pass's handlers wrote to it. */
  #latestVersion(object: T): string | undefined {
    const { kind } = this.#parts.host.declaration, key = formatKey(keyOf(object));
    const own = this.#parts.writes.filter(({ resource, key: written }) =>
      resource.group === kind.group && resource.plural === kind.plural && formatKey(written) === key
    );
    // A handler that recreated the object has written to the successor since.
    const remade = own.some(({ verb }) => verb === "create" || verb === "delete");
    return (remade ? undefined : own.at(-1)?.resourceVersion) ?? object.metadata?.resourceVersion;
  }
}

/** Failures that waiting does not heal: a missing rule or subresource, a schema that refuses the value. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.code >= 400 && error.code < 500 && error.code !== 409 && error.code !== 429;
}

/** An invalid value is usually the handler's mistake, an undeclared field an older CRD. */
function adviceFor(error: unknown, { group, servedStatus }: ResourceKind): string {
  const update = servedStatus ? `update that CRD, which belongs to the owner of ${group}` : undefined;
  if (error instanceof InvalidError) {
    return `correct what the handler sets, or ${update ?? "bring an older CRD up to date with `install`"}`;
  }
  return `the CRD may be older than the program: ${update ?? "bring it up to date with `install`"}`;
}
