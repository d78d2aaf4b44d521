/**
 * Records discovery and tables of a real kube-apiserver, as the fixture of tests/apiserver/schema_views_test.ts.
 *
 *     KUBEBUILDER_ASSETS=… deno run -q -A tools/record_views.ts
 *
 * @module
 */
import { WIDGET_CRD } from "../tests/conformance/cases/widget.ts";
import { type RealServer, startRealServer } from "./real_server.ts";

const CRD_SECONDS_MAX = 30;

const DISCOVERY = [
  "/api/v1",
  "/apis",
  "/apis/apps/v1",
  "/apis/batch/v1",
  "/apis/apiextensions.k8s.io/v1",
  "/apis/shop.example.com/v1",
];
const TABLES = [
  "/api/v1/namespaces",
  "/api/v1/namespaces/default/secrets",
  "/api/v1/namespaces/default/configmaps",
  "/api/v1/namespaces/default/services",
  "/api/v1/namespaces/default/pods",
  "/api/v1/namespaces/default/serviceaccounts",
  "/apis/apps/v1/namespaces/default/deployments",
  "/apis/apps/v1/namespaces/default/statefulsets",
  "/apis/apps/v1/namespaces/default/replicasets",
  "/apis/apps/v1/namespaces/default/daemonsets",
  "/apis/batch/v1/namespaces/default/jobs",
  "/apis/batch/v1/namespaces/default/cronjobs",
  "/apis/coordination.k8s.io/v1/namespaces/default/leases",
  "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
  "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
  "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
  "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
  "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
  "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  "/apis/shop.example.com/v1/namespaces/default/widgets",
];

if (import.meta.main) {
  await using server = await startRealServer();
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const { code, body } = await server.request("POST", crds, WIDGET_CRD);
  if (code !== 201) throw new Error(`the CRD was refused: ${JSON.stringify(body)}`);
  for (let second = 0; second < CRD_SECONDS_MAX; second++) {
    const { code } = await server.request("GET", "/apis/shop.example.com/v1/namespaces/default/widgets");
    if (code === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  await write("views", await views(server));
}

/** Discovery, and tables beside the lists that they show. */
async function views(server: RealServer): Promise<Record<string, unknown>> {
  const discovery: Record<string, unknown> = {}, tables: Record<string, unknown> = {};
  for (const path of DISCOVERY) discovery[path] = (await server.request("GET", path)).body;
  for (const path of TABLES) {
    const { body: list } = await server.request("GET", path);
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const { body: table } = await server.request("GET", path, undefined, undefined, accept);
    tables[path] = { list, table };
  }
  return { discovery, tables };
}

async function write(name: string, content: unknown): Promise<void> {
  const target = new URL(`../tests/apiserver/schema/fixtures/${name}.json`, import.meta.url);
  await Deno.writeTextFile(target, `${JSON.stringify(content, null, 1)}\n`);
}
