import { isObject, jsonEqual } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { ExploreExceptions } from "../harness/mod.ts";
import { describeDifference, type EndState, endState } from "./end_state.ts";
import { leakedSecret } from "./secret_leak.ts";
import { SpecMask } from "./spec_comparison.ts";
import { isHotLoop, programmingFaults, refusesChange, reportsTrouble, warningsBetween } from "./spec_report.ts";
import type { SpecPhase, SpecPhaseName, SpecRun, SpecSubject } from "./spec_run.ts";

/** Why a run with other specs is a failure. */
export interface SpecFinding {
  readonly kind: "settles" | "state" | "uncaught" | "forbidden" | "secret";
  readonly message: string;
  /** The same for the same finding of another run. */
  readonly key: string;
}

type Spec = Readonly<Record<string, unknown>>;
type PartsOfRun = readonly SpecPhaseName[];

/** Parts in which the operator has the changed spec. */
const CHANGED: PartsOfRun = ["changed", "back", "again", "new"];
/** An operator that never comes to rest and sends more than this is in a loop: a timer of the spec sends fewer. */
const LOOP_REQUESTS_PER_SECOND = 8;
/** A spec that stops the operator, or that it reads once: what was made before stays, and a new object differs. */
const STOPS = /^(?:is)?(?:pause|suspend|freeze|frozen|hold|unmanaged|maintenance|dryrun|stopped)/i;
const STOP_VALUES = /^(?:unmanaged|paused|suspended|manual|ondelete|never|initial|once|ignore|observe)$/i;
const ONCE = /^(?:init|initial|bootstrap|seed|restore|recover|import|clone|datasource)/i;
/** Where a spec says that what it made stays. */
const KEEPS = /^(?:orphan|retain|keep|snapshot)$/i;
/** Fields that name another object, beside those that hold the name of one. */
const REFERENCE = /(?:refs?|references?|(?:secret|configmap|service|class|issuer|claim|account|role|node)name)$/i;

interface SpecOracleOptions {
  readonly prepared: StorageSnapshot;
  /** Runs without a change, with other seeds. */
  readonly controls: readonly SpecRun[];
  readonly subject: SpecSubject;
  readonly exceptions: ExploreExceptions;
  /** Whether the schema takes a spec. */
  readonly isValid: (spec: Spec) => boolean;
}

/** Compares an object whose spec changes with itself before, and with a new one of the same spec. */
export class SpecOracle {
  readonly mask: SpecMask;
  readonly #options: SpecOracleOptions;
  readonly #knownFaults: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;

