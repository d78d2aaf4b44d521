import { describeError, type Logger, sleep } from "../base/mod.ts";
import type { KubeObject, ResourceKind } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import {
  afterError,
  begin,
  gaveUp,
  type HandlerFailure,
  type HandlerProgress,
  matchesFilter,
} from "../handling/mod.ts";
import { type ChildKinds, ChildRegistry, Children, typed } from "./children.ts";
import { type DaemonContext, objectContext, type ObjectContextHost } from "./context.ts";
import type { ControllerDeclaration, DaemonDeclaration } from "./declaration.ts";
import type { EventRecorder } from "./events.ts";
import { logFailure } from "./report.ts";
import type { StatusDraft } from "./status_draft.ts";

/** A daemon counts as recovered after running this long: within the minute after which explorations compare. */
const RECOVERED_MS = 30_000;

/** Status edits of one object that wait for a pass; beyond, the oldest is dropped. */
const REPORTS_MAX = 100;

type Report<Status extends object> = (status: StatusDraft<Status>) => void;

interface DaemonHost<T extends KubeObject> extends ObjectContextHost {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly kinds: ChildKinds;
  readonly fieldManager: string;
  logger(key: string): Logger;
  pauseMs(failures: number): number;
  latest(key: string): T | undefined;
  memo<M>(object: T, create: () => M): M;
  /** Enqueues the key: a daemon ended, failed, recovered, or has something to report. */
  enqueue(key: string, reason: "daemon" | "report"): void;
}

interface Running {
  readonly stop: AbortController;
  readonly cut: AbortController;
  progress: HandlerProgress;
  /** Elapsed time of the first start. */
  readonly beganMs: number;
  failure?: HandlerFailure;
  /** Not restarted because the spec was unreadable; restarted once it is readable. */
  unreadable: boolean;
  abandoned: boolean;
  ended: boolean;
  /** Resolves when it has ended or is abandoned. */
  readonly over: PromiseWithResolvers<void>;
}

/**
 * Runs the daemons of a kind: one per matching object, until the object goes, no longer matches, or the operator stops.
 * One that ends by itself is not restarted in this process.
 */
export class DaemonSupervisor<T extends KubeObject, Spec, Status extends object> {
  readonly #kind: ResourceKind<T, Spec, Status>;
  readonly #declarations: readonly DaemonDeclaration<T, Spec, Status>[];
  readonly #host: DaemonHost<T>;
  readonly #running = new Map<string, Map<string, Running>>();
  readonly #reports = new Map<string, Report<Status>[]>();
  #closing = false;

  constructor({ kind, daemons }: ControllerDeclaration<T, Spec, Status>, host: DaemonHost<T>) {
    this.#kind = kind;
    this.#declarations = daemons;
    this.#host = host;
  }

  needsFinalizer(object: T): boolean {
    return this.#declarations.some((each) => matchesFilter(each, object));
  }

