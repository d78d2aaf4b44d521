import { jsonEqual, ownValue } from "../base/mod.ts";
import { diff, type DiffItem } from "../apimachinery/mod.ts";
import { digestOf, type HandledContent, type Snapshot } from "./handled_content.ts";
import { valueAt } from "./filter.ts";
import type { HandlerFailure } from "./outcome.ts";
import { gaveUp, type HandlerProgress } from "./progress.ts";

/** What happened to an object, in Kopf's words. */
export type ChangeKind =
  /** It was never handled before. */
  | "create"
  /** Its content is another than the one that was handled. */
  | "update"
  /** It was handled by a process before this one, and this one sees it for the first time. */
  | "resume"
  /** It is being deleted. */
  | "delete";

/** A change that handlers work on, until each is done with it. What comes in the meantime is another change. */
export interface PendingChange {
  /** What happened. */
  readonly kind: Exclude<ChangeKind, "resume">;
  /** The object as the change left it: what `next` shows, and the base of the next change. */
  readonly target: Snapshot;
  /** By handler id. */
  readonly progress: Readonly<Record<string, HandlerProgress>>;
}

/** What is remembered of an object's handling. */
export interface HandledState {
  /** The object as it was last handled to the end; absent where it never was. */
  readonly base?: Snapshot;
  /** Absent where nothing is left to do. */
  readonly underway?: PendingChange;
  /**
   * Handlers that gave up on the last change that had handlers, by id: the object is not as they should have made it.
   */
  readonly gaveUp?: Readonly<Record<string, { readonly reason: string; readonly message: string }>>;
}

/** Why a handler gave up. */
export interface GivenUp {
  /** CamelCase, for programs. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
}

/** One change, as handlers see it. */
export interface Change {
  readonly kind: ChangeKind;
  readonly old: HandledContent | undefined;
  readonly next: HandledContent | undefined;
  readonly diff: readonly DiffItem[];
}

/**
 * The base of a handled object without its content: only handlers of updates and fields need that.
 */
export const HANDLED: Snapshot = { digest: "handled" };

/**
 * The base of a handled object that has changed since, in an unknown way: its next change has no `old`.
 */
export const HANDLED_BEFORE: Snapshot = { digest: "handled before" };

/** What to do about an object now. */
export interface ChangePlan {
  /** The base to remember from now on, where no handler needs to be called for that. */
  readonly adopted?: Snapshot;
  /** The change that is under way, or begins; absent where there is none. */
  readonly underway?: PendingChange;
  /** Whether the handlers of `resume` are due beside it. */
  readonly resumes: boolean;
}

/**
 * Detects what is to be handled. Pure: the same memory and the same object give the same answer, whichever events led
 * there. A change under way goes first and keeps its target, so that no handler misses what another one saw; `resumed`
 * is true once this process has run the object's `resume` handlers.
 */
export function planChange(
  state: HandledState,
  now: { readonly snapshot: Snapshot; readonly deleting: boolean; readonly resumed: boolean },
): ChangePlan {
  const { base, underway } = state, { snapshot, deleting } = now;
  const resumes = base !== undefined && !now.resumed;
  if (deleting) {
    // Other pending changes no longer matter. A handler that waits for the object to change is called again
    // once it did.
    const begun = underway?.kind === "delete" ? underway : undefined, same = begun?.target.digest === snapshot.digest;
    const progress = Object.entries(begun?.progress ?? {}).filter(([, { outcome }]) => same || outcome !== "failed");
    const target = { digest: snapshot.digest };
    return { underway: { kind: "delete", target, progress: Object.fromEntries(progress) }, resumes };
  }
  if (underway && underway.kind !== "delete") return { underway, resumes };
  if (!base) return { underway: { kind: "create", target: snapshot, progress: {} }, resumes: false };
  if (base.digest === snapshot.digest) return { resumes };
  // An operator that did not need the former state needs it now. It is unknown; the present state counts as handled.
  if (base.digest === HANDLED.digest) return { adopted: snapshot, resumes };
  if (snapshot.digest === HANDLED.digest) return { resumes };
  return { underway: { kind: "update", target: snapshot, progress: {} }, resumes };
}

/**
 * The change between what was handled and its target. Without the contents, which may have been too large, the diff is
 * empty.
 */
export function changeOf(base: Snapshot | undefined, { kind, target }: PendingChange): Change {
  const old = kind === "create" ? undefined : base?.content, next = target.content;
  const known = next !== undefined && (kind === "create" || old !== undefined);
  return { kind, old, next, diff: known && kind !== "delete" ? diff(old ?? {}, next) : [] };
}

/** A field at both ends of a change. The values are undefined where they were too large to be kept. */
export interface FieldChange {
  readonly changed: boolean;
  readonly old: unknown;
  readonly next: unknown;
}

/** How a change affects one field. Digests show that it changed where the value itself was not kept. */
export function fieldChangeOf(
  base: Snapshot | undefined,
  underway: PendingChange,
  path: readonly string[],
): FieldChange {
  const before = underway.kind === "create" ? undefined : base;
  const old = valueAt(before?.content, path), next = valueAt(underway.target.content, path);
  if (underway.kind === "create" || (before?.content && underway.target.content)) {
    return { changed: !jsonEqual(old, next), old, next };
  }
  const name = path.join(".");
  const digest = (snapshot: Snapshot | undefined) =>
    snapshot?.content
      ? digestOf(valueAt(snapshot.content, path))
      : ownValue(snapshot?.fields ?? {}, name) as string | undefined;
  const was = digest(before), is = digest(underway.target);
  // A field of unknown former value may have changed: a handler is rather called once too often than never.
  return { changed: was === undefined || is === undefined || was !== is, old, next };
}

/** The state to store once a change is handled. */
export function settled({ target }: PendingChange, gaveUp: HandledState["gaveUp"]): HandledState {
  return { base: target, ...(gaveUp ? { gaveUp } : {}) };
}

/** Which of a change's handlers gave up; undefined where none did. */
export function givenUpOf(
  handlers: readonly { readonly id: string }[],
  progress: Readonly<Record<string, HandlerProgress>>,
): Record<string, GivenUp> | undefined {
  const entries = handlers.filter(({ id }) => gaveUp(progress[id])).map(({ id }) => {
    const { reason = "Error", message = "" } = progress[id]!;
    return [id, { reason, message: handlers.length > 1 ? `${id}: ${message}` : message }] as const;
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** The handlers that gave up on the last change that had handlers. */
export function givenUp(state: HandledState): HandlerFailure[] {
  return Object.entries(state.gaveUp ?? {}).map(([handler, { reason, message }]) => ({
    handler,
    reason,
    message,
    gaveUp: true,
  }));
}
