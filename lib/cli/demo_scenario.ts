import type { ApiResource } from "../apimachinery/resource.ts";
import type { Client } from "../client/mod.ts";

/** One line of the picture. */
export interface DemoRow {
  readonly name: string;
  readonly state: "source" | "waiting" | "outdated" | "current";
  readonly detail: string;
}

/** What a demo shows at one moment. */
export interface DemoView {
  readonly rows: readonly DemoRow[];
  /** Copies, or whatever the operator makes, that are as they should be. */
  readonly current: number;
  readonly wanted: number;
}

/** One thing that happens to the cluster, and that the operator answers. */
export interface DemoStep {
  readonly title: string;
  act(client: Client): Promise<void>;
}

/** A story told on an embedded cluster. */
export interface DemoScenario {
  readonly title: string;
  /** What is counted: `copies`. */
  readonly unit: string;
  /** Changes of these resources refresh the picture. */
  readonly watches: readonly ApiResource[];
  readonly steps: readonly DemoStep[];
  /** Commands to try while the demo stays up, without the kubeconfig flag. */
  readonly tryOut: readonly string[];
  observe(client: Client): Promise<DemoView>;
}