  /** Starts and stops the daemons of an object. Returns whether all that should end have ended. */
  supervise(key: string, object: T, deleting: boolean): boolean {
    if (this.#declarations.length === 0) return true;
    const running = this.#running.get(key) ?? new Map<string, Running>();
    let settled = true;
    for (const each of this.#declarations) {
      const wanted = !deleting && !this.#closing && matchesFilter(each, object);
      const former = running.get(each.id);
      if (wanted && former?.ended && former.unreadable && this.#isReadable(object)) running.delete(each.id);
      const known = running.get(each.id);
      // A daemon with an unreadable spec is not started: the pass reports it, and the next change enqueues the key.
      if (wanted && !known && this.#isReadable(object)) this.#start(key, each, running);
      if (wanted || !known) continue;
      if (known.ended || known.abandoned) running.delete(each.id);
      else {
        this.#stop(key, each, known, deleting ? "the object is being deleted" : "the object no longer matches");
        settled = false;
      }
    }
    if (running.size > 0) this.#running.set(key, running);
    else this.#running.delete(key);
    return settled;
  }

  failuresOf(key: string): readonly HandlerFailure[] {
    const running = this.#running.get(key);
    if (!running) return [];
    return [...running.values()].flatMap(({ failure }) => failure ? [failure] : []);
  }

  /** Removes and returns the reported status edits. */
  takeReports(key: string): readonly Report<Status>[] {
    const reports = this.#reports.get(key) ?? [];
    this.#reports.delete(key);
    return reports;
  }

  hasReports(key: string): boolean {
    return this.#reports.has(key);
  }

  /** The object is gone without warning: its daemons end, and are not awaited. */
  forget(key: string): void {
    this.#reports.delete(key);
    for (const each of this.#declarations) {
      const running = this.#running.get(key)?.get(each.id);
      if (running && !running.ended) this.#stop(key, each, running, "the object is gone");
    }
    this.#running.delete(key);
  }

  /** Resolves when all daemons have ended; `abort` cuts them short. */
  async close(abort: AbortSignal): Promise<void> {
    this.#closing = true;
    const all = [...this.#running].flatMap(([key, running]) =>
      this.#declarations.flatMap((each) => {
        const known = running.get(each.id);
        return known && !known.ended ? [{ key, each, known }] : [];
      })
    );
    for (const { key, each, known } of all) this.#stop(key, each, known, "the operator stops");
    await this.#over(all.map(({ known }) => known), abort);
  }

  /** Resolves when the daemons of objects out of scope have ended or are abandoned; `abort` cuts them short. */
  async stopOutOfScope(which: (key: string) => boolean, abort: AbortSignal): Promise<void> {
    for (const [key, running] of this.#running) {
      if (!which(key)) continue;
      for (const each of this.#declarations) {
        const known = running.get(each.id);
        if (known && !known.ended) this.#stop(key, each, known, "another replica takes over, or the operator pauses");
      }
      this.#running.delete(key);
    }
    const ending = [...this.#unended].filter(([, key]) => which(key)).map(([running]) => running);
    await this.#over(ending, abort);
    // Work that a daemon did not await still holds its signal.
    for (const { cut } of ending) cut.abort(new DOMException("the daemon has ended", "AbortError"));
  }

  async #over(ending: readonly Running[], abort: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const cut = () => {
      for (const { cut } of ending) cut.abort(abort.reason);
      aborted.resolve();
    };
    if (abort.aborted) cut();
    abort.addEventListener("abort", cut, { once: true });
    await Promise.race([Promise.all(ending.map(({ over }) => over.promise)), aborted.promise]);
    abort.removeEventListener("abort", cut);
  }

  /** Every daemon that may have to be awaited, also of objects that are gone. */
  readonly #unended = new Map<Running, string>();

  #start(key: string, declared: DaemonDeclaration<T, Spec, Status>, running: Map<string, Running>): void {
    const mine: Running = {
      stop: new AbortController(),
      cut: new AbortController(),
      progress: begin(this.#host.clock.now()),
      beganMs: this.#host.clock.elapsed(),
      abandoned: false,
      unreadable: false,
      ended: false,
      over: Promise.withResolvers<void>(),
    };
    running.set(declared.id, mine);
    this.#unended.set(mine, key);
    void mine.over.promise.then(() => this.#unended.delete(mine));
    void this.#run(key, declared, mine);
  }

  /** Aborts `stopped`, then `signal`, then abandons the daemon; each step once. */
  #stop(
    key: string,
    { id, cancellationBackoffMs, cancellationTimeoutMs }: DaemonDeclaration<T, Spec, Status>,
    running: Running,
    why: string,
  ): void {
    if (running.stop.signal.aborted) return;
    const { clock } = this.#host, reason = new DOMException(why, "AbortError");
    running.stop.abort(reason);
    const insist = () => {
      running.cut.abort(reason);
      const timer = clock.schedule(() => {
        running.abandoned = true;
        running.over.resolve();
        this.#host.logger(key).warn("a daemon ignores its abort signal; it is abandoned", { daemon: id });
        this.#host.enqueue(key, "daemon");
      }, cancellationTimeoutMs);
      void running.over.promise.then(() => clock.clear(timer));
    };
    if (cancellationBackoffMs === 0) return insist();
    const timer = clock.schedule(insist, cancellationBackoffMs);
    void running.over.promise.then(() => clock.clear(timer));
  }

