import * as z from "zod";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** An operator of a kind with workers of its own, and of one that it selects. */
const Widget = defineResource({ group: "queues.test.pintle.dev", version: "v1", kind: "Widget", spec: z.object({}) });
const operator = new Operator("queues");
operator.on(Widget).reconcile(() => {}, { workersMax: 3 });
operator.select({ kind: "ConfigMap" }, (kind) => kind.reconcile(() => {}, { workersMax: 2 }));
operator.select({ kind: "ServiceAccount" }, (kind) => kind.reconcile(() => {}));
if (import.meta.main) Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
