// FR-410
// Mistakes with views that the compiler finds: `deno task check` fails where one of them compiles.
import { view } from "../../lib/apimachinery/mod.ts";
import * as z from "zod";
import { ConfigMap, defineResource, Operator, Pod, Secret, watch } from "../../lib/operator/mod.ts";

const Widget = defineResource({
  group: "views.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  spec: z.object({ size: z.int(), notes: z.string().optional() }),
  status: z.object({ phase: z.enum(["Pending", "Ready"]).optional() }),
});

const Names = view(ConfigMap, { metadataOnly: true });
const Few = view(Secret, { labelSelector: "app=shop" });
const Nodes = view(Pod, { transform: ({ spec }) => ({ spec: { nodeName: spec?.nodeName } }) });
const Sizes = view(Widget, { transform: ({ spec: { size } }) => ({ spec: { size } }) });

// @ts-expect-error: a view of metadata has no data to project
view(ConfigMap, { metadataOnly: true, transform: ({ data }) => ({ data }) });
// @ts-expect-error: the kind's objects have no such field
view(Pod, { transform: ({ data }) => ({ data }) });
// @ts-expect-error: no option of a view
view(Pod, { fieldSelector: "spec.nodeName=a" });

const operator = new Operator("views");
operator.on(Sizes).reconcile(async ({ spec, object, status, cached, apply }) => {
  spec.size.toFixed();
  object.metadata.name?.trim();
  status.set({ phase: "Ready" });
  // @ts-expect-error: the transform drops it
  spec.notes;
  // @ts-expect-error: no such phase
  status.set({ phase: "Redy" });
  // @ts-expect-error: a view of metadata has no data
  cached(Names).get({ name: "a" })?.data;
  cached(Names).get({ name: "a" })?.metadata?.labels;
  cached(Few).get({ name: "a" })?.data?.key?.trim();
  // @ts-expect-error: the transform drops it
  cached(Nodes).get({ name: "a" })?.spec.containers;
  cached(Nodes).get({ name: "a" })?.spec.nodeName?.trim();
  const applied = await apply(Names, { data: { size: `${spec.size}` } });
  // @ts-expect-error: what an apply returns may come from the store, which has metadata only
  applied.data;
  // @ts-expect-error: data holds texts
  await apply(Names, { data: { size: 1 } });
}, {
  owns: [Names, Secret],
  watches: [
    watch(Nodes, ({ metadata, spec }) => spec.nodeName ? [{ name: metadata!.name! }] : []),
    // @ts-expect-error: a view of metadata has no data
    watch(Names, ({ data }) => data ? [] : []),
    // @ts-expect-error: what is watched is a view's to say
    watch(Secret, () => [], { metadataOnly: true }),
  ],
});
operator.on(view(Pod, { metadataOnly: true })).event(({ object }) => {
  object.metadata?.name?.trim();
  // @ts-expect-error: a view of metadata has no spec
  object.spec;
});
// @ts-expect-error: the path leads to what the transform drops
operator.on(Sizes).field("spec.notes", () => {});

const sent = operator.metrics.counter("mail_sent_total", "Mails sent", { labels: ["result"] });
sent.inc({ result: "ok" });
// @ts-expect-error: the metric has a label
sent.inc();
// @ts-expect-error: no such label
sent.inc({ resul: "ok" });
const open = operator.metrics.gauge("mail_open", "Open");
open.set(1);
// @ts-expect-error: the metric has no labels
open.set({ result: "ok" }, 1);