  async #run(key: string, declared: DaemonDeclaration<T, Spec, Status>, mine: Running): Promise<void> {
    const { clock } = this.#host, log = this.#host.logger(key), { signal: stopped } = mine.stop;
    try {
      if (declared.initialDelayMs > 0) await sleep(clock, declared.initialDelayMs, stopped);
      while (!stopped.aborted && mine.progress.outcome === undefined) await this.#attempt(key, declared, mine);
    } catch (error) {
      if (!stopped.aborted) {
        log.error("a daemon could not be run", { daemon: declared.id, error: describeError(error) });
      }
    } finally {
      mine.ended = true;
      mine.over.resolve();
      this.#host.enqueue(key, "daemon");
    }
  }

  async #attempt(key: string, declared: DaemonDeclaration<T, Spec, Status>, mine: Running): Promise<void> {
    const { clock } = this.#host, { id, param } = declared;
    const { signal: stopped } = mine.stop, { retries, startedMs } = mine.progress;
    const own = { stopped, signal: mine.cut.signal, retry: retries, startedMs, param };
    const recovered = clock.schedule(() => this.#recover(key, mine), RECOVERED_MS);
    try {
      const context = this.#context(key, id, own, mine);
      if (!context) return mine.stop.abort();
      await declared.handler(context);
      mine.progress = { ...mine.progress, outcome: "succeeded" };
      this.#recover(key, mine);
    } catch (error) {
      if (stopped.aborted) return;
      await this.#failed(key, declared, mine, error);
    } finally {
      clock.clear(recovered);
    }
  }

  async #failed(
    key: string,
    declared: DaemonDeclaration<T, Spec, Status>,
    mine: Running,
    error: unknown,
  ): Promise<void> {
    const { clock } = this.#host, { id } = declared, nowMs = this.#nowMs(mine);
    const pauseMs = (failures: number) => this.#host.pauseMs(failures);
    mine.progress = afterError(mine.progress, error, declared, { pauseMs, nowMs });
    if (mine.progress.outcome === "succeeded") return this.#recover(key, mine); // its errors are to be ignored
    const { delayedMs, retries, reason = "Error", message = "" } = mine.progress;
    mine.failure = { handler: id, reason, message, gaveUp: gaveUp(mine.progress) };
    const retryInMs = mine.failure.gaveUp ? undefined : Math.max(0, (delayedMs ?? nowMs) - nowMs);
    logFailure(this.#host.logger(key), { handler: id, error, reason, attempt: retries, retryInMs });
    this.#host.enqueue(key, "daemon");
    if (retryInMs !== undefined) await sleep(clock, retryInMs, mine.stop.signal);
  }

  /** The first start, plus what has elapsed since. */
  #nowMs({ progress, beganMs }: Running): number {
    return progress.startedMs + this.#host.clock.elapsed() - beganMs;
  }

  #recover(key: string, mine: Running): void {
    if (!mine.failure) return;
    mine.failure = undefined;
    this.#host.enqueue(key, "daemon");
  }

  #isReadable(object: T): boolean {
    try {
      this.#kind.parseSpec(object);
      return true;
    } catch {
      return false; // the pass over the object reports why
    }
  }

  #report(key: string, write: Report<Status>): void {
    const reports = this.#reports.get(key) ?? [];
    if (reports.length >= REPORTS_MAX) reports.shift();
    reports.push(write);
    this.#reports.set(key, reports);
    this.#host.enqueue(key, "report");
  }

  /** Undefined if the object is gone. @throws if its spec cannot be read. */
  #context(key: string, id: string, own: DaemonOwn, mine: Running): DaemonContext<T, Spec, Status> | undefined {
    const stored = this.#host.latest(key);
    if (!stored) return undefined;
    const object = typed(stored, this.#kind), client = this.#host.client.with({ signal: own.signal });
    let spec: Spec;
    try {
      spec = this.#kind.parseSpec(object);
    } catch (error) {
      mine.unreadable = true;
      throw error;
    }
    mine.unreadable = false;
    const memo = <M>(create: () => M) => this.#host.memo(object, create);
    const log = this.#host.logger(key), registry = new ChildRegistry({ repeats: true });
    const host = { ...this.#host, declaration: { kind: this.#kind }, registry, handler: id, memo, log };
    const children = new Children(object, client, host);
    return {
      ...objectContext(this.#host, {
        object,
        client,
        events: this.#host.events.immediate(object, own.signal),
        log,
        signal: own.signal,
        memo,
      }),
      ...own,
      spec,
      latest: () => this.#host.latest(key),
      report: (write) => this.#report(key, write),
      apply: (kind, child, options) => children.apply(kind, child, options),
      applyManifest: (manifest, options) => children.applyManifest(manifest, options),
    };
  }
}

type DaemonOwn = Pick<
  DaemonContext<KubeObject, unknown, object>,
  "stopped" | "signal" | "retry" | "startedMs" | "param"
>;
