import { type Clock, sleep } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import { matchesFilter } from "../handling/filter.ts";
import { afterError, begin, gaveUp, type HandlerProgress } from "../handling/progress.ts";
import type { DaemonContext } from "./context.ts";
import type { DaemonDeclaration } from "./declaration.ts";

/** A daemon that has run for so long after an error counts as well again. */
const WELL_MS = 60_000;

/** What daemons need of their controller. */
export interface DaemonHost<T extends KubeObject, Spec, Status extends object> {
  readonly clock: Clock;
  /** The logger for lines about an object. */
  logger(key: string): Logger;
  /** The pause after so many failures in a row. */
  pauseMs(failures: number): number;
  /** What a daemon gets. */
  context(key: string, own: DaemonOwn): DaemonContext<T, Spec, Status> | undefined;
  /** The object is to be looked at again: a daemon ended, failed, or is well again. */
  look(key: string): void;
}

/** What of a daemon's context is its own. */
export type DaemonOwn = Pick<
  DaemonContext<KubeObject, unknown, object>,
  "stopped" | "signal" | "retry" | "startedMs" | "param"
>;

/** Why an object's daemon does not run as it should. */
export interface DaemonTrouble {
  readonly reason: string;
  readonly message: string;
}

interface Running {
  readonly stop: AbortController;
  readonly cut: AbortController;
  progress: HandlerProgress;
  trouble?: DaemonTrouble;
  /** Whether nobody waits for it any more. */
  abandoned: boolean;
  ended: boolean;
  /** Resolves when it has ended, or nobody waits for it any more. */
  readonly over: PromiseWithResolvers<void>;
}

/**
 * Runs the daemons of a kind: one of each for every object that it is for, from the moment the object is seen until it goes, no
 * longer matches, or the operator stops. One that ends by itself is not started again in this process.
 */
export class DaemonHandling<T extends KubeObject, Spec, Status extends object> {
  readonly #declarations: readonly DaemonDeclaration<T, Spec, Status>[];
  readonly #host: DaemonHost<T, Spec, Status>;
  readonly #running = new Map<string, Map<string, Running>>();
  #closing = false;

  constructor(declarations: readonly DaemonDeclaration<T, Spec, Status>[], host: DaemonHost<T, Spec, Status>) {
    this.#declarations = declarations;
    this.#host = host;
  }

  /** Whether an object must not go before its daemons have ended. */
  holds(object: T): boolean {
    return this.#declarations.some((each) => matchesFilter(each, object));
  }

  /** Starts and stops the daemons of an object as it is now. Answers whether all that should end have ended. */
  tend(key: string, object: T, deleting: boolean): boolean {
    const running = this.#running.get(key) ?? new Map<string, Running>();
    let settled = true;
    for (const each of this.#declarations) {
      const wanted = !deleting && !this.#closing && matchesFilter(each, object), known = running.get(each.id);
      if (wanted && !known) this.#start(key, each, running);
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

  /** The first trouble of an object's daemons. */
  troubleOf(key: string): DaemonTrouble | undefined {
    for (const { trouble } of this.#running.get(key)?.values() ?? []) if (trouble) return trouble;
    return undefined;
  }

  /** An object is gone without warning: its daemons end, and nobody waits for them. */
  forget(key: string): void {
    for (const each of this.#declarations) {
      const running = this.#running.get(key)?.get(each.id);
      if (running && !running.ended) this.#stop(key, each, running, "the object is gone");
    }
    this.#running.delete(key);
  }

  /** Ends every daemon and resolves when they have ended; `abort` cuts them short. */
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

  /** Ends the daemons of some objects and resolves when they have ended, or are let go of; `abort` cuts them short. */
  async release(which: (key: string) => boolean, abort: AbortSignal): Promise<void> {
    for (const [key, running] of this.#running) {
      if (!which(key)) continue;
      for (const each of this.#declarations) {
        const known = running.get(each.id);
        if (known && !known.ended) this.#stop(key, each, known, "another replica takes over, or nobody works");
      }
      this.#running.delete(key);
    }
    const ending = [...this.#unended].filter(([, key]) => which(key)).map(([running]) => running);
    await this.#over(ending, abort);
    // What a daemon left behind, unawaited, holds its signal still.
    for (const { cut } of ending) cut.abort(new DOMException("the daemon has ended", "AbortError"));
  }

  /** Resolves when daemons have ended or `abort` has cut them short. */
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

  /** Every daemon that somebody may have to wait for, of objects that are gone too. */
  readonly #unended = new Map<Running, string>();

  #start(key: string, declared: DaemonDeclaration<T, Spec, Status>, running: Map<string, Running>): void {
    const mine: Running = {
      stop: new AbortController(),
      cut: new AbortController(),
      progress: begin(this.#host.clock.now()),
      abandoned: false,
      ended: false,
      over: Promise.withResolvers<void>(),
    };
    running.set(declared.id, mine);
    this.#unended.set(mine, key);
    void mine.over.promise.then(() => this.#unended.delete(mine));
    void this.#run(key, declared, mine);
  }

  /** Asks a daemon to end, then insists, then lets go of it; each step once. */
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
        this.#host.logger(key).warn("a daemon does not heed its signal; it is let go", { daemon: id });
        this.#host.look(key);
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
      this.#host.look(key);
    }
  }

  async #attempt(key: string, declared: DaemonDeclaration<T, Spec, Status>, mine: Running): Promise<void> {
    const { clock } = this.#host, log = this.#host.logger(key), { id, param } = declared;
    const { signal: stopped } = mine.stop, { retries, startedMs } = mine.progress;
    const context = this.#host.context(key, { stopped, signal: mine.cut.signal, retry: retries, startedMs, param });
    if (!context) return mine.stop.abort();
    const well = clock.schedule(() => this.#recover(key, mine), WELL_MS);
    try {
      await declared.handler(context);
      mine.progress = { ...mine.progress, outcome: "succeeded" };
      this.#recover(key, mine);
    } catch (error) {
      if (stopped.aborted) return;
      mine.progress = afterError(
        mine.progress,
        error,
        declared,
        (failures) => this.#host.pauseMs(failures),
        clock.now(),
      );
      if (mine.progress.outcome === "succeeded") return this.#recover(key, mine); // its errors are to be ignored
      const { delayedMs, reason = "Error", message = "" } = mine.progress;
      mine.trouble = { reason, message };
      const given = gaveUp(mine.progress);
      log.warn(given ? "a daemon is given up" : "a daemon failed and is started again", {
        daemon: id,
        reason,
        error: message,
      });
      this.#host.look(key);
      if (!given) await sleep(clock, Math.max(0, (delayedMs ?? 0) - clock.now()), stopped);
    } finally {
      clock.clear(well);
    }
  }

  #recover(key: string, mine: Running): void {
    if (!mine.trouble) return;
    mine.trouble = undefined;
    this.#host.look(key);
  }
}
