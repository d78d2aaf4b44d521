import { type Clock, describeError, LinkedAbort, type TimerHandle, UsageError } from "../base/mod.ts";
import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { type BuiltinObject, Deployment, Pod } from "../operator/mod.ts";
import { type EventObject, EVENTS } from "./expectation.ts";
import type { InProcessControl, OperatorUnderTest } from "./operator_under_test.ts";
import type { ScenarioResult } from "./result.ts";
import { NotYetError, waitUntil } from "./waiting.ts";

interface DeployedOptions {
  readonly client: Client;
  readonly deployment: ObjectKey;
  readonly clock: Clock;
  readonly rolloutMsMax: number;
  readonly replicas: number;
}

/** Container states that only another manifest or image can end. */
const FATAL_WAITING_REASONS: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
]);
const RESTARTS_MAX = 2;
const LOG_LINES_MAX = 200;

/**
 * An operator that runs as a Deployment's pods. Deletions and scaling stop and start it.
 *
 * Each command aborts the former one and waits for its end, so that an abandoned body cannot undo clean-up. An
 * interrupted run ends no command: clean-up needs the operator, and `rolloutMsMax` bounds each wait.
 */
export class DeployedOperator implements OperatorUnderTest, AsyncDisposable {
  readonly #options: DeployedOptions;
  #runs = true;
  #abort = new LinkedAbort([]);
  #command: Promise<void> = Promise.resolve();
  #starting: Promise<void> | undefined;

  constructor(options: DeployedOptions) {
    this.#options = options;
  }

  get runs(): boolean {
    return this.#runs;
  }

  /** A pod's process cannot be inspected. */
  get inProcess(): InProcessControl {
    throw new UsageError(
      "the operator is a pod here, and the scenario inspects its process",
      "declare it `inProcess`",
    );
  }

  async start(): Promise<void> {
    if (this.#runs) return;
    // All scenarios that share it request it; a second start would cancel the first.
    this.#starting ??= this.#do(async (signal) => {
      await this.#scale(this.#options.replicas);
      await this.#untilReady(signal);
      this.#runs = true;
    }).finally(() => this.#starting = undefined);
    await this.#starting;
  }

  /** Kills the pods without grace; none replaces them. */
  async crash(): Promise<void> {
    this.#runs = false;
    await this.#do(async (signal) => {
      await this.#scale(0);
      await this.#killPods(signal);
    });
  }

  /** Kills the pods without grace; others replace them. */
  async restart(): Promise<void> {
    if (!this.#runs) return await this.start();
    this.#runs = false;
    await this.#do(async (signal) => {
      await this.#killPods(signal);
      await this.#untilReady(signal);
      this.#runs = true;
    });
  }

  async pause(): Promise<void> {
    this.#runs = false;
    await this.#do(async (signal) => {
      await this.#scale(0);
      await this.#untilNoPods((await this.#pods()).map(({ metadata }) => metadata!.uid!), signal);
    });
  }

  async resume(): Promise<void> {
    await this.start();
  }

  /**
   * Waits until every replica is ready and no pod of an older template exists.
   *
   * @throws {NotYetError} that names what the pods wait for; the signal's reason.
   */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#do(() => this.#untilReady(signal));
  }

  /** Aborts the current command. The Deployment stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error("the run is over"));
    await this.#command;
  }

  async #do(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#abort.abort(new Error("another command replaced it"));
    const abort = this.#abort = new LinkedAbort([]), before = this.#command;
    const done = before.then(async () => {
      abort.signal.throwIfAborted();
      await command(abort.signal);
    });
    this.#command = done.catch(() => {});
    await done;
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    const { client, deployment, clock, rolloutMsMax } = this.#options;
    const what = `Deployment ${formatKey(deployment)} to be ready`;
    using refusal = new Refusal(clock, what, signal);
    try {
      await waitUntil(what, [Deployment, Pod], async () => {
        const { metadata, spec, status = {} } = await client.get<BuiltinObject>(Deployment, deployment);
        const wanted = spec?.replicas, { updatedReplicas, readyReplicas, replicas, observedGeneration } = status;
        const current = (observedGeneration as number ?? 0) >= (metadata?.generation ?? 0);
        if (current && updatedReplicas === wanted && readyReplicas === wanted && replicas === wanted) {
          return { holds: true };
        }
        const hopeless = (await this.#pods()).flatMap(({ status }) => fatalWaitingReasons(status));
        if (hopeless.length > 0) throw new NotYetError(`${what} will not happen: ${hopeless.join("; ")}`);
        const refused = current ? refusalOf(status) : undefined;
        refusal.note(refused);
        const seen = `  ${readyReplicas ?? 0} of ${wanted} replicas are ready${refused ? `; ${refused}` : ""}`;
        return { holds: false, seen };
      }, { client, clock, waitMsMax: rolloutMsMax, signal: refusal.signal });
    } catch (error) {
      if (!(error instanceof NotYetError)) throw error;
      const found = (await this.diagnose()).map(({ title, text }) => `${title}:\n${text}`).join("\n");
      throw new NotYetError(`${error.message}\n${found}`, { cause: error });
    }
  }

  /** State, Events and last log lines of its pods. An unreadable part does not hide the rest. */
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
      await add(`log of pod ${name}`, async () => textOf(await client.raw(path)));
      await add(`log of pod ${name} before its last restart`, async () => {
        return textOf(await client.raw(`${path}&previous=true`).catch(() => ""));
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
    await client.patch(Deployment, deployment, { type: "merge", body: { spec: { replicas } } });
  }

  async #killPods(signal: AbortSignal): Promise<void> {
    const { client } = this.#options, pods = await this.#pods();
    for (const { metadata } of pods) {
      signal.throwIfAborted();
      const key = { namespace: metadata!.namespace!, name: metadata!.name! };
      await client.delete(Pod, key, { gracePeriodSeconds: 0 }).catch((error) => {
        if (!(error instanceof NotFoundError)) throw error;
      });
    }
    await this.#untilNoPods(pods.map(({ metadata }) => metadata!.uid!), signal);
  }

  async #untilNoPods(uids: readonly string[], signal: AbortSignal): Promise<void> {
    const { client, clock, rolloutMsMax } = this.#options;
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

