import { SystemClock } from "../lib/base/mod.ts";
import { loadKubeconfig } from "../lib/client/kubeconfig.ts";
import { type Cluster, type ClusterSource, EmbeddedCluster, KubeconfigCluster } from "../lib/harness/mod.ts";

/** Kubeconfig of the real control plane that `deno task test:envtest` started; undefined in every other run. */
export const realKubeconfig: string | undefined = Deno.env.get("PINTLE_TEST_KUBECONFIG");

/**
 * Opens the cluster that this run of the tests is about: one of its own for each caller, or the real one that all
 * share.
 */
export async function openCluster(): Promise<Cluster> {
  if (!realKubeconfig) return new EmbeddedCluster();
  // Its users clean up what they make.
  return new KubeconfigCluster("envtest", await loadKubeconfig({ paths: [realKubeconfig], clock: new SystemClock() }));
}

/** The same cluster, for scenarios. */
export function testSource(): ClusterSource {
  const real = realKubeconfig !== undefined;
  return { kind: real ? "envtest" : "embedded", isolated: !real, open: openCluster };
}
