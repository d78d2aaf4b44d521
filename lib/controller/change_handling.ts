import type { KubeObject } from "../apimachinery/object.ts";
import { HANDLED, type HandledState, planChange } from "../handling/change.ts";
import { digestsOnly, essenceOf, secretFieldsOf, type Snapshot, snapshotOf } from "../handling/essence.ts";
import { fieldPath, matchesFilter } from "../handling/filter.ts";
import { GenerationStorage } from "../handling/generation_storage.ts";
import { worse } from "../handling/outcome.ts";
import type { HandlerProgress } from "../handling/progress.ts";
import type { HandledStateStorage, StorageEdit } from "../handling/storage.ts";
import { type ChangeReport, ChangeRun, type ChangeRunHost } from "./change_run.ts";
import type { ControllerDeclaration } from "./declaration.ts";

/** What this process remembers of an object's changes beside the storage. */
export interface ChangePass {
  /** Whether its `resume` handlers are done. */
  readonly resumed: boolean;
  /** Whether its `delete` handlers are done, and only the finalizer is still there. */
  readonly cleaned: boolean;
  /** How far `resume` handlers are until then. */
  readonly resuming: Readonly<Record<string, HandlerProgress>>;
}

/** What a run of change handlers came to, and what is to be written of it. */
export interface ChangesHandled extends ChangeReport {
  /** Whether some handler is for the object. */
  readonly concerned: boolean;
  readonly edit: StorageEdit;
}

/** The changes of one kind's objects: recalls what was handled, plans, runs, and says what to write. */
export class ChangeHandling<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #storage: HandledStateStorage;
  /** Whether some handler asks how an object was before. */
  readonly #remembers: boolean;
  readonly #fields: readonly string[];

  constructor(declaration: ControllerDeclaration<T, Spec, Status>, storage: HandledStateStorage) {
    const { changes, kind } = declaration;
    this.#declaration = declaration;
    this.#remembers = changes.some(({ kinds, field }) => kinds.has("update") || field !== undefined);
    this.#storage = kind.hasStatus ? new GenerationStorage(storage, { marksOnly: !this.#remembers }) : storage;
    this.#fields = changes.flatMap(({ field }) => field === undefined ? [] : [fieldPath(field).join(".")]);
  }

  /** Whether an object must not go before handlers have run. */
  holds(object: T): boolean {
    return this.#deleting(object, (optional) => !optional);
  }

  /** Whether handlers would like to run before an object goes that somebody else holds. */
  attends(object: T): boolean {
    return this.#deleting(object, (optional) => optional);
  }

  /** Runs the handlers that are due, and says what is to be remembered. */
  async run(
    object: T,
    deleting: boolean,
    pass: ChangePass,
    host: ChangeRunHost<T, Spec, Status>,
  ): Promise<ChangesHandled> {
    if (deleting && pass.cleaned) {
      return { outcome: { kind: "done" }, state: {}, finished: true, acted: false, concerned: true, edit: {} };
    }
    const state = await this.#storage.recall(object);
    // What no handler is for is not marked as handled: an operator on some labelled objects must not write into all the others.
    const concerned = deleting || state.underway !== undefined ||
      this.#declaration.changes.some((each) => matchesFilter(each, object, { fieldSettled: true }));
    if (!concerned) {
      return { outcome: { kind: "done" }, state, finished: true, acted: false, concerned, edit: {} };
    }
    const snapshot = this.#snapshot(object, deleting);
    const changes = new ChangeRun(host, this.#declaration.changes, object);
    const plan = planChange(state, { snapshot, deleting, resumed: pass.resumed });
    let report = await changes.run(state, plan, pass.resuming);
    // What changed while a change was handled is the next one.
    const next = planChange(report.state, { snapshot, deleting, resumed: true });
    if (report.finished && !deleting && next.underway) {
      const { outcome, resuming } = report, second = await changes.run(report.state, next, {});
      report = { ...second, outcome: worse(outcome, second.outcome), ...(resuming ? { resuming } : {}) };
    }
    const remembers = !deleting || !report.finished;
    return {
      ...report,
      concerned,
      edit: remembers ? await this.#storage.keep(object, report.state, this.#fields) : {},
    };
  }

  /** The edit that remembers as little as will do, where an object has no room for more. */
  async slim(object: T, { base, underway }: HandledState): Promise<StorageEdit> {
    const slimmed: HandledState = {
      ...(base ? { base: digestsOnly(base, this.#fields) } : {}),
      ...(underway ? { underway: { ...underway, target: digestsOnly(underway.target, this.#fields) } } : {}),
    };
    return await this.#storage.keep(object, slimmed, this.#fields);
  }

  /** An object is gone. */
  forget(uid: string): void {
    this.#storage.forget?.(uid);
  }

  #snapshot(object: T, deleting: boolean): Snapshot {
    if (!this.#remembers && !deleting) return HANDLED;
    const { kind, ignoredFields } = this.#declaration;
    const isRecord = (annotation: string) => this.#storage.isRecord(annotation);
    return snapshotOf(essenceOf(object, { isRecord, ignoredFields, secretFields: secretFieldsOf(kind) }));
  }

  #deleting(object: T, wanted: (optional: boolean) => boolean): boolean {
    return this.#declaration.changes.some((each) =>
      each.kinds.has("delete") && wanted(each.optional ?? false) && matchesFilter(each, object)
    );
  }
}
