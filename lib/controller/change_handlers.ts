import { type Mask, UsageError } from "../base/mod.ts";
import { diff, type HandledObject, type KubeObject } from "../apimachinery/mod.ts";
import {
  afterError,
  type AttemptBounds,
  attemptMsMax,
  begin,
  byHandler,
  type Change,
  changeOf,
  type ChangePlan,
  digestsOnly,
  dueMs,
  type FieldChange,
  fieldChangeOf,
  fieldPath,
  gaveUp,
  GenerationStorage,
  givenUp,
  givenUpOf,
  HANDLED,
  handledContentOf,
  type HandledState,
  type HandledStateStorage,
  type HandlerFailure,
  type HandlerProgress,
  isFinished,
  matchesFilter,
  matchesValue,
  mergeOutcomes,
  type Outcome,
  type PendingChange,
  planChange,
  PRESENT,
  secretFieldsOf,
  settled,
  type Snapshot,
  snapshotOf,
  type StorageEdit,
  succeeded,
  valueAt,
} from "../handling/mod.ts";
import type { ChangeContext, ChangeHandler } from "./context.ts";
import type { ChangeDeclaration, ControllerDeclaration } from "./declaration.ts";
import type { ChangesHandled } from "./report.ts";

type ChangeFacts<T extends KubeObject, Spec, Status extends object> = Pick<
  ChangeContext<T, Spec, Status>,
  "change" | "old" | "next" | "diff" | "retry" | "startedMs" | "param" | "subhandler"
>;

interface ChangeRunHost<T extends KubeObject, Spec, Status extends object> {
  readonly attemptMsMax: number;
  /** The moment of the handler's first attempt, plus what has elapsed since. */
  nowMs(id: string, progress: HandlerProgress | undefined): number;
  pauseMs(failures: number): number;
  /** Removes secret values from remembered messages. */
  readonly mask: Mask;
  /** Makes one attempt. Throws what the handler throws, or a timeout. */
  attempt(handler: ChangeHandler<T, Spec, Status>, facts: ChangeFacts<T, Spec, Status>, msMax: number): Promise<void>;
  failed(id: string, error: unknown, progress: HandlerProgress, retryInMs: number | undefined): void;
}

interface ChangePass {
  readonly deleting: boolean;
  /** Whether the `delete` handlers are done, and only the finalizer remains. */
  readonly cleaned: boolean;
  /** State that the last pass could not write; absent if the object holds it. */
  readonly unsaved?: HandledState;
  /** `done` once this process has run the `resume` handlers; until then their progress. */
  readonly resume: ChangesHandled["resume"];
}

type Run = Omit<ChangesHandled, "concerned" | "edit">;
type Declaration<T extends KubeObject, Spec, Status extends object> = ChangeDeclaration<T, Spec, Status>;

