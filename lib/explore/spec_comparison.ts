import { jsonEqual } from "../base/mod.ts";
import { compareQuantities, parseQuantity } from "../apimachinery/mod.ts";
import type { ExploreExceptions } from "../harness/mod.ts";
import { type Difference, differingPaths, type EndState, isExcepted, type ObjectState } from "./end_state.ts";

/** Kinds that hold data or record what was done: a correct operator keeps them after another spec. */
const KEPT = new Set([
  "ControllerRevision",
  "Job",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "VolumeSnapshot",
]);
/** Kinds whose status follows from their spec. */
const WORKLOADS = new Set(["DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"]);
/** Explanations of a condition, which tell how the present state came about. */
const EXPLANATION = /^status\.conditions\[[^\]]*\]\.(?!status$)/;
/** Fields whose names say that they record the past. */
const RECORD =
  /(?:^|[.\]/])(?:last|previous|prior|former|initial|original|old|history|revision|restarted)[^.]*$|(?:History|Revision|RestartedAt|restarted-at)(?:\[[^\]]*\])?$/;
/** What an API server lets nobody change, or gives out itself. */
const FIXED = /^spec\.(?:volumeClaimTemplates\[|clusterIPs?\b|healthCheckNodePort$|ports\[[^\]]*\]\.nodePort$)/;
/** What volumes hold; they never shrink. */
const CAPACITY = /storage|capacity|volume|disk|gib/i;
/** Records that only grow are no fault here; elsewhere they are. */
const RECORDED = /^(?:status|metadata\.annotations)\./;

/** What differs between two states of a cluster for another reason than the spec. */
export class SpecMask {
  readonly #paths = new Set<string>();
  /** `Kind namespace` in which names differ. */
  readonly #names = new Set<string>();
  readonly #objects = new Set<string>();

  constructor(readonly exceptions: ExploreExceptions = {}) {}

