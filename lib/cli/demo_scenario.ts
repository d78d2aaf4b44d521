import type { ApiResource } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";

/** A line of the picture. */
export interface DemoRow {
  /** A namespace or an object. */
  readonly name: string;
  /** Others follow the `source`: they are missing, behind it or up to date with it. */
  readonly state: "source" | "waiting" | "outdated" | "current";
  /** A short text after the state. */
  readonly detail: string;
}

/** One state of a demo. */
export interface DemoView {
  /** From top to bottom. */
  readonly rows: readonly DemoRow[];
  /** Up-to-date objects of the operator. */
  readonly current: number;
  /** How many there should be; a step has converged once `current` reaches it. */
  readonly wanted: number;
}

/** A change to which the operator reacts. */
export interface DemoStep {
  /** The change, in a short sentence. */
  readonly title: string;
  /** Makes the change without waiting for the operator. */
  act(client: Client): Promise<void>;
}

/** The steps of a demo on an embedded cluster. */
export interface DemoScenario {
  /** Heading of the picture. */
  readonly title: string;
  /** What is counted, such as `copies`. */
  readonly unit: string;
  /** Resources whose changes refresh the picture. */
  readonly watches: readonly ApiResource[];
  /** In order; each begins once the one before it has converged. */
  readonly steps: readonly DemoStep[];
  /** Commands to try while the demo runs, without the kubeconfig flag. */
  readonly suggestions: readonly string[];
  /** Reads the operator's progress; changes nothing. */
  observe(client: Client): Promise<DemoView>;
}
