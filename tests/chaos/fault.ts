import type { Clock, Random } from "../../lib/base/mod.ts";
import type { Client } from "../../lib/client/mod.ts";
import type { EnvtestCluster } from "../../lib/harness/mod.ts";
import type { Figures } from "./figures.ts";

/** What a fault has to work with. */
export interface FaultContext {
  readonly cluster: EnvtestCluster;
  /** An administrator, straight to the API server, who asks once: a refusal is an answer, too. */
  readonly client: Client;
  readonly clock: Clock;
  /** Of this fault alone, so that `--only` repeats what it did in the whole run. */
  readonly random: Random;
  /** First part of the names of everything that this fault makes. */
  readonly prefix: string;
  /** Minutes of the whole run; see `scaled`. */
  readonly minutes: number;
  /** Aborts when the run is interrupted. */
  readonly signal: AbortSignal;
  readonly figures: Figures;
  /** Tells what is under way. */
  readonly say: (line: string) => void;
}

/** One kind of fault: injects it under load, checks the state after it, and leaves nothing behind. */
export interface Fault {
  /** As `--only` names it. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly what: string;
  /** Violations go to the figures; what is thrown is a failure of the fault itself. */
  run(context: FaultContext): Promise<void>;
}
