import { isObject, jsonClone, jsonEqual, type Logger, type Mask, Memo } from "../base/mod.ts";
import {
  type ApiResource,
  applyJsonPatch,
  applyMergePatch,
  type Condition,
  diff,
  type DiffItem,
  type DynamicObject,
  formatGroupResource,
  formatKey,
  isSecretResource,
  keyOf,
  type KubeObject,
  LAST_APPLIED_ANNOTATION,
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
import { Pass, type PassHost } from "./pass.ts";
import { outcomeOfPass } from "./report.ts";

/** One field that a write would change; values of Secrets are masked, and differ only as before and after. */
export interface PlannedChange {
  /** Whether the field appears, changes or goes. */
  readonly operation: "add" | "change" | "remove";
  /** Keys from the root of the object to the field. */
  readonly path: readonly string[];
  /** Its value now; absent where it appears. */
  readonly old?: unknown;
  /** Its value after the write; absent where it goes. */
  readonly next?: unknown;
}

type Fields = Record<string, unknown>;

/** Metadata that the server sets by itself. */
const SERVER_SET = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];
const MASK = "********";

/**
 * The fields in which an object differs after a write, leaf by leaf; `before` is undefined where the write makes it.
 */
function plannedChanges(
  resource: Pick<ApiResource, "group" | "plural">,
  before: KubeObject | undefined,
  after: KubeObject,
): PlannedChange[] {
  const old = withoutServerSet(before ?? {}), next = withoutServerSet(after);
  if (isSecretResource(resource)) maskSecret(old, next);
  const changes = diff(readable(old), readable(next));
  // A condition whose times alone differ is shown in full: a write must never appear to change nothing.
  return (changes.length > 0 ? changes : diff(old, next)).flatMap(leaves);
}

/** The object with its conditions by type, as `True Reconciled: message`: shorter to read than a list. */
function readable(object: Fields): Fields {
  const { status } = object;
  if (!isObject(status) || !Array.isArray(status.conditions)) return object;
  const conditions = (status.conditions as Condition[]).map(({ type, status, reason, message }) =>
    [type, `${status} ${reason}${message ? `: ${message}` : ""}`] as const
  );
  return { ...object, status: { ...status, conditions: Object.fromEntries(conditions) } };
}

/** A copy that may be edited. */
function withoutServerSet({ apiVersion: _, kind: __, metadata, ...rest }: KubeObject): Fields {
  const kept = Object.entries(metadata ?? {}).filter(([field]) => !SERVER_SET.includes(field));
  return jsonClone({ ...rest, metadata: Object.fromEntries(kept) });
}

/** Edits both states of a Secret: equal values stay equal, and others show only their side. */
function maskSecret(old: Fields, next: Fields): void {
  for (const field of ["data", "stringData"]) maskValues(old[field], next[field], () => true);
  const annotations = ({ metadata }: Fields) => (metadata as Fields).annotations;
  // kubectl's annotation repeats the manifest, data included.
  maskValues(annotations(old), annotations(next), (key) => key === LAST_APPLIED_ANNOTATION);
}

function maskValues(old: unknown, next: unknown, isSecret: (key: string) => boolean): void {
  const one = isObject(old) ? old : {}, other = isObject(next) ? next : {};
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)].filter(isSecret))) {
    const same = jsonEqual(one[key], other[key]);
    if (Object.hasOwn(one, key)) one[key] = same ? MASK : `${MASK} (before)`;
    if (Object.hasOwn(other, key)) other[key] = same ? MASK : `${MASK} (after)`;
  }
}

/** An object that appears or goes is listed field by field; lists are one value, as in a diff. */
function leaves({ operation, path, old, next }: DiffItem): PlannedChange[] {
  const value = operation === "add" ? next : old;
  if (operation === "change" || !isObject(value) || Object.keys(value).length === 0) {
    return [{ operation, path, old, next }];
  }
  return Object.keys(value).sort().flatMap((key) => {
    const side = operation === "add" ? { next: value[key] } : { old: value[key] };
    return leaves({ operation, path: [...path, key], ...side });
  });
}

/** An Event that a pass would post about its object. */
export interface PlannedEvent {
  /** Whether something is wrong. */
  readonly type: "Normal" | "Warning";
  /** CamelCase word for programs. */
  readonly reason: string;
  /** The same for people. */
  readonly message: string;
  /** Another object that it is about, as `Secret shop/login`. */
  readonly about?: string;
}

