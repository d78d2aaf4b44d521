import type { ApiResource } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";

/** One line of the picture. */
export interface DemoRow {
  /** Where it is: a namespace, an object. */
  readonly name: string;
  /** `source` is what the others follow; they are missing, behind it or up to date with it. */
  readonly state: "source" | "waiting" | "outdated" | "current";
  /** A short text after it. */
  readonly detail: string;
}

/** What a demo shows at one time. */
export interface DemoView {
  /** From top to bottom. */
  readonly rows: readonly DemoRow[];
  /** Objects of the operator that are up to date. */
  readonly current: number;
  /** How many there should be; the step has converged when `current` reaches it. */
  readonly wanted: number;
}

/** A change of the cluster to which the operator reacts. */
export interface DemoStep {
  /** The change, in a short sentence. */
  readonly title: string;
  /** Makes the change; does not wait for the operator. */
  act(client: Client): Promise<void>;
}

/** The steps of a demo on an embedded cluster. */
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
  /** Reads how far the operator is; changes nothing. */
  observe(client: Client): Promise<DemoView>;
}