/** How long the cluster may refuse pods: new accounts and quotas become visible late. */
const REFUSED_MS_MAX = 10_000;

class Refusal implements Disposable {
  readonly #clock: Clock;
  readonly #what: string;
  readonly #abort: LinkedAbort;
  #why: string | undefined;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, what: string, signal: AbortSignal) {
    this.#clock = clock;
    this.#what = what;
    this.#abort = new LinkedAbort([signal]);
  }

  /** Aborts with the parent, or with a {@linkcode NotYetError} if the refusal lasts. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  note(why: string | undefined): void {
    this.#why = why;
    if (why === undefined) this.#clearTimer();
    else {
      this.#timer ??= this.#clock.schedule(() => {
        this.#abort.abort(new NotYetError(`${this.#what} will not happen: ${this.#why}`));
      }, REFUSED_MS_MAX);
    }
  }

  [Symbol.dispose](): void {
    this.#clearTimer();
    this.#abort[Symbol.dispose]();
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }
}

/** Why admission (Pod Security, a webhook) or a quota refuses pods. */
function refusalOf(status: Record<string, unknown>): string | undefined {
  const { conditions } = status as { conditions?: { type: string; status: string; message?: string }[] | null };
  const failure = (conditions ?? []).find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  return failure && `the cluster refuses its pods: ${failure.message ?? "without a reason"}`;
}

interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly state: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState: object;
}

function containersOf(status: Record<string, unknown>): ContainerStatus[] {
  const { initContainerStatuses, containerStatuses } = status as Record<string, ContainerStatus[] | null | undefined>;
  return [...initContainerStatuses ?? [], ...containerStatuses ?? []];
}

function fatalWaitingReasons(status: Record<string, unknown> = {}): string[] {
  return containersOf(status).flatMap(({ name, restartCount, state }) => {
    const { reason = "", message = "" } = state?.waiting ?? {};
    const isHopeless = FATAL_WAITING_REASONS.has(reason) ||
      (reason === "CrashLoopBackOff" && restartCount >= RESTARTS_MAX);
    return isHopeless ? [`container ${name}: ${reason}: ${message}`] : [];
  });
}

/** A log of one JSON line arrives parsed. */
function textOf(answer: unknown): string {
  return typeof answer === "string" ? answer : JSON.stringify(answer);
}

function podState(status: Record<string, unknown> = {}): string {
  const { phase, conditions } = status as {
    phase?: string;
    conditions?: { type: string; status: string; message?: string }[] | null;
  };
  const unmet = (conditions ?? []).filter((each) => each.status !== "True")
    .map((each) => `${each.type}: ${each.message ?? ""}`);
  const containers = containersOf(status).map(({ name, restartCount, state, lastState }) =>
    `container ${name}, ${restartCount} restarts: ${JSON.stringify(state)}, before: ${JSON.stringify(lastState)}`
  );
  return [`phase ${phase}`, ...unmet, ...containers].join("\n");
}