  copy(): SpecMask {
    const copy = new SpecMask(this.exceptions);
    for (const each of this.#paths) copy.#paths.add(each);
    for (const each of this.#names) copy.#names.add(each);
    for (const each of this.#objects) copy.#objects.add(each);
    return copy;
  }

  /** Masked fields, for people. */
  get paths(): string[] {
    return [...this.#paths].sort();
  }

  /** Two runs that did the same: what differs is random, or comes from time. */
  learnNoise(left: EndState, right: EndState): void {
    for (const [kind, path] of this.#pathsOf(left, right)) this.#paths.add(`${kind} ${path}`);
    for (const { kind, namespace } of onlyIn(left, right)) this.#names.add(`${kind} ${namespace}`);
  }

  /** An object and a new one of the same spec: what differs comes from the scenario's earlier steps. */
  learnHistory(first: EndState, recreated: EndState): void {
    for (const [kind, path] of this.#pathsOf(first, recreated)) this.#paths.add(`${kind} ${path}`);
    for (const [title] of first) if (!recreated.has(title)) this.#objects.add(title);
    for (const [title] of recreated) if (!first.has(title)) this.#objects.add(title);
  }

  /**
   * The same spec after two changes and after four: counters differ, and names made of them. A value that is right the
   * second time, as `wanted` says, was wrong the first time, so it stays.
   */
  learnCounters(once: EndState, twice: EndState, wanted: EndState | undefined): void {
    for (const [title, state] of once) {
      const later = twice.get(title), right = wanted?.get(title);
      for (const path of later ? differingPaths(state, later) : []) {
        const isBoth = state.fields.has(path) && later!.fields.has(path);
        if (right && later!.fields.get(path) === right.fields.get(path)) continue;
        if (isBoth || RECORDED.test(path)) this.#paths.add(`${state.kind} ${general(path)}`);
      }
    }
    for (const { kind, namespace } of onlyIn(once, twice)) {
      const count = (state: EndState) =>
        [...state.values()].filter((each) => each.kind === kind && each.namespace === namespace).length;
      if (count(once) === count(twice)) this.#names.add(`${kind} ${namespace}`);
    }
  }

  /** What `actual` has otherwise than `expected`, in order of objects and fields; `skips` leaves objects out. */
  differences(expected: EndState, actual: EndState, skips: (title: string) => boolean = () => false): Difference[] {
    const found: Difference[] = [];
    for (const [title, state] of expected) {
      if (this.#isLeftOut(title, state) || skips(title)) continue;
      const other = actual.get(title);
      if (other) found.push(...this.#fieldDifferences(title, state, other));
      else if (!this.#isNamedAnew(state)) found.push({ object: title, expected: "exists" });
    }
    for (const [title, state] of actual) {
      if (expected.has(title) || this.#isLeftOut(title, state) || skips(title)) continue;
      if (!KEPT.has(state.kind) && !this.#isNamedAnew(state)) found.push({ object: title, actual: "exists" });
    }
    return [...found, ...this.#countDifferences(expected, actual)];
  }

  #isLeftOut(title: string, { kind }: ObjectState): boolean {
    return this.#objects.has(title) || this.exceptions.countsMayDiffer?.includes(kind) === true;
  }

  #isNamedAnew({ kind, namespace }: ObjectState): boolean {
    return this.#names.has(`${kind} ${namespace}`);
  }

  #countDifferences(expected: EndState, actual: EndState): Difference[] {
    return [...this.#names].flatMap((place): Difference[] => {
      const count = (state: EndState) =>
        [...state].filter(([title, each]) =>
          `${each.kind} ${each.namespace}` === place && !this.#isLeftOut(title, each)
        ).length;
      const [wanted, found] = [count(expected), count(actual)], [kind = ""] = place.split(" ");
      const isFine = found === wanted || (found > wanted && KEPT.has(kind));
      return isFine ? [] : [{ object: place, expected: `${wanted}`, actual: `${found}` }];
    });
  }

  #fieldDifferences(title: string, expected: ObjectState, actual: ObjectState): Difference[] {
    const { kind } = expected;
    return differingPaths(expected, actual).filter((path) =>
      !this.#paths.has(`${kind} ${general(path)}`) && !isExcepted(this.exceptions, kind, path) &&
      !mayDependOnPast(path, expected, actual)
    ).map((path) => ({
      object: title,
      path,
      expected: expected.fields.get(path),
      actual: actual.fields.get(path),
    }));
  }

  *#pathsOf(left: EndState, right: EndState): Generator<readonly [string, string]> {
    for (const [title, state] of left) {
      const other = right.get(title);
      for (const path of other ? differingPaths(state, other) : []) yield [state.kind, general(path)];
    }
  }
}

/** The same for each item of a list without keys. */
function general(path: string): string {
  return path.replace(/\[\d+\]/g, "[]");
}

function onlyIn(left: EndState, right: EndState): ObjectState[] {
  return [
    ...[...left].filter(([title]) => !right.has(title)),
    ...[...right].filter(([title]) => !left.has(title)),
  ].map(([, state]) => state);
}

/** Whether a correct operator may keep what an earlier spec has caused. */
function mayDependOnPast(path: string, expected: ObjectState, actual: ObjectState): boolean {
  const { kind } = expected;
  if (kind === "Job" || (WORKLOADS.has(kind) && path.startsWith("status."))) return true;
  if (EXPLANATION.test(path) || FIXED.test(path)) return true;
  if (/^status\.conditions\[/.test(path)) return !(expected.fields.has(path) && actual.fields.has(path));
  if (RECORDED.test(path) || path.includes(".annotations.")) { if (RECORD.test(path)) return true; }
  if (isReordered(path, expected, actual)) return true;
  return (kind === "PersistentVolumeClaim" || CAPACITY.test(path)) &&
    isLarger(actual.fields.get(path), expected.fields.get(path));
}

/** Whether a list of plain values has the same ones in another order. */
function isReordered(path: string, expected: ObjectState, actual: ObjectState): boolean {
  const [, list] = /^(.*\[)\d+\]$/.exec(path) ?? [];
  if (list === undefined) return false;
  const values = ({ fields }: ObjectState) =>
    [...fields].filter(([each]) => each.startsWith(list)).map(([, value]) => JSON.stringify(value)).sort();
  return jsonEqual(values(expected), values(actual));
}

function isLarger(actual: unknown, expected: unknown): boolean {
  const [left, right] = [actual, expected].map((each) =>
    typeof each === "string" || typeof each === "number" ? parseQuantity(each) : undefined
  );
  return left !== undefined && right !== undefined && compareQuantities(left, right) > 0;
}
