import { isObject, type Random, SeededRandom } from "../base/mod.ts";
import { type ApiResource, applyMergePatch, type DynamicObject } from "../apimachinery/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { PlannedScenario } from "../harness/mod.ts";
import type { Plan } from "./plan.ts";
import type { SimulatedRun } from "./simulated_run.ts";
import { type SpecFinding, SpecOracle } from "./spec_oracle.ts";
import { runSpecs, type SpecSubject } from "./spec_run.ts";
import { isOf, mergePatchOf, type SpecTransition } from "./spec_transition.ts";
import { otherSpecs, type SpecSchema, unknownFields } from "./spec_values.ts";

type Spec = Readonly<Record<string, unknown>>;
/** A kind of the operator, with its schema's check. */
type SpecKind = ApiResource & { readonly parseSpec: (object: never) => unknown };

interface SpecSearchOptions {
  readonly seed: number;
  readonly prepared: StorageSnapshot;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
}

/** Objects of a scenario whose specs change. */
const OBJECTS_MAX = 3;
/** Specs of one object that differ in one field from the first. */
const SPECS_MAX = 60;
/** Specs of one object that differ in two fields, and ways over two specs. */
const PAIRS_MAX = 8;
/** Runs without a change, whose differences are masked. */
const CONTROLS = 3;
const CRDS = "customresourcedefinitions.apiextensions.k8s.io";

/** Plans that change the specs of a scenario's objects, and their runs. */
export class SpecSearch {
  readonly plans: readonly Plan[];
  /** How many specs the API server or the schema refuses. */
  readonly refused: number;
  readonly #planned: PlannedScenario;
  readonly #options: SpecSearchOptions;
  readonly #searched: readonly SearchedObject[];

  private constructor(planned: PlannedScenario, options: SpecSearchOptions, searched: readonly SearchedObject[]) {
    this.#planned = planned;
    this.#options = options;
    this.#searched = searched;
    this.plans = inTurns(searched.map(({ transitions }) => transitions)).map((transition) => ({
      kind: "specs",
      faults: [],
      transition,
    }));
    this.refused = searched.reduce((sum, { refused }) => sum + refused, 0);
  }

  /**
   * Searches the objects that `reference` has when its body has ended. The operator's kinds count, where the scenario
   * made the object. With `only` it prepares that transition alone.
   */
  static async open(
    planned: PlannedScenario,
    reference: SimulatedRun,
    options: SpecSearchOptions,
    only?: SpecTransition,
  ): Promise<SpecSearch> {
    await using world = await planned.suite.open();
    const kinds = world.operator().declarations.map(({ kind }) => kind as SpecKind);
    const searched: SearchedObject[] = [];
    for (const place of placesOf(kinds, options.prepared, reference.settled)) {
      if (only ? !isOf(only, place.subject.object) : searched.length >= OBJECTS_MAX) continue;
      searched.push(await searchObject(planned, place, options));
    }
    return new SpecSearch(planned, options, searched);
  }