  constructor(options: SpecOracleOptions) {
    this.#options = options;
    const { controls, exceptions } = options, [control] = controls as [SpecRun];
    this.mask = new SpecMask(exceptions);
    for (const other of controls.slice(1)) this.#learnNoise(this.mask, ["first", "new"], [control, other]);
    const { first, new: recreated } = control.phases;
    if (first && recreated) this.mask.learnHistory(this.#state(first), this.#state(recreated));
    this.#knownFaults = new Set(controls.flatMap(({ run, phases }) => [
      ...programmingFaults(run.result.logs),
      ...Object.values(phases).flatMap(({ uncaught }) => uncaught),
    ]));
    this.#names = new Set(
      first ? [...this.#state(first).values()].flatMap(({ namespace, name }) => [namespace, name]) : [],
    );
  }

  /** Findings of a run, of which {@linkcode confirmed} are failures. `wanted` is the last of its specs. */
  findingsOf(spec: SpecRun, wanted: Spec, mask: SpecMask = this.mask): SpecFinding[] {
    const { first, changed, back, again, new: fresh } = spec.phases;
    if (!first || (!changed && !back)) return [];
    const learned = mask.copy();
    if (changed && again) {
      learned.learnCounters(this.#state(changed), this.#state(again), fresh && this.#state(fresh));
    }
    return [
      ...this.#codeFindings(spec),
      ...this.#restFindings(spec),
      ...(this.#isComparable(spec, wanted) ? this.#freshDifferences(spec, learned) : []),
      ...(back && this.#mustComeBack(first, back)
        ? this.#describe(learned, [this.#state(first), this.#state(back)], BACK)
        : []),
    ];
  }

  /** Those findings of a run that `again` shows too: with another seed, more time, and a second new object. */
  confirmed(findings: readonly SpecFinding[], run: SpecRun, again: SpecRun, wanted: Spec): SpecFinding[] {
    const mask = this.mask.copy();
    this.#learnNoise(mask, ["changed", "back", "new"], [run, again]);
    const { new: fresh, newer } = again.phases;
    if (fresh && newer) mask.learnNoise(this.#state(fresh), this.#state(newer));
    const shown = new Set(this.findingsOf(again, wanted, mask).map(({ key }) => key));
    return findings.filter(({ key }) => shown.has(key));
  }

  #learnNoise(mask: SpecMask, names: PartsOfRun, [left, right]: readonly [SpecRun, SpecRun]): void {
    for (const name of names) {
      const [one, other] = [left.phases[name], right.phases[name]];
      if (one && other) mask.learnNoise(this.#state(one), this.#state(other));
    }
  }

  #codeFindings({ run, phases }: SpecRun): SpecFinding[] {
    const parts = CHANGED.flatMap((name) => phases[name] ?? []), findings: SpecFinding[] = [];
    const add = (kind: SpecFinding["kind"], message: string) => void findings.push({ kind, message, key: message });
    const within = ({ atMs }: { readonly atMs: number }) =>
      parts.some((each) => atMs >= each.startMs && atMs <= each.endMs);
    for (const fault of new Set([...parts.flatMap(({ uncaught }) => uncaught)])) {
      if (!this.#knownFaults.has(fault)) add("uncaught", `an error that no code handles: ${fault}`);
    }
    for (const fault of programmingFaults(run.result.logs.filter(within))) {
      if (!this.#knownFaults.has(fault)) add("uncaught", `a handler throws: ${fault}`);
    }
    const isForbidden = (run: SpecRun["run"]) =>
      run.trace.requests.some(({ actor, code }) => actor === "operator" && code === 403);
    const { controls } = this.#options;
    if (isForbidden(run) && !controls.some((each) => isForbidden(each.run))) {
      add("forbidden", "a request of the operator is forbidden: a rule is missing");
    }
    const leaked = this.#leaked({ run, phases }), isKnown = controls.some((each) => this.#leaked(each) !== undefined);
    if (leaked !== undefined && !isKnown) add("secret", leaked);
    return findings;
  }

  #leaked({ run, phases: { changed, back } }: Pick<SpecRun, "run" | "phases">): string | undefined {
    return leakedSecret({ ...run, settled: changed?.snapshot ?? run.settled, cleared: back?.snapshot ?? run.cleared });
  }

  #restFindings({ phases: { first, changed, back, new: fresh } }: SpecRun): SpecFinding[] {
    if (!first?.isSettled) return [];
    const finding = (message: string): SpecFinding => ({ kind: "settles", message, key: message });
    const isLoop = changed && !changed.isSettled &&
      (requestsPerSecond(changed) > LOOP_REQUESTS_PER_SECOND || fresh?.isSettled);
    const isHot = [changed, fresh].some((part) => part && isHotLoop(this.#objectIn(part.snapshot))) &&
      !isHotLoop(this.#objectIn(first.snapshot));
    return [
      ...(isLoop || isHot ? [finding("with the changed spec the operator never comes to rest")] : []),
      ...(back && !back.isSettled ? [finding("back at the first spec, the operator never comes to rest")] : []),
    ];
  }

  /** Whether an object of this spec must look like a new one. */
  #isComparable({ phases: { first, changed, new: fresh }, isRefused }: SpecRun, wanted: Spec): boolean {
    if (!first || !changed || !fresh || isRefused || !this.#options.isValid(wanted)) return false;
    if (!changed.isSettled || !fresh.isSettled) return false;
    const { object } = this.#options.subject, before = (object.spec ?? {}) as Spec;
    if (changesOf(before, wanted).some((change) => this.#isHistoryByNature(change))) return false;
    const at = ({ snapshot }: SpecPhase) => this.#objectIn(snapshot);
    if (reportsTrouble(at(changed), at(first)) || reportsTrouble(at(fresh), at(first))) return false;
    return warningsBetween(object, { first: first.snapshot, later: changed.snapshot }).length === 0;
  }

  /** An operator that refuses the first spec, or the way back to it, may keep what it made for the one before. */
  #mustComeBack(first: SpecPhase, back: SpecPhase): boolean {
    const { object } = this.#options.subject,
      [before, after] = [first, back].map((each) => this.#objectIn(each.snapshot));
    if (!this.#options.isValid((object.spec ?? {}) as Spec) || reportsTrouble(before, undefined)) return false;
    return !after || !refusesChange(after, warningsBetween(object, { first: first.snapshot, later: back.snapshot }));
  }

  #isHistoryByNature({ path, before, after }: SpecChange): boolean {
    const last = path.at(-1) ?? "",
      isDangling = typeof before === "string" && typeof after === "string" &&
        (path.some((name) => REFERENCE.test(name)) || this.#names.has(before)) && !this.#names.has(after);
    if (isDangling || path.some((name) => ONCE.test(name))) return true;
    return (STOPS.test(last) && after !== false && after !== undefined) ||
      (typeof after === "string" && STOP_VALUES.test(after));
  }

  #objectIn({ tables }: StorageSnapshot): DynamicObject | undefined {
    const { kind, object: { metadata: { namespace, name } = {} } } = this.#options.subject;
    return tables.get(`${kind.plural}.${kind.group}`)?.get(namespace ? `${namespace}/${name}` : `${name}`)?.object;
  }

  #freshDifferences({ phases }: SpecRun, mask: SpecMask): SpecFinding[] {
    const { changed, gone, new: fresh } = phases as Required<SpecRun["phases"]>;
    return this.#describe(
      mask,
      [this.#state(fresh!), this.#state(changed!)],
      NEW,
      (title) => isUnchanged(title, gone!.snapshot, fresh!.snapshot),
    );
  }

  #describe(
    mask: SpecMask,
    [expected, actual]: readonly [EndState, EndState],
    [before, after]: readonly [string, string],
    skips?: (title: string) => boolean,
  ): SpecFinding[] {
    const keeps = (spec: unknown) => leavesOf(spec).some((each) => typeof each === "string" && KEEPS.test(each));
    const found = mask.differences(expected, actual, skips).filter(({ path, actual }) =>
      path !== undefined || actual !== "exists" || !keeps(this.#options.subject.object.spec)
    );
    return found.map((each) => ({
      kind: "state",
      message: `${before}${describeDifference(each)}${after}`,
      key: `${before} ${each.object} ${each.path ?? ""}`,
    }));
  }

  #state({ snapshot }: SpecPhase): EndState {
    return endState(this.#options.prepared, snapshot);
  }
}

function requestsPerSecond({ requests, startMs, endMs }: SpecPhase): number {
  return requests / Math.max(1, (endMs - startMs) / 1_000);
}

const BACK = ["back at the first spec: ", ""] as const;
const NEW = ["with the changed spec: ", ", as for a new object of this spec"] as const;

/** Objects that were there without the subject, and that its creation left alone, say nothing about its spec. */
function isUnchanged(title: string, gone: StorageSnapshot, fresh: StorageSnapshot): boolean {
  const [kind, key = ""] = title.split(" "), at = key.startsWith("/") ? key.slice(1) : key;
  for (const [resource, table] of fresh.tables) {
    const stored = table.get(at);
    if (stored?.object.kind === kind && gone.tables.get(resource)?.get(at) === stored) return true;
  }
  return false;
}

interface SpecChange {
  readonly path: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

/** Fields that differ. */
function changesOf(before: unknown, after: unknown, path: readonly string[] = []): SpecChange[] {
  const entries = (value: unknown) => isObject(value) || Array.isArray(value) ? Object.entries(value) : [];
  const [left, right] = [Object.fromEntries(entries(before)), Object.fromEntries(entries(after))];
  if (Object.keys({ ...left, ...right }).length === 0) return jsonEqual(before, after) ? [] : [{ path, before, after }];
  if (!isObject(before) && !Array.isArray(before)) return [{ path, before, after }, ...inner({}, right, path)];
  return inner(left, right, path);
}

function inner(left: Spec, right: Spec, path: readonly string[]): SpecChange[] {
  return Object.keys({ ...left, ...right }).flatMap((name) => changesOf(left[name], right[name], [...path, name]));
}

function leavesOf(value: unknown): unknown[] {
  return isObject(value) || Array.isArray(value) ? Object.values(value).flatMap(leavesOf) : [value];
}
