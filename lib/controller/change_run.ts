import type { Clock } from "../base/clock.ts";
import { UsageError } from "../base/errors.ts";
import type { Mask } from "../base/mask.ts";
import { diff } from "../apimachinery/diff.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import {
  type Change,
  changeOf,
  type ChangePlan,
  type FieldChange,
  fieldChangeOf,
  type HandledState,
  type Underway,
} from "../handling/change.ts";
import { fieldPath, matchesFilter, matchesValue, PRESENT, valueAt } from "../handling/filter.ts";
import type { Outcome } from "../handling/outcome.ts";
import {
  afterError,
  type AttemptBounds,
  attemptMsMax,
  begin,
  dueMs,
  gaveUp,
  type HandlerProgress,
  isFinished,
  succeeded,
} from "../handling/progress.ts";
import type { ChangeContext } from "./context.ts";
import type { ChangeDeclaration, ChangeHandler } from "./declaration.ts";

/** What of a change handler's context is its change's. */
export type ChangeFacts<T extends KubeObject, Spec, Status extends object> = Pick<
  ChangeContext<T, Spec, Status>,
  "change" | "old" | "next" | "diff" | "retry" | "startedMs" | "param" | "subhandler"
>;

/** What a run of change handlers needs of its cycle. */
export interface ChangeRunHost<T extends KubeObject, Spec, Status extends object> {
  readonly clock: Clock;
  /** Longest attempt. */
  readonly attemptMsMax: number;
  /** The pause after so many failures in a row. */
  pauseMs(failures: number): number;
  /** Takes secret values out of the messages that are remembered. */
  readonly mask: Mask;
  /** Makes one attempt; throws what the handler throws, or that it took too long. */
  attempt(
    handler: ChangeHandler<T, Spec, Status>,
    facts: ChangeFacts<T, Spec, Status>,
    msMax: number,
  ): Promise<void>;
}

/** How far the handlers of an object's changes are after a run. */
export interface ChangeReport {
  readonly outcome: Outcome;
  /** What is to be remembered from now on. */
  readonly state: HandledState;
  /** Whether nothing is left to do about the change: it succeeded, or was given up. */
  readonly finished: boolean;
  /** Whether a handler was attempted, or a change came to its end. */
  readonly acted: boolean;
  /** Progress of `resume` handlers; absent once they are done. */
  readonly resuming?: Readonly<Record<string, HandlerProgress>>;
}

type Declaration<T extends KubeObject, Spec, Status extends object> = ChangeDeclaration<T, Spec, Status>;

/**
 * Runs the handlers of one object's changes, each that matches and is due, in the order of their declaration, in one cycle. It
 * answers what to remember; writing it is the cycle's.
 */
export class ChangeRun<T extends KubeObject, Spec, Status extends object> {
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

  /** Runs what is due. `resuming` is the progress of `resume` handlers so far. */
  async run(
    state: HandledState,
    plan: ChangePlan,
    resuming: Readonly<Record<string, HandlerProgress>>,
  ): Promise<ChangeReport> {
    const { base } = state, deleting = plan.underway?.kind === "delete";
    const resumeProgress = byHandler(resuming),
      resumes = plan.resumes
        ? this.#matching((each) =>
          each.kinds.has("resume") && (!deleting || each.deleted === true) &&
          (each.field === undefined || this.#holdsNow(each))
        )
        : [];
    const resumed: Change = { kind: "resume", old: base?.essence, next: base?.essence, diff: [] };
    for (const each of resumes) await this.#advance(each, resumed, undefined, resumeProgress);
    const { underway, adopted } = plan;
    if (!underway) {
      const open = resumes.some(({ id }) => !isFinished(resumeProgress[id]));
      return {
        outcome: this.#outcome(resumes, resumeProgress),
        state: adopted ? { base: adopted } : { ...(base ? { base } : {}) },
        finished: true,
        acted: this.#attempts > 0,
        ...(open ? { resuming: resumeProgress } : {}),
      };
    }
    const change = changeOf(base, underway), progress = byHandler(underway.progress);
    const handlers = this.#handlersOf(base, underway);
    for (const each of handlers) await this.#advance(each, change, this.#field(each, base, underway), progress);
    // An object that cannot be cleaned up stays until it changes: its author said so. Attempts that ran out let it go.
    const holds = (id: string) => deleting && progress[id]?.outcome === "failed";
    const finished = handlers.every(({ id }) => isFinished(progress[id]) && !holds(id));
    const open = resumes.some(({ id }) => !isFinished(resumeProgress[id]));
    return {
      outcome: this.#outcome([...handlers, ...resumes], byHandler({ ...resumeProgress, ...progress })),
      state: finished && underway.kind !== "delete"
        ? { base: underway.target }
        : { ...(base ? { base } : {}), underway: { ...underway, progress } },
      finished,
      acted: this.#attempts > 0 || finished,
      ...(open ? { resuming: resumeProgress } : {}),
    };
  }

