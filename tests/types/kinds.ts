// FR-381, FR-430
// Mistakes that the compiler finds: `deno task check` fails where one of them compiles.
import * as z from "zod";
import {
  ConfigMap,
  CronJob,
  defineResource,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  keyOf,
  NetworkPolicy,
  Node,
  ObjectIndex,
  type ObjectOf,
  Operator,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  requeueAfter,
  Role,
  RoleBinding,
  Secret,
  StatefulSet,
  watch,
} from "../../lib/mod.ts";

const Widget = defineResource({
  group: "types.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  spec: z.object({
    size: z.int().default(1),
    mode: z.enum(["a", "b"]).optional(),
    marks: z.record(z.string(), z.string()).optional(),
    deep: z.object({ name: z.string() }),
    hosts: z.array(z.object({ name: z.string() })).optional(),
  }),
  status: z.object({ phase: z.enum(["Pending", "Ready"]).optional() }),
  columns: [
    { name: "Size", type: "integer", jsonPath: ".spec.size" },
    { name: "Phase", jsonPath: ".status.phase" },
    { name: "Host", jsonPath: ".spec.hosts[0].name" },
    { name: "Mark", jsonPath: ".spec.marks.first" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    { name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  ],
});

const Bare = defineResource({
  group: "types.test.pintle.dev",
  version: "v1",
  kind: "Bare",
  spec: z.object({}),
});

defineResource({
  group: "types.test.pintle.dev",
  version: "v1",
  kind: "Column",
  spec: z.object({ size: z.int() }),
  // @ts-expect-error: the spec has no such field
  columns: [{ name: "Size", jsonPath: ".spec.sise" }],
});
defineResource({
  group: "types.test.pintle.dev",
  version: "v1",
  kind: "Column",
  spec: z.object({ size: z.int() }),
  // @ts-expect-error: a JSON path begins with a dot
  columns: [{ name: "Size", jsonPath: "spec.size" }],
});

const operator = new Operator("types");

operator.on(Widget).reconcile(async ({ spec, object, status, apply, applyManifest, cached }) => {
  const size: number = spec.size;
  // @ts-expect-error: a number
  const wrong: string = spec.size;
  // @ts-expect-error: no such field
  spec.sise;
  // @ts-expect-error: the picture of the object cannot be changed through its name
  object.metadata.nam;

  await apply(ConfigMap, { data: { size: `${size}`, wrong } });
  // @ts-expect-error: no such field
  await apply(ConfigMap, { dat: { size: "1" } });
  // @ts-expect-error: values of a ConfigMap are texts
  await apply(ConfigMap, { data: { size: 1 } });
  // @ts-expect-error: the server gives an object its uid
  await apply(ConfigMap, { metadata: { uid: "1" } });
  // @ts-expect-error: the kind gives apiVersion and kind
  await apply(ConfigMap, { apiVersion: "v1" });
  // @ts-expect-error: a status is no part of what is desired
  await apply(Deployment, { status: { replicas: 1 } });
  // @ts-expect-error: no such field of a container
  await apply(Pod, { spec: { containers: [{ name: "a", imag: "b" }] } });
  // @ts-expect-error: a Deployment needs a template
  await apply(Deployment, { spec: { selector: {} } });
  // @ts-expect-error: a schedule is a text
  await apply(CronJob, { spec: { schedule: 5, jobTemplate: {} } });
  // @ts-expect-error: no such option
  await apply(ConfigMap, {}, { own: false });
  // @ts-expect-error: a manifest names its version
  await applyManifest({ kind: "ConfigMap" });
  await apply(StatefulSet, { spec: { serviceName: "a", selector: {}, template: {} } });
  await apply(Job, { spec: { template: { spec: { containers: [{ name: "a" }], restartPolicy: "Never" } } } });
  await apply(PodDisruptionBudget, { spec: { minAvailable: "50%" } });
  await apply(Ingress, { spec: { defaultBackend: { service: { name: "a", port: { number: 80 } } } } });
  await apply(NetworkPolicy, { spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] } });
  await apply(Role, { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] });
  await apply(RoleBinding, { roleRef: { apiGroup: "a", kind: "Role", name: "a" }, subjects: [] });
  await apply(PersistentVolumeClaim, { spec: { resources: { requests: { storage: "1Gi" } } } });
  await apply(HorizontalPodAutoscaler, { spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "a" } } });

  const child = await apply(Deployment, { spec: { selector: {}, template: {} } });
  // @ts-expect-error: a number, or nothing
  const replicas: string = child.spec?.replicas;
  await apply(Widget, { spec: { deep: { name: replicas } } }); // fields with defaults may be left out
  // @ts-expect-error: of a kind of one's own, too, a required field must be given
  await apply(Widget, { spec: { size: 1 } });
  // @ts-expect-error: no value of the enum
  await apply(Widget, { spec: { deep: { name: "a" }, mode: "c" } });

  // @ts-expect-error: a Secret has no spec
  cached(Secret).get({ name: "a" })?.spec;
  const data: Record<string, string> | undefined = cached(Secret).get({ name: "a" })?.data;

  status.set({ phase: data ? "Ready" : "Pending" });
  // @ts-expect-error: no value of the enum
  status.set({ phase: "Done" });
  // @ts-expect-error: no such field
  status.set({ fase: "Ready" });
  status.condition({ type: "Ready", status: true, reason: "Applied" });
  // @ts-expect-error: options, not positions
  status.condition("Ready", true, "Applied", "done");
  // @ts-expect-error: a reason is missing
  status.condition({ type: "Ready", status: true });
  // @ts-expect-error: no such status
  status.condition({ type: "Ready", status: "true", reason: "Applied" });
  return requeueAfter("10m");
}, {
  owns: [ConfigMap, Deployment],
  watches: [
    watch(Secret, ({ data, metadata }) => data?.owner ? [{ name: metadata!.name! }] : []),
    // @ts-expect-error: a Secret has no spec
    watch(Secret, ({ spec }) => [spec]),
    // @ts-expect-error: names of objects, not objects
    watch(Node, (node) => [node]),
    watch(Pod, (pod, { before }) => pod.spec?.nodeName === before?.spec?.nodeName ? [] : [keyOf(pod)]),
  ],
});

