import { isObject, jsonEqual } from "../base/mod.ts";
import { controllerOf, type DynamicObject, formatKey } from "../apimachinery/mod.ts";
import { FOREIGN_ANNOTATION } from "./simulated_cluster.ts";
import type { ExploreExceptions } from "../harness/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { Trace } from "./trace.ts";

/** One object, with everything left out that two equal runs may show differently. */
export interface ObjectState {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Values by their paths, such as `spec.template.spec.containers[app].image`. */
  readonly fields: ReadonlyMap<string, unknown>;
}

/** A cluster's objects by `Kind namespace/name`, as a user would compare them. */
export type EndState = ReadonlyMap<string, ObjectState>;

/** Metadata that the server sets, and that every write changes. */
const SERVER_FIELDS = new Set([
  "resourceVersion",
  "uid",
  "creationTimestamp",
  "managedFields",
  "generation",
  "selfLink",
]);
/** Records of what happened, and of who works: no state that an operator converges to. */
const RECORDS = new Set(["Event", "Lease"]);
/** Records of the engine about what it handled, and numbers that controllers of workloads derive from generations. */
const DERIVED = /\.pintle\.dev\/(?:handled|pending)$|^status\.(?:currentRevision|updateRevision)$/;
/** Where operators count what they did, and the names of what they count when something fails. */
const COUNTED = /^status\./;
const FAILURES = /(?:attempts?|retries|failures|tries)(?:Count|Total)?$/i;
const LAST_FAILURE = /^status\.last[A-Za-z]*(?:Attempt|Error|Fail|Retry)[A-Za-z]*$/;
/** Entries of a history: a process that sees only the last of several changes rightly records only that one. */
const HISTORY = /^(status\.(?:\w+\.)*(?:history|\w*History))\[/;
const TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;

/** What `after` has beside `before`, which holds what every cluster has, and what the suite's world holds. */
export function endState(
  before: StorageSnapshot,
  after: StorageSnapshot,
  world: readonly ObjectState[] = [],
): EndState {
  const objects: DynamicObject[] = [];
  for (const [resource, table] of after.tables) {
    for (const [key, stored] of table) {
      if (before.tables.get(resource)?.get(key) !== stored) objects.push(stored.object);
    }
  }
  return stateOfObjects(objects, world);
}

/** The same of objects that a server listed. */
export function stateOfObjects(listed: readonly DynamicObject[], world: readonly ObjectState[] = []): EndState {
  const objects = listed.filter(({ kind }) => !RECORDS.has(kind ?? "")), names = new Names(objects);
  const state = new Map(objects.map((object) => [titleOf(object), stateOf(object, names)]));
  for (const entry of world) {
    const named = names.ofWorld(entry);
    let title = `${entry.kind} ${named.name}`;
    while (state.has(title)) title += "'"; // names that differ only in a uid
    state.set(title, named);
  }
  return state;
}

function titleOf({ kind = "", metadata }: DynamicObject): string {
  const { namespace, name = "" } = metadata ?? {};
  return `${kind} ${formatKey({ namespace, name })}`;
}

function stateOf(object: DynamicObject, names: Names): ObjectState {
  const { kind = "", metadata: { namespace = "", name = "", ...metadata } = {}, ...rest } = object as
    & DynamicObject
    & { readonly metadata?: { readonly generation?: number } };
  const annotations = withoutForeign(metadata.annotations);
  const kept = Object.fromEntries(
    Object.entries({ ...metadata, annotations }).filter(([field, value]) =>
      !SERVER_FIELDS.has(field) && !isEmpty(value)
    ),
  );
  const fields = new Map<string, unknown>();
  const owners = metadata.ownerReferences?.map(({ kind, name, uid }) => `${kind}/${name} ${names.describe(uid)}`);
  const { apiVersion: _apiVersion, ...content } = rest;
  const described = { ...kept, ...(owners?.length && { ownerReferences: owners }) };
  collect({ ...content, ...(!isEmpty(described) && { metadata: described }) }, "", {
    fields,
    names,
    generation: metadata.generation,
  });
  return { kind, namespace, name, fields };
}

/** Labels, annotations, finalizers and owners that are gone leave an empty field, which says the same as none. */
function isEmpty(value: unknown): boolean {
  return value === undefined || Array.isArray(value) && value.length === 0 ||
    isObject(value) && Object.keys(value).length === 0;
}

/**
 * Objects that lack what another client wrote to them as a fault. Children are left out: an operator may own all of
 * them.
 */
export function overwritten(
  { settled, trace }: { readonly settled: StorageSnapshot; readonly trace: Pick<Trace, "changedByAnother"> },
): string[] {
  const objects = [...settled.tables.values()].flatMap((table) => [...table.values()].map(({ object }) => object));
  return objects.filter((object) =>
    trace.changedByAnother.has(object.metadata?.uid ?? "") &&
    object.metadata?.annotations?.[FOREIGN_ANNOTATION] === undefined &&
    controllerOf(object) === undefined
  ).map(titleOf);
}

function withoutForeign(annotations: Readonly<Record<string, string>> = {}): unknown {
  const { [FOREIGN_ANNOTATION]: _, ...own } = annotations;
  return own;
}

interface Collected {
  readonly fields: Map<string, unknown>;
  readonly names: Names;
  readonly generation: number | undefined;
}

function collect(value: unknown, path: string, into: Collected): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    if (value.length === 0) into.fields.set(path, "[]");
    for (const [index, item] of value.entries()) collect(item, `${path}[${keyOfItem(item) ?? index}]`, into);
  } else if (isObject(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.length === 0 && path !== "") into.fields.set(path, "{}");
    for (const [name, item] of entries) collect(item, path === "" ? name : `${path}.${name}`, into);
  } else if (!DERIVED.test(path)) {
    into.fields.set(path, leaf(value, path, into));
  }
}

