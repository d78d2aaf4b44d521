import { isObject, jsonEqual, type JsonValue } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import type { FieldKeys, FieldPath } from "./field_path.ts";

/** Matches any value, null included. */
export const PRESENT: unique symbol = Symbol("present");
/** Matches a missing value. */
export const ABSENT: unique symbol = Symbol("absent");

/** The required value: exactly this, present, absent, or accepted by a pure function. */
export type ValueFilter<V = JsonValue> = V | typeof PRESENT | typeof ABSENT | ((value: V | undefined) => boolean);

export interface FilterFacts<T extends KubeObject> {
  readonly object: T;
}

/** Whether a handler matches an object. Pure, and called often. */
export type Predicate<T extends KubeObject> = (facts: FilterFacts<T>) => boolean;

/** Objects that a handler matches; all given parts must hold. */
export interface ObjectFilter<T extends KubeObject = KubeObject> {
  readonly labels?: Readonly<Record<string, ValueFilter<string>>>;
  readonly annotations?: Readonly<Record<string, ValueFilter<string>>>;
  /** As `spec.size` or, if a key contains a dot, `["metadata", "labels", "a.b/c"]`. */
  readonly field?: FieldPath<T> | FieldKeys<T>;
  /** The field's required value; {@linkcode PRESENT} by default. */
  readonly value?: ValueFilter;
  /** Anything else. */
  readonly when?: Predicate<T>;
}

/** Holds if every predicate does; of none, always. */
export function allOf<T extends KubeObject>(...predicates: readonly Predicate<T>[]): Predicate<T> {
  return (facts) => predicates.every((predicate) => predicate(facts));
}

/** Holds if at least one predicate does; of none, never. */
export function anyOf<T extends KubeObject>(...predicates: readonly Predicate<T>[]): Predicate<T> {
  return (facts) => predicates.some((predicate) => predicate(facts));
}

/** Holds if the predicate does not. */
export function not<T extends KubeObject>(predicate: Predicate<T>): Predicate<T> {
  return (facts) => !predicate(facts);
}

/** Holds if no predicate does; of none, always. */
export function noneOf<T extends KubeObject>(...predicates: readonly Predicate<T>[]): Predicate<T> {
  return not(anyOf(...predicates));
}

/** @throws {RangeError} for an empty key. */
export function fieldPath(field: string | readonly string[]): readonly string[] {
  const path = typeof field === "string" ? field.split(".") : field;
  if (path.length === 0 || path.some((key) => key === "")) throw new RangeError(`"${field}" is not a path of a field`);
  return path;
}

/** The value at a path of own keys; undefined if the path ends before. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

export function matchesValue<V>(filter: ValueFilter<V>, value: V | undefined): boolean {
  if (filter === PRESENT) return value !== undefined;
  if (filter === ABSENT) return value === undefined;
  if (typeof filter === "function") return (filter as (value: V | undefined) => boolean)(value);
  return value !== undefined && jsonEqual(filter, value);
}

/** `fieldSettled` skips field and value: a change handler checks both ends itself. */
export function matchesFilter<T extends KubeObject>(
  filter: ObjectFilter<T>,
  object: T,
  { fieldSettled = false }: { fieldSettled?: boolean } = {},
): boolean {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  return matchesAll(filter.labels, labels) && matchesAll(filter.annotations, annotations) &&
    (fieldSettled || filter.field === undefined ||
      matchesValue(filter.value === undefined ? PRESENT : filter.value, valueAt(object, fieldPath(filter.field)))) &&
    (filter.when?.({ object }) ?? true);
}

function matchesAll(
  filters: Readonly<Record<string, ValueFilter<string>>> | undefined,
  values: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(filters ?? {}).every(([key, filter]) =>
    matchesValue(filter, Object.hasOwn(values, key) ? values[key] : undefined)
  );
}