operator.on(Bare).reconcile(({ status }) => {
  // @ts-expect-error: the kind declares no status
  status.set({ phase: "Ready" });
});

// @ts-expect-error: a requeue is made by requeueAfter
operator.on(Widget).reconcile(() => ({ requeueAfter: "10s" }));
// @ts-expect-error: no unit
operator.on(Widget).reconcile(() => requeueAfter("10"));
// @ts-expect-error: what a handler of changes returns would go nowhere
operator.on(Widget).create(() => ({ done: true }));
// @ts-expect-error: a handler of changes cannot ask for a requeue
operator.on(Widget).update(() => requeueAfter("10s"));
// @ts-expect-error: a daemon returns nothing
operator.on(Widget).daemon(() => Promise.resolve(5));

operator.on(Widget).update(({ old, next, diff }) => {
  const sizes: (number | undefined)[] = [old?.spec.size, next?.spec.size];
  // @ts-expect-error: no such field
  old?.spec.sise;
  // @ts-expect-error: a status is no change
  next?.status;
  return void [sizes, diff];
});

operator.on(Widget)
  .field("spec.size", ({ old, next }) => {
    const sizes: (number | undefined)[] = [old, next];
    // @ts-expect-error: a number, or nothing
    const text: string = next;
    return void [sizes, text];
  })
  .field("spec.marks.first", ({ next }) => {
    const mark: string | undefined = next;
    // @ts-expect-error: a text, or nothing
    const size: number = next;
    return void [mark, size];
  })
  .field(["metadata", "labels", "a.b/c"], ({ old }) => {
    // @ts-expect-error: of a list of keys the type is unknown
    const label: string = old;
    return void label;
  })
  // @ts-expect-error: no such field
  .field("spec.sise", () => {})
  .field(["spec", "deep", "name"], () => {})
  // @ts-expect-error: no such field
  .field(["spec", "sise"], () => {})
  // @ts-expect-error: no such field below it
  .field(["spec", "deep", "nam"], () => {})
  // @ts-expect-error: paths do not lead into lists
  .field(["spec", "hosts", "0"], () => {})
  // @ts-expect-error: no such field below it
  .field("spec.deep.nam", () => {})
  // @ts-expect-error: paths do not lead into lists
  .field("spec.hosts.0", () => {});

// @ts-expect-error: no such field
operator.on(Widget).update(() => {}, { field: "spec.sise" });
// @ts-expect-error: no such field
operator.on(Widget).update(() => {}, { field: ["spec", "sise"] });
operator.on(Deployment).update(() => {}, { field: ["metadata", "annotations", "shop.example.com/size"] });
// @ts-expect-error: no such field
operator.on(Deployment).update(() => {}, { field: ["spec", "template", "spec", "nodeNam"] });
// @ts-expect-error: no such field
operator.on(Widget).timer(() => {}, { interval: "1m", field: "status.fase", value: "Ready" });
// @ts-expect-error: no unit
operator.on(Widget).timer(() => {}, { interval: "1" });
// @ts-expect-error: no such field
operator.on(Widget).ignoreFields("spec.sise");
// @ts-expect-error: no such field
operator.on(Deployment).ignoreFields("spec.replica");
operator.on(Deployment).ignoreFields("spec.replicas", "spec.template.spec.nodeName");
operator.on(Widget).create(() => {}, { when: ({ object }) => object.spec.size > 1 });
// @ts-expect-error: no such field
operator.on(Widget).create(() => {}, { when: ({ object }) => object.spec.sise > 1 });

const byNode = new ObjectIndex("pods by node", ({ spec, metadata }: ObjectOf<typeof Pod>) => {
  return spec?.nodeName ? [[spec.nodeName, metadata!.name!] as const] : [];
});
operator.on(Pod).index(byNode);
const byMode = new ObjectIndex("widgets by mode", ({ spec, metadata }: ObjectOf<typeof Widget>) => [
  [spec.mode ?? "a", metadata.uid] as const,
]);
// @ts-expect-error: an index of Widgets is none of Secrets
operator.on(Secret).index(byMode);
operator.on(Node).event(({ name, index }) => {
  const pods: readonly string[] = index(byNode).get(name);
  // @ts-expect-error: the values of the index are texts
  const numbers: readonly number[] = index(byNode).get(name);
  return void [pods, numbers];
});
