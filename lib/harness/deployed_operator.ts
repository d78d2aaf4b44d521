import { type Clock, describeError, UsageError } from "../base/mod.ts";
import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { type BuiltinObject, Deployment, Pod } from "../operator/builtin_kinds.ts";
import { type EventObject, EVENTS } from "./expectation.ts";
import type { InProcessControl, OperatorUnderTest } from "./operator_under_test.ts";
import type { ScenarioResult } from "./result.ts";
import { NotYetError, waitUntil } from "./waiting.ts";

/** Which Deployment is the operator. */
export interface DeployedOptions {
  readonly client: Client;
  readonly deployment: ObjectKey;
  readonly clock: Clock;
  /** Longest wait for pods to be ready, or gone. */
  readonly rolloutMsMax: number;
  readonly signal: AbortSignal;
}

/** States of a container that only another manifest or image ends. */
const HOPELESS: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
]);
/** Restarts after which a container that keeps ending is given up. */
const RESTARTS_MAX = 2;
/** Lines of a pod's log that are kept for a failure. */
const LOG_LINES_MAX = 200;

/** An operator that runs as the pods of a Deployment. Its end and its beginning are deletions of pods and changes of the scale. */
export class DeployedOperator implements OperatorUnderTest {
  readonly #options: DeployedOptions;
  readonly #replicas: number;
  #runs = true;

  /** `replicas` is the scale at which it runs. */
  constructor(options: DeployedOptions, replicas: number) {
    this.#options = options;
    this.#replicas = replicas;
  }

  /** See {@linkcode OperatorUnderTest.runs}. */
  get runs(): boolean {
    return this.#runs;
  }

  /** A pod cannot be looked into. */
  get inProcess(): InProcessControl {
    throw new UsageError(
      "the operator is a pod here, and the scenario looks into its process",
      "declare it `inProcess`",
    );
  }

