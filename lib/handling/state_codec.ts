import { formatJson, isObject, type JsonObject, parseJson } from "../base/mod.ts";
import { type GivenUp, HANDLED, type HandledState, type PendingChange } from "./change.ts";
import { digestsOnly, type Snapshot } from "./handled_content.ts";
import { packText, textFields, unpackText } from "./packed_text.ts";
import type { HandlerProgress } from "./progress.ts";

/** An unreadable lastHandled: the object was handled, in an unknown state. */
const UNREADABLE: Snapshot = { digest: "" };

export interface StateTexts {
  readonly handled?: string;
  readonly pending?: string;
}

/**
 * Texts that fit into annotations. They include the uid, since Deployments pass annotations on to ReplicaSets, and
 * people copy whole objects. Too large content is left out; digests of `fields` then show their changes.
 *
 * @throws {RangeError} if even that does not fit: thousands of sub-handlers.
 */
export async function encodeState(
  uid: string | undefined,
  state: HandledState,
  fields: readonly string[],
): Promise<StateTexts> {
  const { pendingChange, gaveUp } = state, texts: { handled?: string; pending?: string } = {};
  const lastHandled = state.lastHandled ?? (gaveUp ? HANDLED : undefined);
  if (lastHandled) texts.handled = await fitting(lastHandled, fields, (snapshot) => ({ uid, ...snapshot, gaveUp }));
  if (pendingChange) {
    const { kind, target } = pendingChange;
    const progress = Object.fromEntries(
      Object.entries(pendingChange.progress).map(([id, each]) => [id, encoded(each)]),
    );
    texts.pending = await fitting(target, fields, (snapshot) => ({ uid, kind, target: snapshot, progress }));
  }
  return texts;
}

/**
 * Empty if the texts are another object's. Damaged ones count as handled in an unknown state, so nothing is created
 * twice.
 */
export async function decodeState(uid: string | undefined, texts: StateTexts): Promise<HandledState> {
  const state: { lastHandled?: Snapshot; pendingChange?: PendingChange; gaveUp?: Record<string, GivenUp> } = {};
  if (texts.handled !== undefined) {
    const record = await read(texts.handled);
    if (!isObject(record) || record.uid === uid) {
      state.lastHandled = decodeSnapshot(record) ?? UNREADABLE;
      const gaveUp = isObject(record) ? decodeGivenUp(record.gaveUp) : undefined;
      if (gaveUp) state.gaveUp = gaveUp;
    }
  }
  if (texts.pending !== undefined) {
    const record = await read(texts.pending);
    const pendingChange = isObject(record) && record.uid === uid ? decodePendingChange(record) : undefined;
    if (pendingChange) state.pendingChange = pendingChange;
  }
  return state;
}

async function fitting(
  snapshot: Snapshot,
  fields: readonly string[],
  record: (snapshot: Snapshot) => object,
): Promise<string> {
  const whole = await packText(formatJson(record(snapshot)));
  if (whole !== undefined) return whole;
  const digests = await packText(formatJson(record(digestsOnly(snapshot, fields))));
  if (digests === undefined) throw new RangeError("the progress of the handlers is larger than an annotation may be");
  return digests;
}

async function read(text: string): Promise<unknown> {
  const unpacked = await unpackText(text);
  if (unpacked === undefined) return undefined;
  try {
    return parseJson(unpacked);
  } catch {
    return undefined;
  }
}

function decodeSnapshot(value: unknown): Snapshot | undefined {
  if (!isObject(value) || typeof value.digest !== "string") return undefined;
  return {
    digest: value.digest,
    ...(isObject(value.content) ? { content: value.content as JsonObject } : {}),
    ...(isObject(value.fields) ? { fields: textFields(value.fields) } : {}),
  };
}

function decodeGivenUp(value: unknown): Record<string, GivenUp> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).flatMap(([id, each]): [string, GivenUp][] =>
    isObject(each) && typeof each.reason === "string" && typeof each.message === "string"
      ? [[id, { reason: each.reason, message: each.message }]]
      : []
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function decodePendingChange(value: unknown): PendingChange | undefined {
  if (!isObject(value)) return undefined;
  const { kind } = value, target = decodeSnapshot(value.target);
  if (kind !== "create" && kind !== "update" && kind !== "delete") return undefined;
  if (!target || !isObject(value.progress)) return undefined;
  const progress: Record<string, HandlerProgress> = {};
  for (const [id, each] of Object.entries(value.progress)) {
    const decoded = decodeProgress(each);
    if (decoded) progress[id] = decoded;
  }
  return { kind, target, progress };
}

function encoded(progress: HandlerProgress): JsonObject {
  const { startedMs, delayedMs, retries, outcome, reason, message } = progress;
  return {
    started: new Date(startedMs).toISOString(),
    retries,
    delayed: delayedMs === undefined ? undefined : new Date(delayedMs).toISOString(),
    outcome,
    reason,
    message,
  };
}

function decodeProgress(value: unknown): HandlerProgress | undefined {
  if (!isObject(value)) return undefined;
  const { retries, outcome, reason, message } = value;
  const startedMs = milliseconds(value.started), delayedMs = milliseconds(value.delayed);
  if (startedMs === undefined || typeof retries !== "number" || !Number.isInteger(retries)) return undefined;
  return {
    startedMs,
    retries,
    ...(delayedMs === undefined ? {} : { delayedMs }),
    ...(outcome === "succeeded" || outcome === "failed" || outcome === "exhausted" ? { outcome } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof message === "string" ? { message } : {}),
  };
}

function milliseconds(time: unknown): number | undefined {
  if (typeof time !== "string") return undefined;
  const ms = Date.parse(time);
  return Number.isFinite(ms) ? ms : undefined;
}
