import type { RunningOperator, StartOptions } from "../operator/mod.ts";
import type { ClusterUser } from "./cluster.ts";

/** A scenario's operator, wherever it runs. */
export interface OperatorUnderTest {
  /** Whether it was started, and not stopped, paused or killed since. */
  readonly runs: boolean;
  /** Starts it, unless it runs; resolves when it works. */
  start(): Promise<void>;
  /** Ends it as `kill -9` would: passes are cut off, clean-up handlers do not run. */
  crash(): Promise<void>;
  /** Kills it if it runs, then starts it with no memory of before. */
  restart(): Promise<void>;
  /** Stops it gracefully until {@linkcode resume}. */
  pause(): Promise<void>;
  /** Starts it after a pause or a crash. */
  resume(): Promise<void>;
  /**
   * Access to an operator in this process.
   *
   * @throws {UsageError} for other operators: declare the scenario `inProcess`, so that it is skipped there.
   */
  readonly inProcess: InProcessControl;
}

/** A request of an operator. */
export interface SeenRequest {
  /** HTTP method. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

/** The groups whose objects are reviews: they are posted, and only ask. */
const REVIEWS = /^\/apis\/(?:authentication|authorization)\.k8s\.io\//;

/** Whether a request can change the cluster. */
export function isWrite({ method, path }: SeenRequest): boolean {
  return method !== "GET" && !REVIEWS.test(path);
}

/** What happens to a write: it passes, or the process dies just before or just after the server gets it. */
export type WriteFault = (request: SeenRequest, nthWrite: number) => "pass" | "dieBefore" | "dieAfter";

/** How to start an operator in this process. */
export interface InProcessStart {
  /** Its user; its own ServiceAccount if absent. */
  readonly as?: ClusterUser;
  /** Called before each write. */
  readonly fault?: WriteFault;
  /** Called before each request reaches the server, so that a test can act then. */
  readonly before?: (request: SeenRequest) => Promise<void> | void;
  /** Further start options. */
  readonly options?: Partial<StartOptions>;
}

/** Controls an operator in this process. */
export interface InProcessControl {
  /** Starts it with options. */
  start(how: InProcessStart): Promise<void>;
  /** The running operator. */
  readonly running: RunningOperator;
  /** Its requests since its last start. */
  readonly requests: readonly SeenRequest[];
  /** Its writes, without access reviews. */
  readonly writes: readonly SeenRequest[];
  /** Waits until it has nothing to do now, apart from delayed work (timers, retries). */
  idle(): Promise<void>;
  /** Waits until it is idle or its fault struck, then ends it as `kill -9` would. */
  idleThenCrash(): Promise<void>;
}
