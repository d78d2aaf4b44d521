// Filters: which handler is for which order, by labels, annotations, fields and whatever a function can see.
// Try it: deno run -A examples/filters/operator.ts run --cluster embedded
import * as z from "zod";
import { ABSENT, allOf, defineResource, not, Operator, type Predicate, PRESENT } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** Something that is wanted. */
export const Order = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Order",
  spec: z.object({ item: z.string().min(1), count: z.int().min(1).default(1), note: z.string().optional() }),
});

type OrderObject = Parameters<typeof Order.parseSpec>[0];
const large: Predicate<OrderObject> = ({ object }) => object.spec.count >= 100;
const fragile: Predicate<OrderObject> = ({ object }) => object.spec.item.includes("glass");

/** A fresh operator: each handler posts an Event of its own name. */
export function operator(): Operator {
  const made = new Operator("orders"), on = made.on(Order);
  const say = (reason: string) => ({ events }: { events: { normal(reason: string, message: string): void } }) =>
    events.normal(reason, "this order is for me");
  on.create(say("Express"), { id: "express", labels: { speed: "express" } });
  on.create(say("Slow"), { id: "slow", labels: { speed: ABSENT } });
  on.create(say("Gift"), { id: "gift", annotations: { "examples.pintle.dev/gift-for": PRESENT } });
  on.create(say("LargeAndSolid"), { id: "large", when: allOf(large, not(fragile)) });
  on.create(say("Noted"), { id: "noted", field: "spec.note" });
  on.update(say("Grew"), {
    id: "grew",
    field: "spec.count",
    old: (count) => Number(count) < 100,
    next: (count) => Number(count) >= 100,
  });
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
