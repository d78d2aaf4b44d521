import { SeededRandom, sleep } from "../base/mod.ts";
import { type ApiResource, applyMergePatch, type DynamicObject, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import { ApiError, Client } from "../client/mod.ts";
import type { PlannedScenario } from "../harness/mod.ts";
import { isReady } from "../harness/workload_status.ts";
import { Workloads } from "../harness/workloads.ts";
import type { SimulatedCluster } from "./simulated_cluster.ts";
import { runSimulated, type SimulatedRun, type SimulatedRunOptions } from "./simulated_run.ts";
import type { Simulation } from "./simulation.ts";
import { workloadKind } from "./workload_controllers.ts";

type Spec = Readonly<Record<string, unknown>>;

/** The object of a scenario whose spec changes. */
export interface SpecSubject {
  readonly kind: ApiResource;
  /** As it is when the scenario's body has ended. */
  readonly object: DynamicObject;
}

/**
 * Parts of a run, in their order. The object has its `first` spec, the `changed` one, the first one `back`, and the
 * changed one `again`. Then it is `gone`, and a `new` one has the changed spec, or the first one without a change.
 */
export type SpecPhaseName = "first" | "changed" | "back" | "again" | "gone" | "new" | "newer";

/** The end of a part of a run: the operator has come to rest, or never does. */
export interface SpecPhase {
  readonly snapshot: StorageSnapshot;
  readonly isSettled: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly requests: number;
  readonly uncaught: readonly string[];
}

/** What a run with other specs showed. */
export interface SpecRun {
  readonly run: SimulatedRun;
  /** Only parts that took place. */
  readonly phases: Partial<Readonly<Record<SpecPhaseName, SpecPhase>>>;
  /** Whether the API server refused a step, by a 4xx or a webhook. */
  readonly isRefused: boolean;
  /** Of the `probes`, as JSON, those that the API server refuses. */
  readonly refused: ReadonlySet<string>;
}

interface SpecRunOptions extends Omit<SimulatedRunOptions, "onRest" | "faults"> {
  readonly subject: SpecSubject;
  /** JSON merge patches of the first spec. */
  readonly steps: readonly Spec[];
  /** Steps that are sent as dry runs. */
  readonly probes?: readonly Spec[];
  /** Gives the operator time for what it does seldom, and makes the new object twice. */
  readonly isPatient?: boolean;
}

/** Workloads get ready as by a kubelet. */
const READY_MS = 1_000;
/** Longer than operators wait between two looks at what no watch shows. */
const PATIENCE_MS = 15 * 60_000;

/** Runs the scenario, and changes the spec of its object when the operator is at rest. */
export async function runSpecs(planned: PlannedScenario, options: SpecRunOptions): Promise<SpecRun> {
  let sequence: SpecSequence | undefined;
  const run = await runSimulated(planned, {
    ...options,
    onRest: async (cluster, simulation) => {
      sequence = new SpecSequence(cluster, simulation, options);
      await sequence.run();
    },
  });
  return {
    run,
    phases: sequence?.phases ?? {},
    isRefused: sequence?.isRefused ?? false,
    refused: sequence?.refused ?? new Set(),
  };
}

/** Changes one object after the body. */
class SpecSequence {
  readonly phases: Partial<Record<SpecPhaseName, SpecPhase>> = {};
  readonly refused = new Set<string>();
  isRefused = false;
  readonly #cluster: SimulatedCluster;
  readonly #simulation: Simulation;
  readonly #options: SpecRunOptions;
  readonly #client: Client;

  constructor(cluster: SimulatedCluster, simulation: Simulation, options: SpecRunOptions) {
    this.#cluster = cluster;
    this.#simulation = simulation;
    this.#options = options;
    const { clock } = simulation;
    this.#client = new Client(cluster.transport(), { fieldManager: "scenario", clock, random: new SeededRandom(1) });
  }

  async run(): Promise<void> {
    const { steps, probes = [], subject: { kind, object } } = this.#options, first = (object.spec ?? {}) as Spec;
    await using workloads = this.#workloads();
    await this.#phase("first", () => workloads.start(READY_MS));
    for (const probe of probes) {
      const isAccepted = await this.#accepts(() => this.#replace(applyMergePatch(first, probe), true));
      if (!isAccepted) this.refused.add(JSON.stringify(probe));
    }
    if (steps.length > 0 && !await this.#changes(first)) return;
    const last = applyMergePatch(first, steps.at(-1) ?? {});
    await this.#phase("gone", () => this.#client.delete(kind, keyOf(object)));
    if (await this.#client.find(kind, keyOf(object))) return void delete this.phases.gone; // a finalizer keeps it
    await this.#phase("new", () => this.#create(last));
    if (!this.#options.isPatient) return;
    await this.#rest(() => this.#client.delete(kind, keyOf(object)).then(() => {}));
    if (!await this.#client.find(kind, keyOf(object))) await this.#phase("newer", () => this.#create(last));
  }

  /** There, back and there again; false where the API server refuses that. */
  async #changes(first: Spec): Promise<boolean> {
    for (const name of ["changed", "again"] as const) {
      let count = 0;
      for (const step of this.#options.steps) {
        const isLast = ++count === this.#options.steps.length, next = () => this.#replace(applyMergePatch(first, step));
        const isAccepted = await (isLast ? this.#phase(name, next) : this.#accepts(() => this.#rest(next)));
        if (isAccepted) continue;
        this.isRefused = true;
        if (count > 1) await this.#phase("back", () => this.#replace(first));
        return false;
      }
      if (name === "changed" && !await this.#phase("back", () => this.#replace(first))) return false;
    }
    return true;
  }

  /** Acts, and waits until the operator is at rest; false where the API server refuses to act. */
  async #phase(name: SpecPhaseName, act: () => Promise<unknown>): Promise<boolean> {
    const { clock } = this.#simulation, startMs = clock.now(), { requests } = this.#cluster.trace;
    const before = requests.length, known = this.#simulation.uncaughtErrors.length;
    let isSettled = false;
    if (!await this.#accepts(async () => isSettled = await this.#rest(act))) return false;
    this.phases[name] = {
      snapshot: this.#cluster.server.snapshot(),
      isSettled,
      startMs,
      endMs: clock.now(),
      requests: requests.length - before,
      uncaught: this.#simulation.uncaughtErrors.slice(known),
    };
    return true;
  }

  async #rest(act: () => Promise<unknown>): Promise<boolean> {
    await act();
    const isSettled = await this.#cluster.settle();
    if (!this.#options.isPatient || !isSettled) return isSettled;
    await sleep(this.#simulation.clock, PATIENCE_MS);
    return await this.#cluster.settle();
  }

  async #accepts(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof ApiError) return false;
      throw error;
    }
  }

  async #replace(spec: Spec, dryRun = false): Promise<void> {
    const { kind, object } = this.#options.subject;
    const body = [{ op: "add", path: "/spec", value: spec }] as never;
    await this.#client.patch(kind, keyOf(object), { type: "json", body, dryRun });
  }

  async #create(spec: Spec): Promise<void> {
    const { kind, object } = this.#options.subject;
    await this.#client.create(kind, { ...asCreated(object), spec });
  }

  /** Makes workloads ready, except those that the scenario leaves as they are. */
  #workloads(): Workloads {
    const { clock } = this.#simulation, { waitMsMax, signal } = this.#options, unready = new Set<string>();
    for (const [resource, table] of this.#cluster.server.snapshot().tables) {
      const kind = workloadKind(resource);
      for (const [key, { object }] of kind ? table : []) if (!isReady(kind!, object)) unready.add(key);
    }
    return new Workloads({
      waiting: { client: this.#client, clock, waitMsMax, signal },
      clusterKind: this.#cluster.kind,
      isOwn: ({ metadata: { namespace, name } = {} }: KubeObject) =>
        namespace?.startsWith("run-") === true && !unready.has(`${namespace}/${name}`),
      onError: () => {}, // the object stays as it is
    });
  }
}

/** The part of an object that its creator gave: nothing of the operator, and nothing of the server. */
function asCreated({ status: _status, metadata = {}, ...rest }: DynamicObject): DynamicObject {
  const { name, namespace, labels, annotations, managedFields = [] } = metadata as typeof metadata & {
    readonly managedFields?: readonly { manager?: string; subresource?: string; fieldsV1?: object }[];
  };
  const others = managedFields.filter(({ manager, subresource }) => manager !== "scenario" && !subresource);
  const isOperators = (field: string, key: string) =>
    others.some(({ fieldsV1 }) =>
      JSON.stringify(fieldsV1 ?? {}).includes(`"f:${field}"`) &&
      JSON.stringify(fieldsV1 ?? {}).includes(JSON.stringify(`f:${key}`))
    );
  const own = (field: string, entries: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => !isOperators(field, key)));
  const given = { labels: own("labels", labels), annotations: own("annotations", annotations) };
  const kept = Object.entries(given).filter(([, entries]) => Object.keys(entries).length > 0);
  return { ...rest, metadata: { name, namespace, ...Object.fromEntries(kept) } };
}
