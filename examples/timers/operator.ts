// Timers: a countdown that continues after a crash, and an Event about objects that were not touched for long.
// Try it: deno run -A examples/timers/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, type Duration, Operator, TemporaryError } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** Counts down to zero, unless it is held. */
export const Countdown = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Countdown",
  columns: [{ name: "Left", type: "integer", jsonPath: ".status.left" }],
  spec: z.object({ from: z.int().min(1).max(1000), held: z.boolean().default(false) }),
  status: z.object({ left: z.int().optional() }),
});

/** A fresh operator; the defaults are for people who watch. */
export function operator(
  { interval = "1s", forgotten = "1h" }: { interval?: Duration; forgotten?: Duration } = {},
): Operator {
  const made = new Operator("countdowns");
  made.on(Countdown)
    .timer(({ object, spec, status, events }) => {
      if (spec.held) throw new TemporaryError("it is held", { delay: interval, reason: "Held" });
      // What is left stands in the object: a timer of the next process counts on from there.
      const left = (object.status?.left ?? spec.from) - 1;
      status.set({ left });
      if (left === 0) events.normal("LiftOff", `after ${spec.from}`);
    }, { id: "count", interval, sharp: true, when: ({ object }) => object.status?.left !== 0 })
    .timer(({ events }) => events.normal("Forgotten", "this was not touched for long"), {
      id: "remind",
      interval: forgotten,
      idle: forgotten,
      field: "status.left",
      value: 0,
    });
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
