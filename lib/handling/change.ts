import { jsonEqual, ownValue } from "../base/mod.ts";
import { diff, type DiffItem } from "../apimachinery/mod.ts";
import { digestOf, type HandledContent, type Snapshot } from "./handled_content.ts";
import { valueAt } from "./filter.ts";
import type { HandlerFailure } from "./outcome.ts";
import { gaveUp, type HandlerProgress } from "./progress.ts";

/** In Kopf's words. */
export type ChangeKind =
  /** Never handled before. */
  | "create"
  /** Its content differs from the handled one. */
  | "update"
  /** An earlier process handled it; this one sees it for the first time. */
  | "resume"
  | "delete";

/** Handlers work on it until each is done. Later edits are another change. */
export interface PendingChange {
  readonly kind: Exclude<ChangeKind, "resume">;
  /** After the change: what `next` shows, and the base of the next change. */
  readonly target: Snapshot;
  /** By handler id. */
  readonly progress: Readonly<Record<string, HandlerProgress>>;
}

export interface HandledState {
  /** The last completely handled object, if any. */
  readonly lastHandled?: Snapshot;
  /** Absent if nothing is left to do. */
  readonly pendingChange?: PendingChange;
  /** By id, handlers that gave up on the last change with handlers: the object is not as they should have made it. */
  readonly gaveUp?: Readonly<Record<string, { readonly reason: string; readonly message: string }>>;
}

export interface GivenUp {
  /** CamelCase, for programs. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
}

export interface Change {
  readonly kind: ChangeKind;
  readonly old: HandledContent | undefined;
  readonly next: HandledContent | undefined;
  readonly diff: readonly DiffItem[];
}

/** The base of a handled object without its content, which only update and field handlers need. */
export const HANDLED: Snapshot = { digest: "handled" };

/** The base of a handled object that has since changed in an unknown way: its next change has no `old`. */
export const HANDLED_BEFORE: Snapshot = { digest: "handled before" };

export interface ChangePlan {
  /** The base to remember if no handler must be called for it. */
  readonly adopted?: Snapshot;
  /** The change under way or beginning, if any. */
  readonly pendingChange?: PendingChange;
  /** Whether `resume` handlers are due too. */
  readonly resumes: boolean;
}

/**
 * Detects what to handle. Pure: the same memory and object give the same answer, whatever events came. A change under
 * way goes first and keeps its target, so all handlers see the same. `resumed` is true once this process ran the
 * `resume` handlers.
 */
export function planChange(
  state: HandledState,
  now: { readonly snapshot: Snapshot; readonly deleting: boolean; readonly resumed: boolean },
): ChangePlan {
  const { lastHandled, pendingChange } = state, { snapshot, deleting } = now;
  const resumes = lastHandled !== undefined && !now.resumed;
  if (deleting) {
    // Other pending changes no longer matter. A handler that waits for the object to change is called again once it
    // did.
    const begun = pendingChange?.kind === "delete" ? pendingChange : undefined,
      same = begun?.target.digest === snapshot.digest;
    const progress = Object.entries(begun?.progress ?? {}).filter(([, { outcome }]) => same || outcome !== "failed");
    const target = { digest: snapshot.digest };
    return { pendingChange: { kind: "delete", target, progress: Object.fromEntries(progress) }, resumes };
  }
  if (pendingChange && pendingChange.kind !== "delete") return { pendingChange, resumes };
  if (!lastHandled) return { pendingChange: { kind: "create", target: snapshot, progress: {} }, resumes: false };
  if (lastHandled.digest === snapshot.digest) return { resumes };
  // The operator newly needs the former state, which is unknown; the present one counts as handled.
  if (lastHandled.digest === HANDLED.digest) return { adopted: snapshot, resumes };
  if (snapshot.digest === HANDLED.digest) return { resumes };
  return { pendingChange: { kind: "update", target: snapshot, progress: {} }, resumes };
}

/** From the handled state to the target. The diff is empty if contents were too large to keep. */
export function changeOf(lastHandled: Snapshot | undefined, { kind, target }: PendingChange): Change {
  const old = kind === "create" ? undefined : lastHandled?.content, next = target.content;
  const known = next !== undefined && (kind === "create" || old !== undefined);
  return { kind, old, next, diff: known && kind !== "delete" ? diff(old ?? {}, next) : [] };
}

/** A field at both ends of a change; undefined values were too large to keep. */
export interface FieldChange {
  readonly changed: boolean;
  readonly old: unknown;
  readonly next: unknown;
}

/** Digests show a field's change if its value was not kept. */
export function fieldChangeOf(
  lastHandled: Snapshot | undefined,
  pendingChange: PendingChange,
  path: readonly string[],
): FieldChange {
  const before = pendingChange.kind === "create" ? undefined : lastHandled;
  const old = valueAt(before?.content, path), next = valueAt(pendingChange.target.content, path);
  if (pendingChange.kind === "create" || (before?.content && pendingChange.target.content)) {
    return { changed: !jsonEqual(old, next), old, next };
  }
  const name = path.join(".");
  const digest = (snapshot: Snapshot | undefined) =>
    snapshot?.content
      ? digestOf(valueAt(snapshot.content, path))
      : ownValue(snapshot?.fields ?? {}, name) as string | undefined;
  const was = digest(before), is = digest(pendingChange.target);
  // A field of unknown former value may have changed: one call too many is better than none.
  return { changed: was === undefined || is === undefined || was !== is, old, next };
}

/** The state to store after a handled change. */
export function settled({ target }: PendingChange, gaveUp: HandledState["gaveUp"]): HandledState {
  return { lastHandled: target, ...(gaveUp ? { gaveUp } : {}) };
}

/** The handlers of a change that gave up; undefined if none did. */
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

/** The handlers that gave up on the last change with handlers. */
export function givenUp(state: HandledState): HandlerFailure[] {
  return Object.entries(state.gaveUp ?? {}).map(([handler, { reason, message }]) => ({
    handler,
    reason,
    message,
    gaveUp: true,
  }));
}
