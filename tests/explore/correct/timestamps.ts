// Correct: the status says when the last check was, and a label says it in seconds.
import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Check = defineResource({
  group: "checks.example.com",
  version: "v1",
  kind: "Check",
  spec: z.object({ target: z.string().min(1) }),
  status: z.object({ checkedAt: z.string().optional(), target: z.string().optional() }),
});

function operator(): Operator {
  const made = new Operator("checks");
  made.on(Check).reconcile(async ({ object, name, namespace, spec, cached, apply, status }) => {
    const known = cached(ConfigMap).get({ namespace, name });
    if (object.status?.target === spec.target && known?.data?.target === spec.target) {
      // Checked already; the record stays as it was.
      return void await apply(ConfigMap, { metadata: { labels: known.metadata?.labels }, data: known.data });
    }
    const now = new Date(), seconds = `${Math.floor(now.getTime() / 1_000)}`;
    await apply(ConfigMap, { metadata: { labels: { checked: seconds } }, data: { target: spec.target } });
    status.set({ checkedAt: now.toISOString(), target: spec.target });
  }, { owns: [ConfigMap] });
  return made;
}

export const correct: Suite = new Suite("timestamps", operator);

correct.scenario("a check is made for each target", async ({ given, when, then, cluster, expect, ref }) => {
  const check = ref(Check, "c");
  await given("a check", () => cluster.create(Check, { metadata: { name: "c" }, spec: { target: "one" } }));
  await then("it is made", () => expect(check).toMatch({ status: { target: "one" } }));
  await when("there is another target", () => cluster.patch(check, { spec: { target: "two" } }));
  await then("it is made again", () => expect(check).toMatch({ status: { target: "two" } }));
});
