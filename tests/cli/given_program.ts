/**
 * A program for tests: an operator for a kind whose definition is not its own, with that definition and an object of it
 * as prerequisites.
 *
 * @module
 */
import * as z from "zod";
import { cli } from "../../lib/cli.ts";
import type { Client } from "../../lib/client.ts";
import { existingKind, type ObjectOf, Operator } from "../../lib/mod.ts";

const Gauge = existingKind({
  group: "given.test.pintle.dev",
  version: "v1",
  kind: "Gauge",
  schema: z.object({ level: z.int() }),
  status: z.object({ read: z.int().optional() }),
});

const operator = new Operator("reader");
operator.on(Gauge).reconcile(({ spec, status, log }) => {
  log.info("read", { level: spec.level });
  status.set({ read: spec.level });
});

const sample = {
  apiVersion: "given.test.pintle.dev/v1",
  kind: "Gauge",
  metadata: { name: "first" },
  spec: { level: 7 },
};
const broken = Deno.args.includes("--broken") ? [{ ...sample, spec: { level: "high" } }] : [];

Deno.exitCode = await cli(operator, {
  args: Deno.args.filter((arg) => arg !== "--broken"),
  env: Deno.env.toObject(),
  prerequisites: [sample, ...broken, new URL("../harness/given/gauges.yaml", import.meta.url)],
  demo: () => ({
    title: "Gauges",
    unit: "gauges",
    watches: [Gauge],
    steps: [{ title: "the first gauge is there", act: () => Promise.resolve() }],
    suggestions: [],
    observe: async (client: Client) => {
      const { items } = await client.list<ObjectOf<typeof Gauge>>(Gauge);
      return { rows: [], wanted: items.length, current: items.filter(({ status }) => status?.read === 7).length };
    },
  }),
});