  /** Fields that are not compared, as they differ without a change. */
  get masked(): string[] {
    return [...new Set(this.#searched.flatMap(({ oracle }) => oracle.mask.paths))].sort();
  }

  /** Fields that a transition of one of the objects changes, and that its kind's schema lacks. */
  unknownFields({ steps, ...transition }: SpecTransition): string[] {
    const searched = this.#searched.find(({ place: { subject } }) => isOf({ ...transition, steps }, subject.object))!;
    return [...new Set(steps.flatMap((step) => unknownFields(searched.place.schema, step)))];
  }

  /** Runs a transition of one of the objects; what one run shows, another one with another seed must confirm. */
  async run(transition: SpecTransition): Promise<{ run: SimulatedRun; findings: SpecFinding[] }> {
    const searched = this.#searched.find(({ place: { subject } }) => isOf(transition, subject.object))!;
    const { oracle, place: { subject } } = searched,
      { steps } = transition,
      options = { ...this.#options, subject, steps };
    const wanted = applyMergePatch(specOf(subject.object), steps.at(-1)), run = await runSpecs(this.#planned, options);
    const findings = oracle.findingsOf(run, wanted);
    if (findings.length === 0 || options.signal.aborted) return { run: run.run, findings: [] };
    const again = await runSpecs(this.#planned, { ...options, seed: options.seed + 1, isPatient: true });
    return { run: run.run, findings: oracle.confirmed(findings, run, again, wanted) };
  }
}

/** An object, and what its kind takes as a spec. */
interface SpecPlace {
  readonly subject: SpecSubject;
  readonly schema: SpecSchema;
  readonly isValid: (spec: Spec) => boolean;
}

interface SearchedObject {
  readonly place: SpecPlace;
  readonly transitions: readonly SpecTransition[];
  readonly refused: number;
  readonly oracle: SpecOracle;
}

async function searchObject(
  planned: PlannedScenario,
  place: SpecPlace,
  options: SpecSearchOptions,
): Promise<SearchedObject> {
  const { subject, schema, isValid } = place, spec = specOf(subject.object);
  const probes = otherSpecs(schema, spec, isValid).map((each) => mergePatchOf(spec, each)), controls = [];
  for (let nth = 0; nth < CONTROLS; nth++) {
    const control = { ...options, seed: options.seed + nth, subject, steps: [], ...(nth === 0 && { probes }) };
    controls.push(await runSpecs(planned, control));
  }
  const { prepared } = options, exceptions = planned.suite.explore, { refused } = controls[0]!;
  const accepted = probes.filter((probe) => !refused.has(JSON.stringify(probe))).slice(0, SPECS_MAX);
  return {
    place,
    transitions: transitionsOf(subject.object, accepted, new SeededRandom(options.seed)),
    refused: refused.size,
    oracle: new SpecOracle({ prepared, controls, subject, exceptions, isValid }),
  };
}

/** Each spec alone; the lowest and highest value of each number, one after the other; and some of two changes. */
function transitionsOf(
  { kind = "", metadata }: DynamicObject,
  patches: readonly Spec[],
  random: Random,
): SpecTransition[] {
  const { namespace = "", name = "" } = metadata ?? {};
  const choose = () => patches[Math.floor(random.next() * patches.length)]!;
  const pairs: Spec[][] = [];
  for (let nth = 0; nth < PAIRS_MAX && patches.length > 1; nth++) {
    const [one, other] = [choose(), choose()];
    if (one === other) continue;
    pairs.push(nth % 2 === 0 ? [one, other] : [applyMergePatch(one, other)]);
  }
  const steps = [...patches.map((patch) => [patch]), ...numberWays(patches), ...pairs];
  const names = new Set<string>();
  return steps.map((each) => ({ kind, namespace, name, steps: each })).filter(({ steps }) => {
    const text = JSON.stringify(steps);
    return !names.has(text) && names.add(text);
  });
}

/** For each number that changes alone: from its lowest value to its highest. */
function numberWays(patches: readonly Spec[]): Spec[][] {
  const fields = Map.groupBy(
    patches.filter((patch) => typeof leafOf(patch).value === "number"),
    (patch) => leafOf(patch).path,
  );
  return [...fields.values()].flatMap((of) => {
    const sorted = of.toSorted((a, b) => Number(leafOf(a).value) - Number(leafOf(b).value));
    return sorted.length > 1 ? [[sorted[0]!, sorted.at(-1)!]] : [];
  });
}

/** The one field that a patch sets. */
function leafOf(patch: unknown, path = ""): { readonly path: string; readonly value: unknown } {
  const entries = isObject(patch) ? Object.entries(patch) : [];
  if (entries.length !== 1) return { path, value: patch };
  const [[name, value]] = entries as [[string, unknown]];
  return leafOf(value, `${path}/${name}`);
}

/** The first of each list, then the second of each. */
function inTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat();
}

/** Objects of the operator's kinds that the scenario made, one of each kind before the second of any. */
function placesOf(kinds: readonly SpecKind[], prepared: StorageSnapshot, settled: StorageSnapshot): SpecPlace[] {
  const seen = new Set<string>();
  return inTurns(kinds.map((kind) => {
    const resource = `${kind.plural}.${kind.group}`, schema = schemaOf(kind, prepared);
    if (!schema || seen.has(resource)) return [];
    seen.add(resource);
    return [...settled.tables.get(resource)?.values() ?? []].filter(({ object }) => isOfScenario(object)).map((
      { object },
    ) => ({ subject: { kind, object }, schema, isValid: (spec: Spec) => isValidFor(kind, object, spec) }));
  }));
}

function schemaOf({ plural, group, version }: ApiResource, { tables }: StorageSnapshot): SpecSchema | undefined {
  const crd = tables.get(CRDS)?.get(`${plural}.${group}`)?.object as {
    spec: { versions: { name: string; schema?: { openAPIV3Schema?: { properties?: { spec?: SpecSchema } } } }[] };
  } | undefined;
  return crd?.spec.versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema?.properties?.spec;
}

function isOfScenario({ spec, metadata }: DynamicObject): boolean {
  const { deletionTimestamp, ownerReferences = [], managedFields = [] } = (metadata ?? {}) as typeof metadata & {
    readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[];
  };
  return isObject(spec) && deletionTimestamp === undefined && !ownerReferences.some(({ controller }) => controller) &&
    managedFields.some(({ manager, subresource }) => manager === "scenario" && !subresource);
}

/** Whether the kind's schema takes a spec, and drops none of its fields: those of another union case are refused. */
export function isValidFor(kind: Pick<SpecKind, "parseSpec">, object: DynamicObject, spec: Spec): boolean {
  try {
    return keepsFields(spec, kind.parseSpec({ ...object, spec } as never));
  } catch {
    return false;
  }
}

function keepsFields(given: unknown, parsed: unknown): boolean {
  if (Array.isArray(given) && Array.isArray(parsed)) return given.every((each, nth) => keepsFields(each, parsed[nth]));
  if (!isObject(given) || !isObject(parsed)) return true;
  return Object.entries(given).every(([name, each]) => name in parsed && keepsFields(each, parsed[name]));
}

function specOf({ spec }: DynamicObject): Spec {
  return (spec ?? {}) as Spec;
}
