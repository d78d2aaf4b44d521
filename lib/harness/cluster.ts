import type { Transport, TransportRequest } from "../base/mod.ts";

/** A user identity. */
export interface ClusterUser {
  /** User name, as RBAC knows it. */
  readonly name: string;
  /** Its groups, as RBAC knows them. */
  readonly groups: readonly string[];
}

/** The kinds of clusters that scenarios run on. */
export type ClusterKind = "embedded" | "envtest" | "kind" | "current";

/**
 * A cluster that a test or a demonstration uses. Disposing stops what it started and removes all that it left on this
 * machine.
 */
export interface Cluster extends AsyncDisposable {
  /** Which kind it is. */
  readonly kind: ClusterKind;
  /** A transport, as an administrator or as another user. The cluster closes it at the latest. */
  transport(user?: ClusterUser): Transport;
  /** The text of a kubeconfig for an administrator; undefined where no socket listens. */
  readonly kubeconfig: string | undefined;
  /**
   * Answers for a Service inside of the cluster with code of this process, where that is possible; until the function
   * is called.
   */
  serveService?(
    namespace: string,
    name: string,
    fetch: (path: string, request: TransportRequest) => Promise<Response>,
  ): () => void;
  /** Whether it was there before or is to be kept: what is made in it has to be removed from it. False where absent. */
  readonly stays?: boolean;
}

/** Where clusters come from. */
export interface ClusterSource {
  /** Which kind it is. */
  readonly kind: ClusterKind;
  /** Whether each scenario gets a cluster of its own: they then run at the same time. Else all share one. */
  readonly isolated: boolean;
  /**
   * Asks a person for what a run on this cluster needs their consent; called before anything is shown or begun.
   *
   * @throws {UsageError} where consent is refused, or no terminal can ask for it.
   */
  agree?(): Promise<void>;
  /**
   * Opens a cluster. `onStage` gets the names of slow parts, such as a download.
   *
   * @throws {UsageError} saying what this machine lacks, and how to get it.
   */
  open(signal: AbortSignal, onStage?: (what: string) => void): Promise<Cluster>;
}

/** How the API server knows the account of a pod: the user of a ServiceAccount. */
export function serviceAccountUser(namespace: string, name: string): ClusterUser {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  return { name: `system:serviceaccount:${namespace}:${name}`, groups };
}
