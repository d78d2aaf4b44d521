// Copies in another namespace are looked up in the store when their source goes: one that it does not show yet stays.
import { ConfigMap, type ConfigMapObject, defineResource, keyOf, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const LABEL = "shares.example.com/of";
const Share = defineResource({
  group: "shares.example.com",
  version: "v1",
  kind: "Share",
  spec: z.object({ to: z.string().min(1), text: z.string() }),
  status: z.object({ to: z.string().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("shares");
  made.on(Share).reconcile(async ({ uid, name, namespace, spec, apply, status }) => {
    const metadata = { namespace: spec.to, name: `${namespace}-${name}`, labels: { [LABEL]: uid } };
    await apply(ConfigMap, { metadata, data: { text: spec.text } }, { owned: false });
    status.set({ to: spec.to });
  }, { watches: [{ resource: ConfigMap, labelSelector: LABEL, map: () => [] }] })
    .delete(async ({ uid, cached, client }) => {
      const { items } = isFixed
        ? await client.list<ConfigMapObject>(ConfigMap, { labelSelector: `${LABEL}=${uid}` })
        : { items: [...cached(ConfigMap).values()].filter(({ metadata }) => metadata?.labels?.[LABEL] === uid) };
      for (const copy of items) await client.delete(ConfigMap, keyOf(copy));
    }, { id: "copies" });
  made.permissions({ apiGroups: [""], resources: ["configmaps"], verbs: ["list", "create", "patch", "delete"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("copies_unseen", () => operator(isFixed));
  suite.scenario("a share comes and goes", async ({ given, when, then, cluster, expect, ref }) => {
    const share = ref(Share, "a"), to = await cluster.makeNamespace("there");
    await given("a share", () => cluster.create(Share, { metadata: { name: "a" }, spec: { to, text: "hello" } }));
    await given("its copy", () => expect(share).toMatch({ status: { to } }));
    await when("it is deleted", () => cluster.delete(share));
    await then("it is gone", () => expect(share).toBeGone());
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
