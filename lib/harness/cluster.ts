import type { Transport, TransportRequest } from "../base/mod.ts";

/** A user identity. */
export interface ClusterUser {
  /** The user name in RBAC. */
  readonly name: string;
  /** The groups in RBAC. */
  readonly groups: readonly string[];
}

/** Kinds of clusters that scenarios run on. */
export type ClusterKind = "embedded" | "envtest" | "kind" | "current";

/** A cluster for tests and demos. Disposing stops what it started and leaves no trace on this machine. */
export interface Cluster extends AsyncDisposable {
  /** Its kind. */
  readonly kind: ClusterKind;
  /** A transport for an administrator or another user. Disposing the cluster closes it. */
  transport(user?: ClusterUser): Transport;
  /** An administrator's kubeconfig; undefined without a socket. */
  readonly kubeconfig: string | undefined;
  /** Serves a Service of the cluster from this process, if possible, until the result is called. */
  serveService?(
    namespace: string,
    name: string,
    fetch: (path: string, request: TransportRequest) => Promise<Response>,
  ): () => void;
  /** Whether it outlives the run, so that objects must be removed. False if absent. */
  readonly stays?: boolean;
}

/** A source of clusters. */
export interface ClusterSource {
  /** Its kind. */
  readonly kind: ClusterKind;
  /** Whether each scenario gets its own cluster and runs concurrently; else all share one. */
  readonly isolated: boolean;
  /**
   * Asks for consent to run on this cluster, before anything else.
   *
   * @throws {UsageError} if it is refused, or no terminal can ask.
   */
  agree?(): Promise<void>;
  /**
   * Opens a cluster. `onStage` gets the names of slow parts, such as a download.
   *
   * @throws {UsageError} saying what this machine lacks, and the fix.
   */
  open(signal: AbortSignal, onStage?: (what: string) => void): Promise<Cluster>;
}

/** A ServiceAccount's user, as the API server knows it. */
export function serviceAccountUser(namespace: string, name: string): ClusterUser {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  return { name: `system:serviceaccount:${namespace}:${name}`, groups };
}
