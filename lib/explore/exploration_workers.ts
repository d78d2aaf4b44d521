import { type Clock, describeError, type TimerHandle } from "../base/mod.ts";
import type { PlannedScenario } from "../harness/mod.ts";
import { type Exploration, explore, type ExploreOptions, INTERRUPTED, NOTHING_EXPLORED } from "./explorer.ts";

/** By which a program knows that it was started as such a worker. */
const WORKER_NAME = "pintle exploration";
/** A worker that is not ready by then has another main module than expected. */
const READY_MS_MAX = 120_000;
/** Longest silence of a worker that explores, and of one that is interrupted: code in it may never end. */
const SILENCE_MS_MAX = 300_000, INTERRUPT_MS_MAX = 5_000;

const SILENT = "it says nothing any more: some code of the scenario or the operator does not end";

/** What a worker gets as options: all that a message can carry. */
type SentOptions = Omit<ExploreOptions, "signal" | "onPlan">;
type Order = { readonly nth: number; readonly options: SentOptions } | "interrupt";
type Plans = Parameters<NonNullable<ExploreOptions["onPlan"]>>[0];
type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "plan"; readonly plans: Plans }
  | { readonly kind: "done"; readonly exploration: Exploration }
  | { readonly kind: "failed"; readonly message: string };

/** A scenario that waits for a worker, or is explored. */
interface Job {
  readonly nth: number;
  readonly options: ExploreOptions;
  readonly ended: PromiseWithResolvers<Exploration>;
}

interface ExplorationWorkersOptions {
  /** URL of the main module. */
  readonly module: string;
  /** Workers at the same time; each starts when there is work for it. */
  readonly countMax: number;
  readonly clock: Clock;
}

/**
 * Explores scenarios at the same time, each in a worker: a program of its own with the same main module, which calls
 * {@linkcode serveExplorations} with the same scenarios in the same order. Results do not depend on the number of
 * workers.
 */
export class ExplorationWorkers implements Disposable {
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #waiting: Job[] = [];
  readonly #running = new Map<Worker, Job>();
  /** Each ends a worker that says nothing until then. */
  readonly #deadlines = new Map<Worker, TimerHandle>();
  readonly #options: ExplorationWorkersOptions;
  #keepsProcess = false;

  constructor(options: ExplorationWorkersOptions) {
    this.#options = options;
  }

  /** Whether a worker was ended whose code does not end: it keeps the process alive until that exits. */
  get keepsProcess(): boolean {
    return this.#keepsProcess;
  }

  /**
   * As {@linkcode explore} for the scenario at this index. A worker that fails is the exploration's problem.
   */
  explore(nth: number, options: ExploreOptions): Promise<Exploration> {
    if (options.signal.aborted) return Promise.resolve(INTERRUPTED);
    const job: Job = { nth, options, ended: Promise.withResolvers() };
    this.#waiting.push(job);
    if (this.#idle.length === 0 && this.#workers.length < this.#options.countMax) this.#start();
    this.#assign();
    return job.ended.promise;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers.splice(0)) this.#terminate(worker);
  }

  #start(): void {
    const { module } = this.#options, worker = new Worker(module, { type: "module", name: WORKER_NAME });
    this.#workers.push(worker);
    this.#expect(worker, READY_MS_MAX, `${module} does not explore when it is the main module of a worker`);
    worker.onmessage = ({ data }: MessageEvent<Report>) => this.#onReport(worker, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(worker, event.message);
    };
  }

  #assign(): void {
    while (this.#waiting.length > 0 && this.#idle.length > 0) {
      const job = this.#waiting.shift()!, { signal, onPlan: _, ...options } = job.options;
      if (signal.aborted) {
        job.ended.resolve(INTERRUPTED);
        continue;
      }
      const worker = this.#idle.shift()!;
      this.#running.set(worker, job);
      const send = (order: Order) => worker.postMessage(order);
      send({ nth: job.nth, options });
      this.#expect(worker, SILENCE_MS_MAX, SILENT);
      signal.addEventListener("abort", () => {
        if (this.#running.get(worker) !== job) return;
        send("interrupt");
        this.#expect(worker, INTERRUPT_MS_MAX, SILENT);
      }, { once: true });
    }
  }

  #onReport(worker: Worker, report: Report): void {
    const job = this.#running.get(worker);
    if (report.kind === "failed") return this.#fail(worker, report.message);
    if (report.kind === "plan") {
      if (!job!.options.signal.aborted) this.#expect(worker, SILENCE_MS_MAX, SILENT);
      return job!.options.onPlan?.(report.plans);
    }
    this.#expectNothing(worker);
    this.#running.delete(worker);
    this.#idle.push(worker);
    if (report.kind === "done") job!.ended.resolve(report.exploration);
    this.#assign();
  }

  /** A worker that failed once may be in any state; one that cannot load fails every scenario. */
  #fail(worker: Worker, message: string): void {
    const problem = `a worker of the exploration failed: ${message}`, job = this.#running.get(worker);
    this.#terminate(worker);
    this.#running.delete(worker);
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    for (const { ended, options } of job ? [job] : this.#waiting.splice(0)) {
      ended.resolve(options.signal.aborted ? INTERRUPTED : { ...NOTHING_EXPLORED, problem });
    }
    if (this.#waiting.length > 0) this.#start();
  }

  #terminate(worker: Worker): void {
    this.#expectNothing(worker);
    worker.terminate();
  }

  /** Ends the worker unless it reports something in time. */
  #expect(worker: Worker, withinMs: number, failure: string): void {
    this.#expectNothing(worker);
    const end = () => {
      this.#keepsProcess = true;
      this.#fail(worker, failure);
    };
    this.#deadlines.set(worker, this.#options.clock.schedule(end, withinMs));
  }

  #expectNothing(worker: Worker): void {
    const timer = this.#deadlines.get(worker);
    if (timer) this.#options.clock.clear(timer);
    this.#deadlines.delete(worker);
  }
}

/** The same names in a worker as on the main thread, which has none of them. */
interface WorkerScope {
  readonly name?: string;
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(report: Report): void;
}

/** Whether this program was started as a worker of {@linkcode ExplorationWorkers}. */
export function isExplorationWorker(): boolean {
  return (globalThis as unknown as WorkerScope).name === WORKER_NAME;
}

/** A worker's part: explores what it is asked for, one scenario at a time. Never resolves: the worker is terminated. */
export function serveExplorations(planned: readonly PlannedScenario[]): Promise<never> {
  const scope = globalThis as unknown as WorkerScope;
  let interrupted = new AbortController();
  scope.onmessage = ({ data }) => {
    if (data === "interrupt") return interrupted.abort();
    interrupted = new AbortController();
    const { signal } = interrupted, onPlan = (plans: Plans) => scope.postMessage({ kind: "plan", plans });
    explore(planned[data.nth]!, { ...data.options, signal, onPlan }).then(
      (exploration) => scope.postMessage({ kind: "done", exploration }),
    ).catch((error) => scope.postMessage({ kind: "failed", message: describeError(error) }));
  };
  scope.postMessage({ kind: "ready" });
  return new Promise(() => {});
}
