import { SystemClock, type Transport } from "../lib/base/mod.ts";
import { impersonating, loadKubeconfig, openTransport } from "../lib/client/mod.ts";
import { EmbeddedApiServer, type UserInfo } from "../lib/apiserver/mod.ts";

/** An API server for tests: the same cases run on each kind. */
export interface TestCluster extends AsyncDisposable {
  readonly name: "embedded" | "envtest";
  /** A transport as `user`, the administrator where absent. The cluster closes it. */
  transport(user?: UserInfo): Transport;
}

/** Opens the cluster that this run of the tests is about. */
export async function openCluster(): Promise<TestCluster> {
  const kubeconfig = Deno.env.get("PINTLE_TEST_KUBECONFIG");
  return kubeconfig ? await realCluster(kubeconfig) : embeddedCluster();
}

/** The real control plane that `deno task test:envtest` started. All cases share it: they clean up what they make. */
async function realCluster(kubeconfig: string): Promise<TestCluster> {
  const { server, credentials } = await loadKubeconfig({ paths: [kubeconfig], clock: new SystemClock() });
  const transports: Transport[] = [];
  return {
    name: "envtest",
    transport: (user) => {
      const acting = user && impersonating(credentials, { user: user.name, groups: user.groups });
      const transport = openTransport({ server, credentials: acting ?? credentials });
      transports.push(transport);
      return transport;
    },
    [Symbol.asyncDispose]: () => {
      for (const transport of transports) transport.close();
      return Promise.resolve();
    },
  };
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
