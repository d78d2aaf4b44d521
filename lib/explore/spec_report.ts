import { isObject, jsonEqual } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { LogEntry } from "../harness/mod.ts";

/** What operators write where they refuse a spec, or wait for something. */
const TROUBLE =
  /fail|error|invalid|reject|refus|degrad|denied|unsupported|not ?(?:found|allowed|supported)|missing|pending|waiting|blocked|suspend|paused/i;
/** What operators write where they take a spec for a new object, and not as a change. */
const ONE_WAY =
  /immutab|irreversibl|downgrad|shrink|(?:not|never|cannot|can't) (?:be )?(?:support|allow|possibl|chang|reduc|decreas|lower|revert)|unsupported|NotSupported|NotAllowed/i;
/** Types of conditions that are good news where they are False. */
const NEGATIVE =
  /fail|error|degraded|stalled|invalid|blocked|pressure|conflict|suspended|paused|progressing|reconciling/i;
/** How V8 words what only wrong code causes. What input causes, such as `Invalid URL`, is not among them. */
const FAULT =
  /Cannot (?:read|set) propert(?:y|ies) of|Cannot destructure|is not a function|is not iterable|is not a constructor|Cannot convert undefined or null|Cannot access '[^']*' before initialization|^\w+ is not defined|Maximum call stack size exceeded|Cannot use 'in' operator|Cannot mix BigInt|Reduce of empty array|Invalid array length|Assignment to constant|read only property|not extensible/;
const PROGRAMMING = /^(?:Type|Reference|Range|Invariant)Error\b/;

/** Whether the operator says, in status or an Event, that it did not do what this spec asks for. */
export function reportsTrouble(object: DynamicObject | undefined, first: DynamicObject | undefined): boolean {
  const { conditions, ...status } = statusOf(object), { conditions: former, ...before } = statusOf(first);
  const isNew = (condition: unknown) =>
    !conditionsOf(former).some((each) => jsonEqual(stateOf(each), stateOf(condition)));
  if (conditionsOf(conditions).some((each) => isNew(each) && isTrouble(each))) return true;
  const known = new Set(textsOf(before));
  return textsOf(status).some((text) => TROUBLE.test(text) && !known.has(text));
}

/** Whether the operator says that this spec is none for an object that had another one. */
export function refusesChange(object: DynamicObject, warnings: readonly string[]): boolean {
  const { conditions, ...status } = statusOf(object);
  const texts = conditionsOf(conditions).filter(isTrouble).flatMap((
    { reason, message },
  ) => [`${reason}`, `${message}`]);
  return [...texts, ...textsOf(status), ...warnings].some((text) => ONE_WAY.test(text));
}

/** Whether the engine has slowed the operator down, as it writes again and again. */
export function isHotLoop(object: DynamicObject | undefined): boolean {
  return conditionsOf(statusOf(object).conditions).some(({ reason }) => reason === "HotLoop");
}

/** Events of type Warning about the object that came between two states. */
export function warningsBetween(
  { kind, metadata }: DynamicObject,
  { first, later }: { readonly first: StorageSnapshot; readonly later: StorageSnapshot },
): string[] {
  const warnings: string[] = [];
  for (const resource of ["events.events.k8s.io", "events"]) {
    for (const [key, stored] of later.tables.get(resource) ?? []) {
      if (first.tables.get(resource)?.get(key) === stored) continue;
      const { type, regarding, involvedObject, reason, note, message } = stored.object as unknown as Record<
        string,
        unknown
      >;
      const about = (regarding ?? involvedObject) as { kind?: string; name?: string } | undefined;
      if (type !== "Warning" || about?.kind !== kind || about?.name !== metadata?.name) continue;
      warnings.push(`${reason} ${note ?? message ?? ""}`);
    }
  }
  return warnings;
}

/** Errors of handlers that only a fault in code causes, each once. */
export function programmingFaults(logs: readonly LogEntry[]): string[] {
  const found = logs.filter(({ level }) => level === "warn" || level === "error").flatMap(({ fields }) => {
    const { error, stack } = fields;
    const isFault = typeof error === "string" && FAULT.test(error) &&
      (typeof stack !== "string" || PROGRAMMING.test(stack));
    return isFault ? [error] : [];
  });
  return [...new Set(found)];
}

function isTrouble(condition: Record<string, unknown>): boolean {
  const { type, status } = condition, isNegative = NEGATIVE.test(String(type));
  return status === "Unknown" || status === (isNegative ? "True" : "False");
}

function stateOf(condition: unknown): unknown {
  const { type, status, reason } = condition as Record<string, unknown>;
  return { type, status, reason };
}

function conditionsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function statusOf(object: DynamicObject | undefined): Record<string, unknown> {
  return isObject(object?.status) ? object.status : {};
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isObject(value) ? Object.values(value).flatMap(textsOf) : [];
}
