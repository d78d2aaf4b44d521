import type { RunningOperator, StartOptions } from "../operator/mod.ts";
import type { ClusterUser } from "./cluster.ts";

/** The operator that a scenario is about, wherever it runs. */
export interface OperatorUnderTest {
  /** Whether it has been started and not stopped, paused or killed since. */
  readonly runs: boolean;
  /** Starts it; resolves when it works. Nothing where it runs. */
  start(): Promise<void>;
  /** Ends it as `kill -9` would: passes are cut short, clean-up handlers do not run. */
  crash(): Promise<void>;
  /** Kills it where it runs, then starts it: a new process that remembers nothing. */
  restart(): Promise<void>;
  /** Stops it gracefully and leaves it stopped until {@linkcode resume}. */
  pause(): Promise<void>;
  /** Starts it after a pause or a crash. */
  resume(): Promise<void>;
  /**
   * What can be seen and done only where the operator runs in this process.
   *
   * @throws {UsageError} where it does not: declare the scenario `inProcess`, so that it is skipped there.
   */
  readonly inProcess: InProcessControl;
}

/** One request of an operator. */
export interface SeenRequest {
  /** HTTP method. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

/** The fate of a write: it passes, or the process dies just before or just after the server gets it. */
export type WriteFault = (request: SeenRequest, nthWrite: number) => "pass" | "dieBefore" | "dieAfter";

/** How an operator in this process is started; everything has a default. */
export interface InProcessStart {
  /** Who it is for the API server; its own ServiceAccount where absent. */
  readonly as?: ClusterUser;
  /** Called before each write. */
  readonly fault?: WriteFault;
  /** Called before each request reaches the server: so that a test can act at that time. */
  readonly before?: (request: SeenRequest) => Promise<void> | void;
  /** Whatever else the operator is started with. */
  readonly options?: Partial<StartOptions>;
}

/** An operator in this process. */
export interface InProcessControl {
  /** Starts it in a particular way. */
  start(how: InProcessStart): Promise<void>;
  /** The operator itself. */
  readonly running: RunningOperator;
  /** Its requests since its last start. */
  readonly requests: readonly SeenRequest[];
  /** Those that write, access reviews not counted. */
  readonly writes: readonly SeenRequest[];
  /** Waits until it has nothing to do now; delayed work (timers, retries) does not count. */
  idle(): Promise<void>;
  /** Waits until it is idle or its fault has struck, then ends it as `kill -9` would. */
  idleThenCrash(): Promise<void>;
}
