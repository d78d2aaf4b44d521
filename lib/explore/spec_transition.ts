import { isObject, jsonEqual, setKey } from "../base/mod.ts";
import { type DynamicObject, formatKey } from "../apimachinery/mod.ts";

/** An object whose spec changes step by step, and in the end back to the first. */
export interface SpecTransition {
  readonly kind: string;
  /** Empty outside of namespaces. */
  readonly namespace: string;
  readonly name: string;
  /** JSON merge patches of the first spec, one for each step. */
  readonly steps: readonly Readonly<Record<string, unknown>>[];
}

const PREFIX = "spec:";

/** The name from which {@linkcode parseTransition} makes it again: `spec:Widget/team/a:{"size":0},{"size":3}`. */
export function formatTransition({ kind, namespace, name, steps }: SpecTransition): string {
  return `${PREFIX}${kind}/${namespace}/${name}:${steps.map((step) => JSON.stringify(step)).join(",")}`;
}

/** The transition of a name, or undefined. */
export function parseTransition(text: string): SpecTransition | undefined {
  const match = /^spec:([A-Z][A-Za-z0-9]*)\/([a-z0-9-]*)\/([a-z0-9.-]+):(\{.*\})$/s.exec(text);
  if (!match) return undefined;
  const [, kind = "", namespace = "", name = "", list] = match;
  try {
    const steps: unknown[] = JSON.parse(`[${list}]`);
    return steps.every(isObject) ? { kind, namespace, name, steps } : undefined;
  } catch {
    return undefined; // no JSON
  }
}

/** A transition in words. */
export function describeTransition({ kind, namespace, name, steps }: SpecTransition): string {
  const ways = steps.map((step) => JSON.stringify(step)).join(", then to ");
  return `the spec of ${kind} ${formatKey({ namespace, name })} changes by ${ways}, and back to the first`;
}

/** Whether the transition is of this object. */
export function isOf({ kind, namespace, name }: SpecTransition, object: DynamicObject): boolean {
  const { namespace: of = "", name: own } = object.metadata ?? {};
  return kind === object.kind && namespace === of && name === own;
}

/** The JSON merge patch that makes `wanted` of `present`; neither holds nulls. */
export function mergePatchOf(
  present: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(present)) if (!Object.hasOwn(wanted, name)) setKey(patch, name, null);
  for (const [name, value] of Object.entries(wanted)) {
    const before = Object.hasOwn(present, name) ? present[name] : undefined;
    if (jsonEqual(before, value)) continue;
    setKey(patch, name, isObject(before) && isObject(value) ? mergePatchOf(before, value) : value);
  }
  return patch;
}
