import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/mod.ts";
import type { DynamicObject, KubeObject } from "../../lib/apimachinery/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import type { CheckContext } from "../../lib/cli/doctor/check.ts";
import { deployedSettings } from "../../lib/cli/doctor/deployed_settings.ts";
import { differences } from "../../lib/cli/doctor/installation_check.ts";
import { objectsCheck } from "../../lib/cli/doctor/objects_check.ts";
import { isStarting, podProblems } from "../../lib/cli/doctor/pod_problems.ts";
import { skewFinding } from "../../lib/cli/doctor/server_checks.ts";
import { SETTINGS } from "../../lib/cli/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { type BuiltinObject, ConfigMap, Service } from "../../lib/operator/mod.ts";
import { replicator } from "../../lib/replicator/mod.ts";
import { configMapOperator, widgetKind } from "../widget.ts";

// FR-223
Deno.test("clocks may differ by seconds; then they are worth a word, and from a minute on a problem", () => {
  const verdicts = [0, 4_000, -4_000, 6_000, -59_000, 61_000].map((skewMs) => skewFinding(skewMs).verdict);
  assert.deepEqual(verdicts, ["ok", "ok", "ok", "warning", "warning", "problem"]);
  assert.match(skewFinding(90_000).message, /^the server's clock is 1m30s ahead of this machine's: tokens/);
  assert.match(skewFinding(-6_000).message, /is 6s behind/);
});

// FR-223
Deno.test("a CRD differs where its schema says more, less or something else; what a server fills in is no difference", () => {
  const [declared] = replicator().crds() as [DynamicObject];
  const live = structuredClone(JSON.parse(JSON.stringify(declared)));
  assert.deepEqual(differences(declared, live), []);
  live.spec.conversion = { strategy: "None" };
  live.spec.names.categories = [];
  live.metadata.labels = { "example.com/theirs": "yes" };
  live.status = { conditions: [] };
  assert.deepEqual(differences(declared, live), []);
  const { spec } = live.spec.versions[0].schema.openAPIV3Schema.properties;
  delete spec.properties.suspend;
  spec.properties.more = { type: "string" };
  spec.properties.source.properties.kind.enum.push("Service");
  live.spec.versions.push({ name: "v1", served: true });
  assert.deepEqual(differences(declared, live), [
    "spec.versions.v1 is not declared",
    "schema.properties.spec.properties.more is not declared",
    "schema.properties.spec.properties.source.properties.kind.enum differs",
    "schema.properties.spec.properties.suspend is missing",
  ]);
  const crd = (schema: object, version: object) =>
    ({ kind: "CustomResourceDefinition", spec: { versions: [{ name: "v1", ...version, schema }] } }) as DynamicObject;
  const empty = crd({ properties: {}, required: [] }, { subresources: { status: {} } });
  assert.deepEqual(differences(empty, crd({}, { subresources: { status: {} } })), []);
  assert.deepEqual(differences(empty, crd({}, { subresources: {} })), [
    "spec.versions.v1.subresources.status is missing",
  ]);
  const service = { kind: "Service", spec: { ports: [{ port: 443 }] } } as DynamicObject;
  const filled = { kind: "Service", spec: { ports: [{ port: 443 }], clusterIP: "10.0.0.1", type: "ClusterIP" } };
  assert.deepEqual(differences(service, filled as DynamicObject), []);
  assert.deepEqual(differences(service, { kind: "Service", spec: { ports: [] } } as DynamicObject), [
    "spec.ports differs",
  ]);
  const rule = (...verbs: string[]) => ({ apiGroups: ["apps"], resources: ["deployments"], verbs });
  assert.deepEqual(
    differences({ rules: [rule("get")] } as DynamicObject, { rules: [rule("delete"), rule("get")] } as DynamicObject),
    ["rules.deployments.apps.delete is not declared"],
  );
  const role = { rules: [{ verbs: ["get"] }] }, wider = { rules: [{ verbs: ["get", "delete"] }] };
  assert.deepEqual(differences(role as DynamicObject, wider as DynamicObject), ["rules differs"]);
});

// FR-223
Deno.test("what keeps a pod from working is told for init containers too, and a pod that is starting is in no trouble", () => {
  const trouble = (status: object) => podProblems({ status } as BuiltinObject);
  const waiting = (reason: string, more: object = {}) => [{ name: "c", state: { waiting: { reason } }, ...more }];
  assert.deepEqual(trouble({ phase: "Pending", containerStatuses: waiting("ContainerCreating") }), []);
  assert.deepEqual(trouble({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }), []);
  assert.deepEqual(trouble({}), []);
  const told: [object, string][] = [
    [{ initContainerStatuses: waiting("ErrImagePull") }, "container c waits: ErrImagePull"],
    [
      {
        containerStatuses: waiting("CrashLoopBackOff", {
          lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } },
        }),
      },
      "container c waits: CrashLoopBackOff, it ended with OOMKilled (137)",
    ],
    [
      { initContainerStatuses: [{ name: "i", state: { terminated: { reason: "Error", exitCode: 2 } } }] },
      "container i ended with Error (2)",
    ],
    [
      { containerStatuses: [{ name: "c", restartCount: 1, lastState: { terminated: { reason: "OOMKilled" } } }] },
      "container c was restarted 1 times, last with OOMKilled (?)",
    ],
    [{ containerStatuses: [{ name: "c", restartCount: 9 }] }, "container c was restarted 9 times"],
    [
      { conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }] },
      "it fits on no node: 0/3 nodes are available",
    ],
    [{ phase: "Failed", message: "evicted" }, "it failed: evicted"],
    [
      { phase: "Running", conditions: [{ type: "Ready", status: "False", message: "containers with unready status" }] },
      "it is not ready: containers with unready status",
    ],
  ];
  for (const [status, says] of told) assert.deepEqual(trouble(status), [says]);
});

