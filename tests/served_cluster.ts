import { EmbeddedApiServer, HttpsServer, type ServerLimits } from "../lib/apiserver/mod.ts";
import type { Cluster } from "../lib/harness/mod.ts";
import { openCluster } from "./cluster.ts";

/** A cluster that other programs can reach. */
export interface ServedCluster extends Cluster {
  /** Path of a kubeconfig for an administrator. */
  readonly kubeconfigPath: string;
}

/** The cluster that this run of the tests is about, over HTTPS. `limits` are the embedded server's. */
export async function openServedCluster(limits: Partial<ServerLimits> = {}): Promise<ServedCluster> {
  const kubeconfigPath = Deno.env.get("PINTLE_TEST_KUBECONFIG");
  if (kubeconfigPath) return Object.assign(await openCluster(), { kubeconfigPath });
  const api = new EmbeddedApiServer({ limits });
  const folder = await Deno.makeTempDir({ prefix: "pintle-served-" });
  const door = await HttpsServer.start(api, { nowMs: Date.now() });
  await door.writeKubeconfig(`${folder}/kubeconfig`);
  return {
    kind: "embedded",
    kubeconfig: door.kubeconfig,
    kubeconfigPath: `${folder}/kubeconfig`,
    transport: (user) => api.transport(user),
    [Symbol.asyncDispose]: async () => {
      await door[Symbol.asyncDispose]();
      await api.settled();
      api.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