/** What identifies an item in most lists of Kubernetes. */
function keyOfItem(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  const key = item.name ?? item.type ?? item.key ?? item.ip;
  return typeof key === "string" ? key : undefined;
}

function leaf(value: unknown, path: string, { names, generation }: Collected): unknown {
  if (path.endsWith("observedGeneration") && typeof value === "number" && generation !== undefined) {
    return generation === value ? "current" : "outdated";
  }
  if (typeof value !== "string") return value;
  if (path === "metadata.deletionTimestamp") return "is being deleted";
  return names.replace(value);
}

/** Names for what the server numbers: uids and versions, wherever they are quoted. */
class Names {
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();

  constructor(objects: readonly DynamicObject[]) {
    for (const object of objects) {
      const { uid, resourceVersion } = object.metadata ?? {};
      if (uid) this.#uids.set(uid, titleOf(object));
      if (resourceVersion) this.#versions.set(resourceVersion, titleOf(object));
    }
  }

  describe(uid: string): string {
    return this.#uids.has(uid) ? "(exists)" : "(does not exist)";
  }

  ofWorld({ name, fields, ...rest }: ObjectState): ObjectState {
    const replaced = [...fields].map(([path, value]) =>
      [this.replace(path), typeof value === "string" ? this.replace(value) : value] as const
    );
    return { ...rest, name: this.replace(name), fields: new Map(replaced) };
  }

  replace(text: string): string {
    const version = this.#versions.get(text);
    if (version) return `<version of ${version}>`;
    return text.replace(TIME, "<time>").replace(UID, (uid) => `<uid of ${this.#uids.get(uid) ?? "no object"}>`);
  }
}

/** What differs from the reference: an object, or one of its fields. */
export interface Difference {
  readonly object: string;
  /** Absent where the object as a whole is missing or too many. */
  readonly path?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

/** The end state of runs without faults, and what they disagree on. */
export class ReferenceState {
  readonly #runs: readonly EndState[];
  readonly #first: EndState;
  /** `Kind path` whose values differ from run to run. */
  readonly masked: ReadonlySet<string>;
  /** Names that only some runs have, by `Kind namespace`: the smallest and the largest number. */
  readonly #unstable = new Map<string, { min: number; max: number }>();
  readonly #exceptions: ExploreExceptions;

  /** `restarted` is the state after a restart without a fault: what such a restart counts is masked, too. */
  constructor(runs: readonly EndState[], exceptions: ExploreExceptions = {}, restarted: EndState = new Map()) {
    this.#runs = runs;
    this.#first = runs[0]!;
    this.#exceptions = exceptions;
    const masked = new Set<string>();
    for (const other of runs.slice(1)) {
      for (const [title, state] of this.#first) {
        const twin = other.get(title);
        for (const path of twin ? differingPaths(state, twin) : []) masked.add(`${state.kind} ${path}`);
      }
    }
    for (const [title, state] of this.#first) {
      for (const path of countedAgain(state, restarted.get(title))) masked.add(`${state.kind} ${path}`);
    }
    this.masked = masked;
    const counts = runs.map((run) => this.#count(run));
    for (const place of new Set(counts.flatMap((count) => [...count.keys()]))) {
      const found = counts.map((count) => count.get(place) ?? 0);
      this.#unstable.set(place, { min: Math.min(...found), max: Math.max(...found) });
    }
  }

  /** Whether every run without faults has an object of this name. */
  #isStable(title: string): boolean {
    return this.#runs.every((run) => run.has(title));
  }

