import type { Transport } from "../base/mod.ts";

/** Somebody of a cluster. */
export interface ClusterUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** A cluster that a test or a demonstration owns. Disposing stops it and removes all that it left on this machine. */
export interface Cluster extends AsyncDisposable {
  readonly kind: "embedded" | "envtest";
  /** A way in, as an administrator or as somebody else. The cluster closes it, at the latest. */
  transport(user?: ClusterUser): Transport;
  /** The text of a kubeconfig for an administrator; undefined where no socket listens. */
  readonly kubeconfig: string | undefined;
}
