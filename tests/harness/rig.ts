import { z } from "zod";
import { SystemClock } from "../../lib/base/mod.ts";
import type { ApiResource, KubeObject } from "../../lib/apimachinery/mod.ts";
import { Client, discover } from "../../lib/client/mod.ts";
import { ConfigMap, type CustomObject, type CustomResource, defineResource, Operator } from "../../lib/operator/mod.ts";
import {
  type Cluster,
  type ClusterSource,
  EmbeddedCluster,
  planRun,
  type RunOptions,
  type RunResult,
  runScenarios,
  type ScenarioBody,
  type ScenarioContext,
  type ScenarioOptions,
  Suite,
} from "../../lib/harness/mod.ts";

const SPEC = z.object({ text: z.string() }), STATUS = z.object({ phase: z.string().optional() });

/** A kind of which each object wants a ConfigMap of its name that holds its text. */
export const Note: CustomResource<z.output<typeof SPEC>, z.output<typeof STATUS>> = defineResource({
  group: "harness.test.pintle.dev",
  version: "v1",
  kind: "Note",
  spec: SPEC,
  status: STATUS,
});

export type NoteObject = CustomObject<z.output<typeof SPEC>, z.output<typeof STATUS>>;

/** What the operator under test does beside its work. */
export interface NotesOptions {
  /** Called in each reconcile. */
  readonly reconcile?: (client: Pick<Client, "list">, namespace: string) => Promise<unknown>;
  /** Called when a note is deleted; a finalizer waits for it. No finalizer where absent. */
  readonly delete?: () => Promise<void>;
  /** Called before anything else. */
  readonly startup?: () => Promise<void>;
}

/** An operator for notes. */
export function notes(options: NotesOptions = {}): Operator {
  const operator = new Operator("notes");
  if (options.startup) operator.startup(options.startup);
  const handlers = operator.on(Note).reconcile(async ({ spec, apply, status, events, log, client, namespace }) => {
    await options.reconcile?.(client, namespace);
    await apply(ConfigMap, { data: { text: spec.text } });
    events.normal("Written", `${spec.text.length} letters`);
    log.info("written", { letters: spec.text.length });
    status.set({ phase: "Written" });
  }, { owns: [ConfigMap] });
  if (options.delete) handlers.delete(options.delete);
  return operator;
}

/** A note to create. */
export function note(name: string, text = "hello"): KubeObject {
  return { apiVersion: "harness.test.pintle.dev/v1", kind: "Note", metadata: { name }, spec: { text } } as KubeObject;
}

/** A suite of one story. */
export function suiteOf(story: ScenarioBody, options: ScenarioOptions = {}, operator: () => Operator = notes): Suite {
  return new Suite("notes", operator).scenario("a story", story, options);
}

/** The story that most tests need: a note is written, and its ConfigMap follows. */
export async function written({ given, then, cluster, expect, ref }: ScenarioContext): Promise<void> {
  await given("a note", () => cluster.createManifest(note("a")));
  await then("its ConfigMap follows", () => expect(ref(ConfigMap, "a")).toMatch({ data: { text: "hello" } }));
}

/** Every object that a server has, Events apart, by kind and key. */
export async function inventory(client: Client): Promise<string[]> {
  const found: string[] = [];
  for (const resource of await discover(client)) {
    if (resource.kind === "Event" || !resource.verbs.includes("list")) continue;
    const { items } = await client.list(resource as ApiResource);
    found.push(...items.map(({ metadata }) => `${resource.kind} ${metadata!.namespace ?? ""}/${metadata!.name}`));
  }
  return found.sort();
}

/** One cluster in this process that outlives its runs, as one somewhere else does. */
export class SharedCluster implements AsyncDisposable {
  readonly cluster: EmbeddedCluster;
  readonly client: Client;
  /** How often it was opened, and how often closed again. */
  opened = 0;
  closed = 0;

  constructor(readonly clock: ConstructorParameters<typeof EmbeddedCluster>[0] = {}) {
    this.cluster = new EmbeddedCluster(clock);
    this.client = new Client(this.cluster.transport(), { fieldManager: "test" });
  }

  /** Where runs get it from. */
  get source(): ClusterSource {
    return { kind: "current", isolated: false, open: () => this.#open() };
  }

  #open(): Promise<Cluster> {
    this.opened++;
    return Promise.resolve({
      kind: "current",
      kubeconfig: undefined,
      transport: (user) => this.cluster.transport(user),
      [Symbol.asyncDispose]: () => {
        this.closed++;
        return Promise.resolve();
      },
    });
  }

  /** See {@linkcode inventory}. */
  inventory(): Promise<string[]> {
    return inventory(this.client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}

let runs = 0;

/** Runs a suite on a cluster. */
export function runOn(source: ClusterSource, suite: Suite, options: Partial<RunOptions> = {}): Promise<RunResult> {
  return runScenarios(planRun([suite]), { ...runOptions(source), ...options });
}

/** How runs are made where a test does not say otherwise. */
export function runOptions(source: ClusterSource): RunOptions {
  return {
    source,
    clock: new SystemClock(),
    signal: new AbortController().signal,
    parallelMax: 4,
    waitMsMax: 10_000,
    seed: 1,
    runId: `r${runs++}`,
  };
}
