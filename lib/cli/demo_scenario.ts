import type { ApiResource } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";

/** One line of the picture. */
export interface DemoRow {
  /** Where it is: a namespace, an object. */
  readonly name: string;
  /** `source` is what the others follow; they are missing, behind it or up to date with it. */
  readonly state: "source" | "waiting" | "outdated" | "current";
  /** A few words behind it. */
  readonly detail: string;
}

/** What a demo shows at one moment. */
export interface DemoView {
  /** From top to bottom. */
  readonly rows: readonly DemoRow[];
  /** Copies, or whatever the operator makes, that are as they should be. */
  readonly current: number;
  /** How many there should be: all has converged when `current` reaches it. */
  readonly wanted: number;
}

/** One thing that happens to the cluster, and that the operator answers. */
export interface DemoStep {
  /** What happens, in a short sentence for the watcher. */
  readonly title: string;
  /** Makes it happen; the operator's answer is not waited for. */
  act(client: Client): Promise<void>;
}

/** A story told on an embedded cluster. */
export interface DemoScenario {
  /** The heading above the picture. */
  readonly title: string;
  /** What is counted: `copies`. */
  readonly unit: string;
  /** Changes of these resources refresh the picture. */
  readonly watches: readonly ApiResource[];
  /** In order; each begins when the one before it has converged. */
  readonly steps: readonly DemoStep[];
  /** Commands to try while the demo stays up, without the kubeconfig flag. */
  readonly tryOut: readonly string[];
  /** Reads the cluster and says how far the operator is; changes nothing. */
  observe(client: Client): Promise<DemoView>;
}