/** What one reconcile of one object would do. */
export interface PlannedPass {
  /** The kind of the object. */
  readonly kind: ApiResource;
  /** Which object. */
  readonly key: ObjectKey;
  /** Whether it would be converged or, since it is being deleted, cleaned up after. */
  readonly cause: "reconcile" | "delete";
  /** Every write, in order. */
  readonly writes: readonly PlannedWrite[];
  /** Every Event, in order. */
  readonly events: readonly PlannedEvent[];
  /** How the reconcile would end. */
  readonly outcome: Outcome;
}

/**
 * Runs one pass with a client whose writes are dry runs, and returns what it would write. Its handlers run for real:
 * effects outside of the cluster happen, unless they check `context.dryRun`. Undefined for an object that is not the
 * operator's.
 *
 * @throws the signal's reason where it aborts.
 */
export async function planPass<T extends KubeObject, Spec, Status extends object>(
  host: PassHost<T, Spec, Status>,
  rules: DecisionRules<T, TimerDeclaration<T, Spec, Status>>,
  object: T,
  { client, log, signal }: { readonly client: Client; readonly log: Logger; readonly signal: AbortSignal },
): Promise<PlannedPass | undefined> {
  const elapsedMs = host.clock.elapsed(), key = keyOf(object), rewinds = 0;
  // As in an operator that runs already: what it resumed, it resumed long ago.
  const state = { ...initialState(object, elapsedMs), resume: "done" as const };
  const decision = decide({ ...rules, timers: [] }, { object, state, reasons: new Set(["plan"]), elapsedMs, rewinds });
  if (decision.kind !== "pass") return undefined;
  const planned: Plan = { writes: [], states: new Map() }, planning = new PlanningClient(client, { signal }, planned);
  const events = new PlannedEvents(), memo = new Memo();
  const plan = {
    key: formatKey(key),
    object,
    decision,
    rewinds,
    reports: () => [],
    handlerFailures: () => [],
    memo: <M>(create: () => M) => memo.of(create),
  };
  const report = await new Pass({ ...host, events }, plan, { client: planning, writes: [], log, signal }).run();
  signal.throwIfAborted();
  const { kind } = host.declaration, cause = decision.cause.kind, outcome = outcomeOfPass(report);
  // What is planned is printed: values of Secrets stand in other kinds, in messages and Events as well.
  const { mask } = client, writes = planned.writes.map((write) => ({ ...write, changes: mask.json(write.changes) }));
  return { kind, key, cause, writes, events: mask.json(events.planned), outcome: maskOutcome(outcome, mask) };
}

function maskOutcome(outcome: Outcome, mask: Mask): Outcome {
  return "message" in outcome ? { ...outcome, message: mask.text(outcome.message) } : outcome;
}

/** Keeps what would be posted. */
class PlannedEvents implements EventSink {
  /** Every Event so far, oldest first. */
  readonly planned: PlannedEvent[] = [];

  /** See {@linkcode EventSink.poster}. */
  poster(object: KubeObject): { poster: EventPoster; flush: () => Promise<void> } {
    const poster = eventPoster(object, (regarding, { type, reason, message }) => {
      const about = regarding === object ? {} : { about: `${regarding.kind} ${formatKey(keyOf(regarding))}` };
      this.planned.push({ type, reason, message, ...about });
    });
    return { poster, flush: () => Promise.resolve() };
  }
}

/**
 * A storage that answers what it would write into objects, and remembers nothing elsewhere of what was only planned.
 */
export class PlannedStorage implements HandledStateStorage {
  readonly #inner: HandledStateStorage;

  /** `inner` is read, and left as it was. */
  constructor(inner: HandledStateStorage) {
    this.#inner = inner;
  }

  /** See {@linkcode HandledStateStorage.recall}. */
  recall(object: KubeObject): Promise<HandledState> {
    return this.#inner.recall(object);
  }

