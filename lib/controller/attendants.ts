import type { Logger } from "../base/log.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import type { StoreEvent } from "../cache/mod.ts";
import type { Client } from "../client/mod.ts";
import { type ChildKinds, Children, typed } from "./children.ts";
import type { DaemonContext } from "./context.ts";
import { CycleClient } from "./cycle_client.ts";
import { DaemonHandling, type DaemonOwn, type DaemonTrouble } from "./daemon_handling.ts";
import type { ControllerDeclaration, EventDeclaration } from "./declaration.ts";
import { EventHandling, type ObjectEvent } from "./event_handling.ts";
import type { EventRecorder } from "./event_recorder.ts";
import { objectContext, type ObjectContextHost } from "./object_context.ts";
import type { StatusDraft } from "./status_draft.ts";

/** What daemons say of an object's status before it is written; the oldest goes first. */
const REPORTS_MAX = 100;

type Report<Status extends object> = (status: StatusDraft<Status>) => void;

/** What attendants need of their controller. */
export interface AttendantsHost<T extends KubeObject> extends ObjectContextHost {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly kinds: ChildKinds;
  readonly fieldManager: string;
  readonly workersMax: number;
  logger(key: string): Logger;
  pauseMs(failures: number): number;
  /** The object as the store has it. */
  latest(key: string): T | undefined;
  memo<M>(object: T, create: () => M): M;
  /** The object is to be looked at. */
  look(key: string, reason: "daemon" | "report"): void;
}

/** Whoever attends to objects of a kind outside of their cycles: handlers of events, and daemons. */
export class Attendants<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #host: AttendantsHost<T>;
  readonly #reports = new Map<string, Report<Status>[]>();
  readonly #events: EventHandling<T> | undefined;
  readonly #daemons: DaemonHandling<T, Spec, Status> | undefined;

  constructor(declaration: ControllerDeclaration<T, Spec, Status>, host: AttendantsHost<T>) {
    this.#declaration = declaration;
    this.#host = host;
    if (declaration.events.length > 0) {
      this.#events = new EventHandling(declaration.events, {
        workersMax: host.workersMax,
        logger: (key) => host.logger(key),
        handle: (declared, event, signal) => this.#handle(declared, event, signal),
      });
    }
    if (declaration.daemons.length > 0) {
      this.#daemons = new DaemonHandling(declaration.daemons, {
        clock: host.clock,
        logger: (key) => host.logger(key),
        pauseMs: (failures) => host.pauseMs(failures),
        context: (key, own) => this.#daemonContext(key, own),
        look: (key) => host.look(key, "daemon"),
      });
    }
  }

  /** Begins to attend. `signal` cuts handlers short. */
  begin(signal: AbortSignal): void {
    this.#events?.begin(signal);
  }

  /** Shows objects that were there before anybody attended to them. */
  greet(objects: Iterable<T>): void {
    for (const object of objects) this.#events?.greet(object);
  }

  /** Takes what the watch says. */
  take(event: StoreEvent<T>): void {
    this.#events?.take(event);
  }

  /** Whether an object must not go before its daemons have ended. */
  holds(object: T): boolean {
    return this.#daemons?.holds(object) ?? false;
  }

  /** See {@linkcode DaemonHandling.tend}. */
  tend(key: string, object: T, deleting: boolean): boolean {
    return this.#daemons?.tend(key, object, deleting) ?? true;
  }

  /** See {@linkcode DaemonHandling.troubleOf}. */
  troubleOf(key: string): DaemonTrouble | undefined {
    return this.#daemons?.troubleOf(key);
  }

  /** What daemons have to say in an object's status; they are through with it. */
  reportsOf(key: string): readonly Report<Status>[] {
    const reports = this.#reports.get(key) ?? [];
    this.#reports.delete(key);
    return reports;
  }

  /** An object is gone. */
  forget(key: string): void {
    this.#reports.delete(key);
    this.#daemons?.forget(key);
  }

  /** Whether no event waits to be handled. */
  get idle(): boolean {
    return this.#events?.idle ?? true;
  }

  /** Ends what is under way for some objects; resolves when it has ended. `abort` cuts it short. */
  async release(which: (key: string) => boolean, abort: AbortSignal): Promise<void> {
    await Promise.all([this.#events?.release(which, abort), this.#daemons?.release(which, abort)]);
  }

  /** Ends everything; resolves when it has ended or `abort` cuts it short. */
  async close(abort: AbortSignal): Promise<void> {
    await Promise.all([this.#events?.close(abort), this.#daemons?.close(abort)]);
  }

  #report(key: string, write: Report<Status>): void {
    const reports = this.#reports.get(key) ?? [];
    if (reports.length >= REPORTS_MAX) reports.shift();
    reports.push(write);
    this.#reports.set(key, reports);
    this.#host.look(key, "report");
  }

  async #handle(
    { handler }: EventDeclaration<T>,
    event: ObjectEvent<T>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, events } = this.#host, object = typed(event.object, this.#declaration.kind);
    const { poster, flush } = events.poster(object);
    await handler({
      ...objectContext(this.#host, {
        object,
        client: new CycleClient(client, signal),
        events: poster,
        log: this.#host.logger(event.key),
        signal,
        memo: (create) => this.#host.memo(object, create),
      }),
      type: event.type,
      before: event.before,
    });
    await flush(signal);
  }

  #daemonContext(key: string, own: DaemonOwn): DaemonContext<T, Spec, Status> | undefined {
    const stored = this.#host.latest(key), { kind } = this.#declaration;
    if (!stored) return undefined;
    const object = typed(stored, kind), client = CycleClient.unbooked(this.#host.client, own.signal);
    const children = new Children(object, client, this.#host.kinds, this.#host.fieldManager);
    return {
      ...objectContext(this.#host, {
        object,
        client,
        events: this.#host.events.immediate(object, own.signal),
        log: this.#host.logger(key),
        signal: own.signal,
        memo: (create) => this.#host.memo(object, create),
      }),
      ...own,
      spec: kind.parseSpec(object),
      latest: () => this.#host.latest(key),
      report: (write) => this.#report(key, write),
      apply: (child, options) => children.apply(child, options),
    };
  }
}