  /** The handlers of a change, as its filters and its fields want it. */
  #handlersOf(base: HandledState["base"], underway: Underway): readonly Declaration<T, Spec, Status>[] {
    return this.#matching((each) => {
      if (!each.kinds.has(underway.kind)) return false;
      if (each.field === undefined) return true;
      if (underway.kind === "delete") return this.#holdsNow(each);
      const { changed, old, next } = this.#field(each, base, underway)!;
      const asks = [each.value, each.old, each.next].some((filter) => filter !== undefined);
      if (!changed && (underway.kind === "update" || each.ofField || !asks)) return false;
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
    base: HandledState["base"],
    underway: Underway,
  ): FieldChange | undefined {
    return field === undefined ? undefined : fieldChangeOf(base, underway, fieldPath(field));
  }

  /** One attempt of a handler, and of what it adds, where it is due. */
  async #advance(
    { id, handler, param, ofField, ...bounds }: Declaration<T, Spec, Status>,
    change: Change,
    field: FieldChange | undefined,
    progress: Record<string, HandlerProgress>,
  ): Promise<void> {
    const nowMs = this.#host.clock.now();
    if (isFinished(progress[id]) || dueMs(progress[id]) > nowMs) return;
    const mine = progress[id] ?? begin(nowMs), added = new Map<string, Declaration<T, Spec, Status>>();
    const facts: ChangeFacts<T, Spec, Status> = {
      change: change.kind,
      ...(ofField && field
        ? { old: field.old, next: field.next, diff: diff(field.old, field.next) }
        : { old: change.old, next: change.next, diff: change.diff }),
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
      progress[id] = this.#failed(mine, error, bounds);
      return;
    }
    for (const each of added.values()) await this.#advance(each, change, undefined, progress);
    progress[id] = this.#afterAdded(mine, [...added.keys()].map((key) => progress[key]!));
    if (!isFinished(progress[id])) return;
    for (const key of Object.keys(progress)) if (key.startsWith(`${id}/`)) delete progress[key];
  }

  #failed(progress: HandlerProgress, error: unknown, bounds: AttemptBounds): HandlerProgress {
    const { mask, clock } = this.#host, pauseMs = (failures: number) => this.#host.pauseMs(failures);
    const failed = afterError(progress, error, bounds, pauseMs, clock.now());
    return failed.message === undefined ? failed : { ...failed, message: mask.text(failed.message) };
  }

  /** A handler is done when all that it added is; what was given up there is said of the handler. */
  #afterAdded(progress: HandlerProgress, added: readonly HandlerProgress[]): HandlerProgress {
    const open = added.filter((each) => !isFinished(each));
    if (open.length > 0) {
      const first = open.reduce((soonest, each) => dueMs(each) < dueMs(soonest) ? each : soonest);
      const { startedMs, retries } = progress, { reason, message } = first;
      return { startedMs, retries, delayedMs: dueMs(first), reason, message };
    }
    const failed = added.find(gaveUp);
    return failed
      ? { ...succeeded(progress), outcome: failed.outcome!, reason: failed.reason, message: failed.message }
      : succeeded(progress);
  }

  #outcome(
    handlers: readonly Declaration<T, Spec, Status>[],
    progress: Readonly<Record<string, HandlerProgress>>,
  ): Outcome {
    const nowMs = this.#host.clock.now();
    const open = handlers.filter(({ id }) => !isFinished(progress[id]));
    const say = ({ id }: { id: string }) => {
      const { reason = "Pending", message = "waits for its turn" } = progress[id] ?? {};
      const text = handlers.length > 1 ? `${id}: ${message}` : message;
      return { reason, message: text, error: new Error(text) };
    };
    if (open.length > 0) {
      const dues = open.map(({ id }) => dueMs(progress[id]));
      const delayMs = Math.max(0, Math.min(...dues) - nowMs);
      return { kind: "retry", delayMs, ...say(open[0]!), waiting: this.#attempts === 0 };
    }
    const failed = handlers.find(({ id }) => gaveUp(progress[id]));
    return failed ? { kind: "failed", ...say(failed) } : { kind: "done" };
  }
}

/** Progress without a prototype: a handler may be called `constructor` or `toString`, and has made no progress because of that. */
function byHandler(progress: Readonly<Record<string, HandlerProgress>>): Record<string, HandlerProgress> {
  return Object.assign(Object.create(null), progress);
}
