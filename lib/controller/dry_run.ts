import { type Logger, type Mask, Memo } from "../base/mod.ts";
import {
  type ApiResource,
  applyJsonPatch,
  applyMergePatch,
  type DynamicObject,
  formatGroupResource,
  formatKey,
  keyOf,
  type KubeObject,
  type ObjectKey,
} from "../apimachinery/mod.ts";
import {
  apiErrorOf,
  Client,
  type DeleteOptions,
  type GetOptions,
  NotFoundError,
  type PatchOptions,
  type WriteOptions,
  type WriteRecord,
} from "../client/mod.ts";
import type { HandledState, HandledStateStorage, Outcome, StorageEdit } from "../handling/mod.ts";
import { decide, type DecisionRules } from "./decide.ts";
import type { TimerDeclaration } from "./declaration.ts";
import { type EventPoster, eventPoster, type EventSink } from "./events.ts";
import { initialState } from "./key_state.ts";
import { type ObjectChange, objectChanges } from "./object_changes.ts";
import { Pass, type PassHost } from "./pass.ts";
import { outcomeOfPass } from "./report.ts";

/** An Event that a pass would post. */
export interface PlannedEvent {
  readonly type: "Normal" | "Warning";
  /** CamelCase, for programs. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** Another object that it is about, as `Secret shop/login`. */
  readonly about?: string;
}

export interface PlannedPass {
  readonly kind: ApiResource;
  readonly key: ObjectKey;
  /** Whether it would be converged or, if it is being deleted, cleaned up after. */
  readonly cause: "reconcile" | "delete";
  /** In order. */
  readonly writes: readonly PlannedWrite[];
  /** In order. */
  readonly events: readonly PlannedEvent[];
  readonly outcome: Outcome;
}

/**
 * Runs one pass with a client whose writes are dry runs, and returns its writes. Handlers run for real: effects outside
 * the cluster happen unless they check `context.dryRun`. Undefined for an object out of the operator's scope.
 *
 * @throws the signal's reason where it aborts.
 */
export async function planPass<T extends KubeObject, Spec, Status extends object>(
  host: PassHost<T, Spec, Status>,
  rules: DecisionRules<T, TimerDeclaration<T, Spec, Status>>,
  object: T,
  { client, log, signal }: { readonly client: Client; readonly log: Logger; readonly signal: AbortSignal },
): Promise<PlannedPass | undefined> {
  const elapsedMs = host.clock.elapsed(), key = keyOf(object), rollbacks = 0;
  // As in a running operator, which called its `resume` handlers long ago.
  const state = { ...initialState(object, elapsedMs), resume: "done" as const };
  const decision = decide({ ...rules, timers: [] }, {
    object,
    state,
    reasons: new Set(["plan"]),
    elapsedMs,
    rollbacks,
  });
  if (decision.kind !== "pass") return undefined;
  const planned: Plan = { writes: [], states: new Map() }, planning = new PlanningClient(client, { signal }, planned);
  const events = new PlannedEvents(), memo = new Memo();
  const plan = {
    key: formatKey(key),
    object,
    decision,
    rollbacks,
    reports: () => [],
    handlerFailures: () => [],
    memo: <M>(create: () => M) => memo.of(create),
  };
  const report = await new Pass({ ...host, events }, plan, { client: planning, writes: [], log, signal }).run();
  signal.throwIfAborted();
  const { kind } = host.declaration, cause = decision.cause.kind, outcome = outcomeOfPass(report);
  // The plan is printed, so secret values are masked in other kinds, messages and Events too.
  const { mask } = client, writes = planned.writes.map((write) => ({ ...write, changes: mask.json(write.changes) }));
  return { kind, key, cause, writes, events: mask.json(events.planned), outcome: maskOutcome(outcome, mask) };
}

function maskOutcome(outcome: Outcome, mask: Mask): Outcome {
  return "message" in outcome ? { ...outcome, message: mask.text(outcome.message) } : outcome;
}

class PlannedEvents implements EventSink {
  readonly planned: PlannedEvent[] = [];

  poster(object: KubeObject): { poster: EventPoster; flush: () => Promise<void> } {
    const poster = eventPoster(object, (regarding, { type, reason, message }) => {
      const about = regarding === object ? {} : { about: `${regarding.kind} ${formatKey(keyOf(regarding))}` };
      this.planned.push({ type, reason, message, ...about });
    });
    return { poster, flush: () => Promise.resolve() };
  }
}

/** Answers what it would write into objects; keeps nothing planned elsewhere. */
export class PlannedStorage implements HandledStateStorage {
  readonly #inner: HandledStateStorage;

  /** `inner` is read and left unchanged. */
  constructor(inner: HandledStateStorage) {
    this.#inner = inner;
  }

  load(object: KubeObject): Promise<HandledState> {
    return this.#inner.load(object);
  }

  async save(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    const former = await this.#inner.load(object), edit = await this.#inner.save(object, state, fields);
    // Storage in memory has stored it by now.
    await this.#inner.save(object, former, fields);
    return edit;
  }

  isRecord(annotation: string): boolean {
    return this.#inner.isRecord(annotation);
  }

  get statusFields(): readonly string[] {
    return this.#inner.statusFields ?? [];
  }
}

export interface PlannedWrite extends Pick<WriteRecord, "verb" | "resource" | "key" | "subresource"> {
  /** Whether the object exists now; otherwise the write creates it. */
  readonly exists: boolean;
  /** Empty for a deletion, and for a write that changes nothing. */
  readonly changes: readonly ObjectChange[];
  /** Whether the server checked it: it cannot if only an earlier write of the plan makes it possible. */
  readonly checked: boolean;
}

