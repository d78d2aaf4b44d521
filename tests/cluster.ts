import { SystemClock } from "../lib/base/mod.ts";
import { loadKubeconfig } from "../lib/client/mod.ts";
import { type Cluster, type ClusterSource, EmbeddedCluster, KubeconfigCluster } from "../lib/harness/mod.ts";

/** Opens the cluster that this run of the tests is about: one of its own for each caller, or the real one that all share. */
export async function openCluster(): Promise<Cluster> {
  const path = Deno.env.get("PINTLE_TEST_KUBECONFIG");
  if (!path) return new EmbeddedCluster();
  // The real control plane that `deno task test:envtest` started: its users clean up what they make.
  return new KubeconfigCluster("envtest", await loadKubeconfig({ paths: [path], clock: new SystemClock() }));
}

/** The same cluster, for scenarios. */
export function testSource(): ClusterSource {
  const real = Deno.env.has("PINTLE_TEST_KUBECONFIG");
  return { kind: real ? "envtest" : "embedded", isolated: !real, open: openCluster };
}