  /** See {@linkcode HandledStateStorage.keep}. */
  async keep(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    const former = await this.#inner.recall(object), edit = await this.#inner.keep(object, state, fields);
    // One that remembers in its own memory has done so by now.
    await this.#inner.keep(object, former, fields);
    return edit;
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(annotation: string): boolean {
    return this.#inner.isRecord(annotation);
  }

  /** See {@linkcode HandledStateStorage.statusFields}. */
  get statusFields(): readonly string[] {
    return this.#inner.statusFields ?? [];
  }
}

/** One write that a pass would make. */
export interface PlannedWrite extends Pick<WriteRecord, "verb" | "resource" | "key" | "subresource"> {
  /** Whether the object is there now; a write to one that is not makes it. */
  readonly exists: boolean;
  /** What it would change; empty for a deletion, and for a write that changes nothing. */
  readonly changes: readonly PlannedChange[];
  /** Whether the server has checked it: it cannot check what only an earlier write of the same plan makes possible. */
  readonly checked: boolean;
}

/** What one plan has written so far. */
interface Plan {
  readonly writes: PlannedWrite[];
  /** The planned state of each written object, by resource and key; null where it would be gone. */
  readonly states: Map<string, KubeObject | null>;
}

/**
 * The client of a pass that is only planned: each write goes to the server as a dry run, which admits and validates it,
 * and is recorded with what it would change. Reads of single objects see what the plan wrote before them; lists do not.
 */
class PlanningClient extends Client {
  readonly #plan: Plan;

  /** Shares what is planned with `plan`. */
  constructor(client: Client, options: Parameters<Client["with"]>[0], plan: Plan) {
    super(client, { ...options, dryRun: true });
    this.#plan = plan;
  }

  /** See {@linkcode Client.with}. */
  override with(options: Parameters<Client["with"]>[0]): PlanningClient {
    return new PlanningClient(this, options, this.#plan);
  }

  /** See {@linkcode Client.get}, and by it {@linkcode Client.find}. */
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

  /** See {@linkcode Client.create}. */
  override async create<T extends KubeObject>(resource: ApiResource, object: T, options?: WriteOptions): Promise<T> {
    const target = { verb: "create", resource, key: keyOf(object) } as const;
    // The server still has the one that the plan deleted.
    if (this.#state(target) === null) return this.#enter(target, undefined, object, false);
    const made = await super.create(resource, object, { ...options, metadataOnly: false });
    return this.#enter({ ...target, key: keyOf(made) }, undefined, made);
  }

  /** See {@linkcode Client.replace}. */
  override replace<T extends KubeObject>(resource: ApiResource, object: T, options: WriteOptions = {}): Promise<T> {
    const { subresource } = options, target = { verb: "replace", resource, key: keyOf(object), subresource } as const;
    return this.#planned(target, () => object, () => super.replace(resource, object, options));
  }

  /** See {@linkcode Client.apply}. */
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

  /** See {@linkcode Client.patch}. */
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

  /** See {@linkcode Client.delete}. */
  override async delete(resource: ApiResource, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    const isPlanned = await this.#isPlanned({ verb: "delete", resource, key });
    if (!isPlanned) await super.delete(resource, key, options);
    else await this.get(resource, key); // throws where the plan deleted it before
    this.#plan.writes.push({ verb: "delete", resource, key, exists: !isPlanned, changes: [], checked: !isPlanned });
    this.#plan.states.set(idOf(resource, key), null);
  }

  /** The server cannot answer a write to an object that exists in the plan alone: `alone` computes its result. */
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

  /** The object as the server has it, whatever is planned. */
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

  /** Whether the object was created or deleted in the plan alone. */
  async #isPlanned(target: Target): Promise<boolean> {
    const state = this.#state(target);
    if (state === undefined) return false;
    return state === null || !await this.#stored(target, { metadataOnly: true });
  }

  #enter<T extends KubeObject>(target: Target, before: KubeObject | undefined, after: T, checked = true): T {
    const { resource, subresource } = target;
    const status = (object: KubeObject | undefined) => object && { status: (object as { status?: unknown }).status };
    // A write of the status changes nothing else, whatever the plan wrote to the rest before.
    const changes = subresource === "status"
      ? plannedChanges(resource, status(before) as KubeObject, status(after) as KubeObject)
      : plannedChanges(resource, before, after);
    this.#plan.writes.push({ ...target, exists: before !== undefined, changes, checked });
    // Nothing was stored, so the version that guards the next write is still the old one.
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