interface Plan {
  readonly writes: PlannedWrite[];
  /** By resource and key; null if deleted. */
  readonly states: Map<string, KubeObject | null>;
}

/**
 * Sends each write as a dry run, which the server admits and validates, and records its changes. Reads of single
 * objects see the plan's earlier writes; lists do not.
 */
class PlanningClient extends Client {
  readonly #plan: Plan;

  constructor(client: Client, options: Parameters<Client["with"]>[0], plan: Plan) {
    super(client, { ...options, dryRun: true });
    this.#plan = plan;
  }

  override with(options: Parameters<Client["with"]>[0]): PlanningClient {
    return new PlanningClient(this, options, this.#plan);
  }

  override async get<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options?: GetOptions,
  ): Promise<T> {
    const state = this.#plan.states.get(idOf(resource, key));
    if (state === undefined) return await super.get<T>(resource, key, options);
    if (state) return state as T;
    const message = `${formatGroupResource(resource)} "${key.name}" not found`, details = { name: key.name };
    throw apiErrorOf(
      { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404, message, details },
      { verb: "get", resource, key },
    );
  }

  override async create<T extends KubeObject>(resource: ApiResource, object: T, options?: WriteOptions): Promise<T> {
    const target = { verb: "create", resource, key: keyOf(object) } as const;
    // The server still has the object that the plan deleted.
    if (this.#state(target) === null) return this.#enter(target, undefined, object, false);
    const made = await super.create(resource, object, { ...options, metadataOnly: false });
    return this.#enter({ ...target, key: keyOf(made) }, undefined, made);
  }

  override replace<T extends KubeObject>(resource: ApiResource, object: T, options: WriteOptions = {}): Promise<T> {
    const { subresource } = options, target = { verb: "replace", resource, key: keyOf(object), subresource } as const;
    return this.#planned(target, () => object, () => super.replace(resource, object, options));
  }

  override apply<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: WriteOptions & { force?: boolean } = {},
  ): Promise<T> {
    const { subresource } = options, target = { verb: "apply", resource, key: keyOf(object), subresource } as const;
    return this.#planned(target, (state) => applyMergePatch(state ?? {}, object) as T, () => {
      return super.apply(resource, object, options);
    });
  }

  override patch<T extends KubeObject = DynamicObject>(
    resource: ApiResource,
    key: ObjectKey,
    options: PatchOptions,
  ): Promise<T> {
    const { type, subresource, body } = options, target = { verb: "patch", resource, key, subresource } as const;
    const patched = (state: KubeObject | undefined) => {
      return type === "json" ? applyJsonPatch(state ?? {}, body) : applyMergePatch(state ?? {}, body);
    };
    return this.#planned<T>(target, (state) => patched(state) as T, () => {
      return super.patch<T>(resource, key, { ...options, metadataOnly: false });
    });
  }

  override async delete(resource: ApiResource, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    const isPlanned = await this.#isPlanned({ verb: "delete", resource, key });
    if (!isPlanned) await super.delete(resource, key, options);
    else await this.get(resource, key); // throws where the plan deleted it before
    this.#plan.writes.push({ verb: "delete", resource, key, exists: !isPlanned, changes: [], checked: !isPlanned });
    this.#plan.states.set(idOf(resource, key), null);
  }

  /** The server cannot answer a write to an object that only the plan has: `alone` computes the result. */
  async #planned<T extends KubeObject>(
    target: Target,
    alone: (state: KubeObject | undefined) => T,
    send: () => Promise<T>,
  ): Promise<T> {
    const { resource, key, verb } = target;
    if (await this.#isPlanned(target)) {
      const state = this.#state(target) ?? undefined;
      if (!state && verb !== "apply") await this.get(resource, key); // throws as the server would
      return this.#enter(target, undefined, alone(state), false);
    }
    const before = await this.#stored(target);
    return this.#enter(target, before, await send());
  }

  /** The server's object, whatever is planned. */
  async #stored({ resource, key }: Target, options?: GetOptions): Promise<KubeObject | undefined> {
    try {
      return await super.get<KubeObject>(resource, key, options);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  #state({ resource, key }: Target): KubeObject | null | undefined {
    return this.#plan.states.get(idOf(resource, key));
  }

  /** Whether only the plan created or deleted it. */
  async #isPlanned(target: Target): Promise<boolean> {
    const state = this.#state(target);
    if (state === undefined) return false;
    return state === null || !await this.#stored(target, { metadataOnly: true });
  }

  #enter<T extends KubeObject>(target: Target, before: KubeObject | undefined, after: T, checked = true): T {
    const { resource, subresource } = target;
    const status = (object: KubeObject | undefined) => object && { status: (object as { status?: unknown }).status };
    // A status write changes nothing else, whatever the plan wrote to the rest before.
    const changes = subresource === "status"
      ? objectChanges(resource, status(before) as KubeObject, status(after) as KubeObject)
      : objectChanges(resource, before, after);
    this.#plan.writes.push({ ...target, exists: before !== undefined, changes, checked });
    // Nothing was stored, so the old version still guards the next write.
    const resourceVersion = before?.metadata?.resourceVersion;
    const result = { ...after, metadata: { ...after.metadata, ...(resourceVersion ? { resourceVersion } : {}) } };
    this.#plan.states.set(idOf(resource, target.key), result);
    return result;
  }
}

type Target = Pick<PlannedWrite, "verb" | "resource" | "key" | "subresource">;

function idOf(resource: ApiResource, key: ObjectKey): string {
  return `${formatGroupResource(resource)} ${formatKey(key)}`;
}
