import { type Clock, UsageError } from "../base/mod.ts";
import type { KubeContext, ProxyVariables } from "../client/mod.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import type { Cluster, ClusterSource } from "./cluster.ts";
import { KubeconfigCluster } from "./kubeconfig_cluster.ts";

interface CurrentOptions {
  /** Kubeconfig files, in order of precedence. */
  readonly paths: readonly string[];
  /** The current context if absent. */
  readonly context?: string;
  readonly proxies?: ProxyVariables;
  readonly clock: Clock;
  /** Asked before a run on a cluster that is not on this machine; false cancels the run. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/**
 * The cluster of a kubeconfig's context. Scenarios touch only their namespaces and the operator's CRDs and RBAC rules;
 * the run removes those that it added.
 */
export class CurrentSource implements ClusterSource {
  /** An existing cluster. */
  readonly kind = "current";
  readonly isolated = false;
  readonly #options: CurrentOptions;
  #agreed: Promise<KubeContext> | undefined;

  /** Reads nothing yet. */
  constructor(options: CurrentOptions) {
    this.#options = options;
  }

  /** See {@linkcode ClusterSource.agree}. */
  async agree(): Promise<void> {
    await (this.#agreed ??= this.#confirm());
  }

  /** See {@linkcode ClusterSource.open}. */
  async open(): Promise<Cluster> {
    return new KubeconfigCluster("current", await (this.#agreed ??= this.#confirm()));
  }

  async #confirm(): Promise<KubeContext> {
    const { confirm, ...where } = this.#options;
    const found = await loadKubeconfig(where);
    if (!isLocal(found.server) && !await confirm(`run the scenarios on ${found.name} at ${found.server}?`)) {
      throw new UsageError(
        `context ${found.name} is at ${found.server}, which is not this machine`,
        "agree with --yes, choose another --context, or use --cluster embedded, envtest or kind",
      );
    }
    return found;
  }
}

/** Whether an address is loopback. */
export function isLocal(server: string): boolean {
  const { hostname } = new URL(server);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
