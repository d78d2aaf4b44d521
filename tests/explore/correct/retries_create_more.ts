// Correct: each order goes out with a name of its own; what an interrupted pass has left is collected.
// explore: { countsMayDiffer: ["ConfigMap"] } is not needed: the pass that succeeds deletes what it does not use.
import { ConfigMap, defineResource, type ObjectOf, Operator } from "@pintle/pintle";
import { controllerOf } from "@pintle/pintle/client";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { remove } from "../remove.ts";

const Release = defineResource({
  group: "releases.example.com",
  version: "v1",
  kind: "Release",
  spec: z.object({ image: z.string().min(1) }),
  status: z.object({ bundle: z.string().optional(), image: z.string().optional() }),
});

function operator(): Operator {
  const made = new Operator("releases");
  made.on(Release).reconcile(async ({ name, namespace, uid, spec, client, apply, status }) => {
    const { items } = await client.list<ObjectOf<typeof ConfigMap>>(ConfigMap, { namespace });
    const own = items.filter((each) => controllerOf(each)?.uid === uid);
    const current = own.filter(({ data }) => data?.image === spec.image)
      .sort((a, b) => a.metadata!.name! < b.metadata!.name! ? -1 : 1)[0];
    const bundle = current?.metadata?.name ?? `${name}-${crypto.randomUUID().slice(0, 8)}`;
    await apply(ConfigMap, { metadata: { name: bundle }, data: { image: spec.image } });
    for (const { metadata } of own) {
      if (metadata!.name !== bundle) await remove(client, ConfigMap, { namespace, name: metadata!.name! });
    }
    status.set({ bundle, image: spec.image });
  }, { owns: [ConfigMap] });
  return made;
}

export const correct: Suite = new Suite("retries_create_more", operator);

correct.scenario("a release has one bundle", async ({ given, when, then, cluster, expect, ref }) => {
  const release = ref(Release, "r");
  await given("a release", () => cluster.create(Release, { metadata: { name: "r" }, spec: { image: "shop:1" } }));
  await then("it has a bundle", () => expect(release).toMatch({ status: { image: "shop:1" } }));
  await when("there is another image", () => cluster.patch(release, { spec: { image: "shop:2" } }));
  await then("it has a bundle for that", () => expect(release).toMatch({ status: { image: "shop:2" } }));
});