/** The change handlers of one kind: reads the handled state, plans, runs, and returns what to write. */
export class ChangeHandlers<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #storage: HandledStateStorage;
  readonly #marks: GenerationStorage | undefined;
  /** Whether some handler needs the former state. */
  readonly #remembers: boolean;
  readonly #fields: readonly string[];

  constructor(declaration: ControllerDeclaration<T, Spec, Status>, storage: HandledStateStorage) {
    const { changes, kind } = declaration;
    this.#declaration = declaration;
    this.#remembers = changes.some(({ kinds, field }) => kinds.has("update") || field !== undefined);
    this.#marks = kind.hasStatus ? new GenerationStorage(storage, { marksOnly: !this.#remembers }) : undefined;
    this.#storage = this.#marks ?? storage;
    this.#fields = changes.flatMap(({ field }) => field === undefined ? [] : [fieldPath(field).join(".")]);
  }

  needsFinalizer(object: T): boolean {
    return this.#deleting(object, (optional) => !optional);
  }

  /** Whether handlers would like to run while another finalizer holds the object. */
  wantsDeletion(object: T): boolean {
    return this.#deleting(object, (optional) => optional);
  }

  /** Runs the due handlers; returns the state to store. */
  async run(object: T, pass: ChangePass, host: ChangeRunHost<T, Spec, Status>): Promise<ChangesHandled> {
    const { deleting, cleaned, resume } = pass;
    const nothing = {
      outcome: { kind: "done" },
      finished: true,
      acted: false,
      handlerFailures: [],
      resume,
      edit: {},
    } as const;
    if (deleting && cleaned) return { ...nothing, state: {}, concerned: true };
    const state = pass.unsaved ?? await this.#storage.load(object);
    // Objects without a matching handler are not marked: an operator on some labelled objects must not write to all
    // others.
    const concerned = deleting || state.pendingChange !== undefined ||
      this.#declaration.changes.some((each) => matchesFilter(each, object, { fieldSettled: true }));
    if (!concerned) return { ...nothing, state, concerned, resume: "done" };
    const snapshot = this.#snapshot(object, deleting), now = { snapshot, deleting };
    const changes = new ChangeRun(host, this.#declaration.changes, object);
    let report = await changes.run(state, planChange(state, { ...now, resumed: resume === "done" }), resume);
    // What changed meanwhile is the next change.
    const next = planChange(report.state, { ...now, resumed: true });
    if (report.finished && !deleting && next.pendingChange) {
      const first = report;
      report = { ...await changes.run(first.state, next, "done"), resume: first.resume };
      const own = new Set(report.handlerFailures.map(({ handler }) => handler));
      const handlerFailures = [
        ...report.handlerFailures,
        ...first.handlerFailures.filter(({ handler, gaveUp }) => !gaveUp && !own.has(handler)),
      ];
      report = { ...report, outcome: mergeOutcomes(first.outcome, report.outcome), handlerFailures };
    }
    const remembers = !deleting || !report.finished;
    return {
      ...report,
      concerned,
      edit: remembers ? await this.#storage.save(object, report.state, this.#fields) : {},
    };
  }

  /** The edit without the status, which the operator may not write; undefined if none is needed. */
  async editWithoutStatus(object: T, state: HandledState): Promise<StorageEdit | undefined> {
    return await this.#marks?.keepUnmarked(object, state, this.#fields);
  }

  /** The smallest sufficient edit, for an object without room for more. */
  async minimalEdit(object: T, { lastHandled, pendingChange, gaveUp }: HandledState): Promise<StorageEdit> {
    const slimmed: HandledState = {
      ...(lastHandled ? { lastHandled: digestsOnly(lastHandled, this.#fields) } : {}),
      ...(pendingChange
        ? { pendingChange: { ...pendingChange, target: digestsOnly(pendingChange.target, this.#fields) } }
        : {}),
      ...(gaveUp ? { gaveUp } : {}),
    };
    return await this.#storage.save(object, slimmed, this.#fields);
  }

  forget(uid: string): void {
    this.#storage.forget?.(uid);
  }

  #snapshot(object: T, deleting: boolean): Snapshot {
    if (!this.#remembers && !deleting) return HANDLED;
    const { kind, ignoredFields } = this.#declaration;
    const isRecord = (annotation: string) => this.#storage.isRecord(annotation);
    return snapshotOf(handledContentOf(object, { isRecord, ignoredFields, secretFields: secretFieldsOf(kind) }));
  }

  #deleting(object: T, wanted: (optional: boolean) => boolean): boolean {
    return this.#declaration.changes.some((each) =>
      each.kinds.has("delete") && wanted(each.optional ?? false) && matchesFilter(each, object)
    );
  }
}

/** Runs the matching and due handlers of one object in declaration order, in one pass. The pass writes the result. */
class ChangeRun<T extends KubeObject, Spec, Status extends object> {
  readonly #host: ChangeRunHost<T, Spec, Status>;
  readonly #declarations: readonly Declaration<T, Spec, Status>[];
  readonly #object: T;
  #attempts = 0;

  constructor(
    host: ChangeRunHost<T, Spec, Status>,
    declarations: readonly Declaration<T, Spec, Status>[],
    object: T,
  ) {
    this.#host = host;
    this.#declarations = declarations;
    this.#object = object;
  }

  async run(state: HandledState, plan: ChangePlan, resume: ChangesHandled["resume"]): Promise<Run> {
    const { lastHandled } = state, deleting = plan.pendingChange?.kind === "delete";
    const resumed = byHandler(resume === "done" ? {} : resume);
    const resumes = plan.resumes ? this.#resumes(deleting) : [];
    const resumption: Change = { kind: "resume", old: lastHandled?.content, next: lastHandled?.content, diff: [] };
    for (const each of resumes) await this.#advance(each, resumption, undefined, resumed);
    const { pendingChange, adopted } = plan;
    const remembered = { ...(lastHandled ? { lastHandled } : {}), ...(state.gaveUp ? { gaveUp: state.gaveUp } : {}) };
    const open = () => resumes.some(({ id }) => !isFinished(resumed[id])) ? resumed : "done" as const;
    if (!pendingChange) {
      return {
        outcome: this.#outcome(resumes, resumed),
        state: adopted ? { ...remembered, lastHandled: adopted } : remembered,
        finished: true,
        acted: this.#attempts > 0,
        resume: open(),
        handlerFailures: [...givenUp(state), ...this.#handlerFailures(resumes, resumed)],
      };
    }
    const change = changeOf(lastHandled, pendingChange), progress = byHandler(pendingChange.progress);
    const handlers = this.#handlersOf(lastHandled, pendingChange);
    for (const each of handlers) {
      await this.#advance(each, change, this.#field(each, lastHandled, pendingChange), progress);
    }
    // A permanent error keeps the object until it changes. Exhausted attempts release it.
    const holds = (id: string) => deleting && progress[id]?.outcome === "failed";
    const finished = handlers.every(({ id }) => isFinished(progress[id]) && !holds(id));
    const handlerFailures = [...this.#handlerFailures(handlers, progress), ...this.#handlerFailures(resumes, resumed)];
    // A change without handlers repairs nothing: handlers that gave up stay given up.
    const before = handlers.length === 0 ? givenUp(state) : [];
    return {
      outcome: this.#outcome([...handlers, ...resumes], byHandler({ ...resumed, ...progress })),
      state: finished && !deleting
        ? settled(pendingChange, handlers.length === 0 ? state.gaveUp : givenUpOf(handlers, progress))
        : { ...remembered, pendingChange: { ...pendingChange, progress } },
      finished,
      acted: this.#attempts > 0 || (finished && handlers.length > 0) || (finished && pendingChange.kind === "create"),
      resume: open(),
      handlerFailures: [...before, ...handlerFailures],
    };
  }

  #resumes(deleting: boolean): readonly Declaration<T, Spec, Status>[] {
    return this.#matching((each) =>
      each.kinds.has("resume") && (!deleting || each.deleted === true) &&
      (each.field === undefined || this.#holdsNow(each))
    );
  }

  #handlersOf(
    lastHandled: HandledState["lastHandled"],
    pendingChange: PendingChange,
  ): readonly Declaration<T, Spec, Status>[] {
    return this.#matching((each) => {
      if (!each.kinds.has(pendingChange.kind)) return false;
      if (each.field === undefined) return true;
      if (pendingChange.kind === "delete") return this.#holdsNow(each);
      const { changed, old, next } = this.#field(each, lastHandled, pendingChange)!;
      const asks = [each.value, each.old, each.next].some((filter) => filter !== undefined);
      if (!changed && (pendingChange.kind === "update" || each.ofField || !asks)) return false;
      return (each.value === undefined || matchesValue(each.value, old) || matchesValue(each.value, next)) &&
        (each.old === undefined || matchesValue(each.old, old)) &&
        (each.next === undefined || matchesValue(each.next, next));
    });
  }

  #matching(chosen: (each: Declaration<T, Spec, Status>) => boolean): readonly Declaration<T, Spec, Status>[] {
    return this.#declarations.filter((each) =>
      matchesFilter(each, this.#object, { fieldSettled: true }) && chosen(each)
    );
  }

  #holdsNow({ field, value }: Declaration<T, Spec, Status>): boolean {
    return matchesValue(value === undefined ? PRESENT : value, valueAt(this.#object, fieldPath(field!)));
  }

  #field(
    { field }: Declaration<T, Spec, Status>,
    lastHandled: HandledState["lastHandled"],
    pendingChange: PendingChange,
  ): FieldChange | undefined {
    return field === undefined ? undefined : fieldChangeOf(lastHandled, pendingChange, fieldPath(field));
  }

  /** One attempt of a handler and its sub-handlers, if due. */
  async #advance(
    { id, handler, param, ofField, ...bounds }: Declaration<T, Spec, Status>,
    change: Change,
    field: FieldChange | undefined,
    progress: Record<string, HandlerProgress>,
  ): Promise<void> {
    const nowMs = this.#host.nowMs(id, progress[id]);
    if (isFinished(progress[id]) || dueMs(progress[id]) > nowMs) return;
    const mine = progress[id] ?? begin(nowMs), added = new Map<string, Declaration<T, Spec, Status>>();
    const { old, next } = ofField && field ? field : change;
    const facts: ChangeFacts<T, Spec, Status> = {
      change: change.kind,
      old: old as HandledObject<T> | undefined, // a field handler's declaration has its type
      next: next as HandledObject<T> | undefined,
      diff: ofField && field ? diff(old, next) : change.diff,
      retry: mine.retries,
      startedMs: mine.startedMs,
      param,
      subhandler: (sub, subhandler, subBounds = {}) => {
        const full = `${id}/${sub}`;
        if (added.has(full)) throw new UsageError(`the handler ${id} adds "${sub}" twice`);
        added.set(full, { ...subBounds, id: full, kinds: new Set([change.kind]), handler: subhandler, param });
      },
    };
    this.#attempts++;
    try {
      await this.#host.attempt(handler, facts, attemptMsMax(mine, bounds, this.#host.attemptMsMax, nowMs));
    } catch (error) {
      progress[id] = this.#failed(id, mine, error, bounds);
      return;
    }
    for (const each of added.values()) await this.#advance(each, change, undefined, progress);
    const parts = [...added.keys()].map((key) => [key, progress[key]!] as const);
    progress[id] = this.#merged(id, mine, parts);
    if (!isFinished(progress[id])) return;
    for (const key of Object.keys(progress)) if (key.startsWith(`${id}/`)) delete progress[key];
  }

  #failed(id: string, progress: HandlerProgress, error: unknown, bounds: AttemptBounds): HandlerProgress {
    const nowMs = this.#host.nowMs(id, progress);
    const failed = afterError(progress, error, bounds, { pauseMs: (failures) => this.#host.pauseMs(failures), nowMs });
    const { message } = failed, after = message ? { ...failed, message: this.#host.mask.text(message) } : failed;
    if (after.outcome !== "succeeded") {
      this.#host.failed(id, error, after, after.delayedMs === undefined ? undefined : after.delayedMs - nowMs);
    }
    return after;
  }

  /** A handler is done when its sub-handlers are; it reports those that gave up. */
  #merged(
    id: string,
    progress: HandlerProgress,
    added: readonly (readonly [string, HandlerProgress])[],
  ): HandlerProgress {
    const open = added.filter(([, each]) => !isFinished(each));
    if (open.length > 0) {
      const [first, soonest] = open.reduce((one, other) => this.#leftMs(...other) < this.#leftMs(...one) ? other : one);
      const { startedMs, retries } = progress, { reason, message } = soonest;
      const delayedMs = this.#host.nowMs(id, progress) + this.#leftMs(first, soonest);
      return { startedMs, retries, delayedMs, reason, message };
    }
    const failed = added.find(([, each]) => gaveUp(each))?.[1];
    return failed
      ? { ...succeeded(progress), outcome: failed.outcome!, reason: failed.reason, message: failed.message }
      : succeeded(progress);
  }

  #leftMs(id: string, progress: HandlerProgress | undefined): number {
    return Math.max(0, dueMs(progress) - this.#host.nowMs(id, progress));
  }

  #outcome(
    handlers: readonly Declaration<T, Spec, Status>[],
    progress: Readonly<Record<string, HandlerProgress>>,
  ): Outcome {
    const open = handlers.filter(({ id }) => !isFinished(progress[id]));
    const failureFor = ({ id }: { id: string }) => {
      const { reason = "Pending", message = "waits for the handlers before it" } = progress[id] ?? {};
      return { reason, message, error: new Error(`${id}: ${message}`) };
    };
    if (open.length > 0) {
      const delayMs = Math.min(...open.map(({ id }) => this.#leftMs(id, progress[id])));
      return { kind: "retry", delayMs, ...failureFor(open[0]!), waiting: this.#attempts === 0 };
    }
    const failed = handlers.find(({ id }) => gaveUp(progress[id]));
    return failed ? { kind: "failed", ...failureFor(failed) } : { kind: "done" };
  }

  /** Each with its name if there are several. */
  #handlerFailures(
    handlers: readonly Declaration<T, Spec, Status>[],
    progress: Readonly<Record<string, HandlerProgress>>,
  ): HandlerFailure[] {
    return handlers.flatMap(({ id }) => {
      const { reason, message = "" } = progress[id] ?? {}, failed = gaveUp(progress[id]);
      if (reason === undefined || (isFinished(progress[id]) && !failed)) return [];
      return [{ handler: id, reason, message: handlers.length > 1 ? `${id}: ${message}` : message, gaveUp: failed }];
    });
  }
}