  #count(state: EndState): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [title, { kind, namespace }] of state) {
      if (this.#isStable(title)) continue;
      const place = `${kind} ${namespace}`;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    return counts;
  }

  /** The differences of `state`, in order of objects and fields. */
  differences(state: EndState): Difference[] {
    const found: Difference[] = [], { countsMayDiffer = [] } = this.#exceptions;
    for (const [title, expected] of this.#first) {
      if (!this.#isStable(title)) continue;
      const actual = state.get(title);
      if (actual) found.push(...this.#fieldDifferences(title, expected, actual));
      else if (!countsMayDiffer.includes(expected.kind)) found.push({ object: title, expected: "exists" });
    }
    const counts = this.#count(state);
    for (const place of new Set([...counts.keys(), ...this.#unstable.keys()])) {
      const [kind = ""] = place.split(" "), count = counts.get(place) ?? 0;
      const { min, max } = this.#unstable.get(place) ?? { min: 0, max: 0 };
      if ((count >= min && count <= max) || countsMayDiffer.includes(kind)) continue;
      const names = [...state].filter(([title, each]) =>
        `${each.kind} ${each.namespace}` === place && !this.#isStable(title)
      );
      const object = max === 0 ? names[0]?.[0] ?? place : place;
      found.push({ object, expected: max === 0 ? undefined : `${min}`, actual: max === 0 ? "exists" : `${count}` });
    }
    return found;
  }

  #fieldDifferences(title: string, expected: ObjectState, actual: ObjectState): Difference[] {
    return differingPaths(expected, actual).filter((path) => !this.#isIgnored(expected, actual, path)).map((path) => ({
      object: title,
      path,
      expected: expected.fields.get(path),
      actual: actual.fields.get(path),
    }));
  }

  /** A masked field may have any value, but not come or go. Nor may a history. */
  #isIgnored({ kind, fields }: ObjectState, actual: ObjectState, path: string): boolean {
    if (isExcepted(this.#exceptions, kind, path) || recordsFailure(path, fields.get(path), actual.fields.get(path))) {
      return true;
    }
    const [, history] = HISTORY.exec(path) ?? [];
    if (history !== undefined) return [fields, actual.fields].every((each) => hasEntries(each, history));
    return this.masked.has(`${kind} ${path}`) && fields.has(path) && actual.fields.has(path);
  }
}

function hasEntries(fields: ObjectState["fields"], list: string): boolean {
  return [...fields.keys()].some((path) => path.startsWith(`${list}[`));
}

/** Numbers in a status that a restart has increased. */
function countedAgain(state: ObjectState, restarted: ObjectState | undefined): string[] {
  return [...state.fields].filter(([path, before]) => {
    const after = restarted?.fields.get(path);
    return COUNTED.test(path) && typeof before === "number" && typeof after === "number" && after > before;
  }).map(([path]) => path);
}

/** Whether a status counts more failures, or describes the last one: the fault was one. */
function recordsFailure(path: string, expected: unknown, actual: unknown): boolean {
  if (LAST_FAILURE.test(path)) return actual !== undefined;
  const counts = [expected ?? 0, actual];
  return COUNTED.test(path) && FAILURES.test(path) && counts.every((count) => typeof count === "number") &&
    (actual as number) > ((expected ?? 0) as number);
}

/** Whether the suite declares that the field may differ. */
export function isExcepted({ ignore = [] }: ExploreExceptions, kind: string, path: string): boolean {
  const name = `${kind}.${path}`;
  return ignore.some((each) => name === each || name.startsWith(`${each}.`) || name.startsWith(`${each}[`));
}

/** Paths of fields that differ, or that only one of both has. */
export function differingPaths(left: ObjectState, right: ObjectState): string[] {
  const paths = new Set([...left.fields.keys(), ...right.fields.keys()]);
  return [...paths].filter((path) => !jsonEqual(left.fields.get(path), right.fields.get(path))).sort();
}

/** A difference in words, without values of Secrets. */
export function describeDifference({ object, path, expected, actual }: Difference): string {
  if (path === undefined) {
    if (expected === undefined) return `${object} should not exist`;
    return actual === undefined ? `${object} is missing` : `${object}: ${actual} objects instead of ${expected}`;
  }
  if (object.startsWith("Secret ") && /^(?:data|stringData)\b/.test(path)) {
    if (expected === undefined) return `${object} ${path}: a value instead of nothing`;
    return `${object} ${path}: ${actual === undefined ? "nothing" : "another value"} instead of the expected one`;
  }
  return `${object} ${path}: ${text(actual)} instead of ${text(expected)}`;
}

function text(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