// FR-223
Deno.test("a pod counts as starting for a minute, unless something in it has failed by then", () => {
  const madeMs = Date.UTC(2026, 0, 1), metadata = { creationTimestamp: new Date(madeMs).toISOString() };
  const starting = (container: object, afterMs: number) =>
    isStarting(
      { metadata, status: { containerStatuses: [{ name: "c", ...container }] } } as BuiltinObject,
      madeMs + afterMs,
    );
  assert.equal(starting({ state: { running: {} }, restartCount: 0 }, 59_000), true);
  assert.equal(starting({ state: { running: {} }, restartCount: 0 }, 61_000), false);
  assert.equal(starting({ state: { running: {} }, restartCount: 1 }, 1_000), false);
  assert.equal(starting({ state: { waiting: { reason: "ErrImagePull" } } }, 1_000), false);
});

// FR-223
Deno.test("a pod's settings are read as the program will read them; what only the node knows is taken for right", () => {
  const env = [
    { name: "PINTLE_WORKERS_MAX", valueFrom: { configMapKeyRef: {} } },
    { name: "PINTLE_LOG_LEVEL", value: "debug" },
    { name: "PATH", value: "/bin" },
  ];
  const deployment = (more: object[]) => {
    const containers = [{ name: "operator", env: [...env, ...more], resources: { limits: { memory: "1Gi" } } }];
    return { spec: { template: { spec: { containers } } } } as unknown as BuiltinObject;
  };
  const [good] = deployedSettings(deployment([]), SETTINGS);
  assert.deepEqual([good!.settings?.logLevel, good!.settings?.workersMax, good!.memoryLimit], ["debug", 16, "1Gi"]);
  const wrong = [{ name: "PINTLE_LOG_LEVL" }, { name: "PINTLE_HTTP_PORT", value: "none" }];
  const [bad] = deployedSettings(deployment(wrong), SETTINGS);
  assert.equal(bad!.settings, undefined);
  assert.match(
    bad!.problems.join("\n"),
    /^PINTLE_LOG_LEVL is not a setting; did you mean PINTLE_LOG_LEVEL\?\nPINTLE_HTTP/,
  );
  assert.deepEqual(deployedSettings({} as BuiltinObject, SETTINGS), []);
});

// FR-223
Deno.test("an object whose deletion waits for a minute is a problem where the operator holds it", async () => {
  const clock = new VirtualClock(), api = new EmbeddedApiServer({ clock });
  const transport = api.transport(), client = new Client(transport, { fieldManager: "test", clock });
  const Widget = widgetKind("doctor"), operator = configMapOperator(Widget);
  operator.on(Widget).delete(() => {});
  operator.on(ConfigMap).delete(() => {});
  operator.on(Service).daemon(() => Promise.resolve());
  await applyCrds(client, operator);
  const make = async (kind: typeof Widget | typeof ConfigMap | typeof Service, name: string, finalizers: string[]) => {
    const apiVersion = kind === Widget ? `${Widget.group}/v1` : "v1", metadata = { namespace: "default", name };
    const spec = kind === Service ? { spec: { ports: [{ port: 80 }] } } : {};
    await client.create<KubeObject>(kind, {
      apiVersion,
      kind: kind.kind,
      metadata: { ...metadata, finalizers },
      ...spec,
    });
    await client.delete(kind, metadata);
  };
  await make(Widget, "ours", [operator.finalizer(Widget), "example.com/theirs"]);
  await make(Widget, "theirs", ["example.com/theirs"]);
  await make(ConfigMap, "somebodys", [operator.finalizer(ConfigMap)]);
  await make(Service, "watched", [operator.finalizer(Service)]);
  const signal = new AbortController().signal, account = { namespace: "widgets-system", name: "widgets" };
  const context = { client, transport, clock, operator, program: "widgets", account, signal } as unknown;
  const look = async () =>
    (await objectsCheck.run(context as CheckContext)).map(({ verdict, message }) => [verdict, message]);
  assert.deepEqual(await look(), [["ok", "all is well with widgets.doctor.test.pintle.dev, configmaps, services"]]);
  await clock.advance(61_000);
  assert.deepEqual(await look(), [
    [
      "problem",
      "1 deleted widgets.doctor.test.pintle.dev wait for the operator to remove doctor.test.pintle.dev/widgets: default/ours (for 1m1s)",
    ],
    [
      "warning",
      "1 deleted widgets.doctor.test.pintle.dev wait for finalizers of others (example.com/theirs): default/theirs (for 1m1s)",
    ],
    [
      "problem",
      "1 deleted configmaps wait for the operator to remove pintle.dev/widgets: default/somebodys (for 1m1s)",
    ],
    [
      "problem",
      "1 deleted services wait for the operator to remove pintle.dev/widgets: default/watched (for 1m1s)",
    ],
  ]);
  await api.settled();
  api.close();
});