  /** See {@linkcode OperatorUnderTest.start}. */
  async start(): Promise<void> {
    if (this.#runs) return;
    await this.#scale(this.#replicas);
    await this.ready();
    this.#runs = true;
  }

  /** See {@linkcode OperatorUnderTest.crash}: the pods are killed without grace, and none takes their place. */
  async crash(): Promise<void> {
    this.#runs = false;
    await this.#scale(0);
    await this.#killPods();
  }

  /** See {@linkcode OperatorUnderTest.restart}: the pods are killed without grace, and others take their place. */
  async restart(): Promise<void> {
    if (!this.#runs) return await this.start();
    await this.#killPods();
    await this.ready();
  }

  /** See {@linkcode OperatorUnderTest.pause}. */
  async pause(): Promise<void> {
    this.#runs = false;
    await this.#scale(0);
    await this.#untilNoPods((await this.#pods()).map(({ metadata }) => metadata!.uid!));
  }

  /** See {@linkcode OperatorUnderTest.resume}. */
  async resume(): Promise<void> {
    await this.start();
  }

  /**
   * Waits until every replica is ready and none of an older template is left.
   *
   * @throws {NotYetError} that says what the pods wait for.
   */
  async ready(): Promise<void> {
    const { client, deployment, clock, rolloutMsMax, signal } = this.#options;
    const what = `Deployment ${formatKey(deployment)} to be ready`;
    try {
      await waitUntil(what, [Deployment, Pod], async () => {
        const { metadata, spec, status = {} } = await client.get<BuiltinObject>(Deployment, deployment);
        const wanted = spec?.replicas, { updatedReplicas, readyReplicas, replicas, observedGeneration } = status;
        const current = (observedGeneration as number ?? 0) >= (metadata?.generation ?? 0);
        if (current && updatedReplicas === wanted && readyReplicas === wanted && replicas === wanted) {
          return { holds: true };
        }
        const hopeless = (await this.#pods()).flatMap(({ status }) => hopelessReasons(status));
        if (hopeless.length > 0) throw new NotYetError(`${what} will not happen: ${hopeless.join("; ")}`);
        return { holds: false, seen: `  ${readyReplicas ?? 0} of ${wanted} replicas are ready` };
      }, { client, clock, waitMsMax: rolloutMsMax, signal });
    } catch (error) {
      if (!(error instanceof NotYetError)) throw error;
      const found = (await this.diagnose()).map(({ title, text }) => `${title}:\n${text}`).join("\n");
      throw new NotYetError(`${error.message}\n${found}`, { cause: error });
    }
  }

  /** State, Events and last log lines of the operator's pods. Nothing that cannot be read hides the rest. */
  async diagnose(): Promise<ScenarioResult["attachments"]> {
    const { client, deployment: { namespace } } = this.#options;
    const found: { title: string; text: string }[] = [];
    const add = async (title: string, read: () => Promise<string>) => {
      const text = await read().catch((error) => `could not be read: ${describeError(error)}`);
      if (text.trim() !== "") found.push({ title, text });
    };
    for (const { metadata, status } of await this.#pods().catch(() => [])) {
      const name = metadata!.name!,
        path = `/api/v1/namespaces/${namespace}/pods/${name}/log?tailLines=${LOG_LINES_MAX}`;
      await add(`state of pod ${name}`, () => Promise.resolve(podState(status)));
      await add(`log of pod ${name}`, async () => textOf(await client.raw("GET", path)));
      await add(`log of pod ${name} before its last restart`, async () => {
        return textOf(await client.raw("GET", `${path}&previous=true`).catch(() => ""));
      });
    }
    await add(`Events in ${namespace}`, async () => {
      const { items } = await client.list<EventObject>(EVENTS, { namespace: namespace! });
      return items.map(({ type, reason, note, regarding }) => `${type} ${reason} ${regarding?.name}: ${note}`).join(
        "\n",
      );
    });
    return found;
  }

  async #scale(replicas: number): Promise<void> {
    const { client, deployment } = this.#options;
    await client.patch(Deployment, deployment, { spec: { replicas } }, { type: "merge" });
  }

  async #killPods(): Promise<void> {
    const { client } = this.#options, pods = await this.#pods();
    for (const { metadata } of pods) {
      const key = { namespace: metadata!.namespace!, name: metadata!.name! };
      await client.delete(Pod, key, { gracePeriodSeconds: 0 }).catch((error) => {
        if (!(error instanceof NotFoundError)) throw error;
      });
    }
    await this.#untilNoPods(pods.map(({ metadata }) => metadata!.uid!));
  }

  async #untilNoPods(uids: readonly string[]): Promise<void> {
    const { client, clock, rolloutMsMax, signal } = this.#options;
    await waitUntil("the operator's pods to be gone", [Pod], async () => {
      const left = (await this.#pods()).filter(({ metadata }) => uids.includes(metadata!.uid!));
      if (left.length === 0) return { holds: true };
      return { holds: false, seen: left.map(({ metadata }) => `  pod ${metadata!.name} is there`).join("\n") };
    }, { client, clock, waitMsMax: rolloutMsMax, signal });
  }

  async #pods(): Promise<BuiltinObject[]> {
    const { client, deployment } = this.#options;
    const { spec } = await client.get<BuiltinObject>(Deployment, deployment);
    const { matchLabels = {} } = (spec?.selector ?? {}) as { matchLabels?: Record<string, string> };
    const labelSelector = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`).join(",");
    const { items } = await client.list<BuiltinObject>(Pod, { namespace: deployment.namespace!, labelSelector });
    return items;
  }
}

/** Why a pod will not become ready, however long one waits. */
function hopelessReasons(status: Record<string, unknown> = {}): string[] {
  const { containerStatuses = [] } = status as {
    containerStatuses?: { restartCount: number; state: { waiting?: { reason?: string; message?: string } } }[];
  };
  return containerStatuses.flatMap(({ restartCount, state: { waiting } }) => {
    const { reason = "", message = "" } = waiting ?? {};
    const isHopeless = HOPELESS.has(reason) || (reason === "CrashLoopBackOff" && restartCount >= RESTARTS_MAX);
    return isHopeless ? [`${reason}: ${message}`] : [];
  });
}

/** A log of one JSON line is read as JSON by the client. */
function textOf(answer: unknown): string {
  return typeof answer === "string" ? answer : JSON.stringify(answer);
}

/** What a pod waits for, or how its containers ended. */
function podState(status: Record<string, unknown> = {}): string {
  const { phase, conditions = [], containerStatuses = [] } = status as {
    phase?: string;
    conditions?: { type: string; status: string; message?: string }[];
    containerStatuses?: { name: string; restartCount: number; state: object; lastState: object }[];
  };
  const unmet = conditions.filter((each) => each.status !== "True").map((each) =>
    `${each.type}: ${each.message ?? ""}`
  );
  const containers = containerStatuses.map(({ name, restartCount, state, lastState }) =>
    `container ${name}, ${restartCount} restarts: ${JSON.stringify(state)}, before: ${JSON.stringify(lastState)}`
  );
  return [`phase ${phase}`, ...unmet, ...containers].join("\n");
}
