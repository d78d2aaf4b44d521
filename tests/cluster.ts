import type { Transport } from "../lib/base/mod.ts";
import { EmbeddedApiServer, type UserInfo } from "../lib/apiserver/mod.ts";

/** An API server for tests: the same cases run on each kind. */
export interface TestCluster extends AsyncDisposable {
  readonly name: "embedded" | "envtest";
  /** A transport as `user`, the administrator where absent. The cluster closes it. */
  transport(user?: UserInfo): Transport;
}

/** Opens the cluster that this run of the tests is about. */
export function openCluster(): Promise<TestCluster> {
  // A real API server goes here, where PINTLE_TEST_KUBECONFIG names its kubeconfig; the cases ask for nothing else.
  return Promise.resolve(embeddedCluster());
}

function embeddedCluster(): TestCluster {
  const server = new EmbeddedApiServer();
  return {
    name: "embedded",
    transport: (user) => server.transport(user),
    [Symbol.asyncDispose]: async () => {
      await server.settled();
      server.close();
    },
  };
}
