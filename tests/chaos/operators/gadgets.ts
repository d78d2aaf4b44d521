/**
 * An operator with admission handlers behind a Service, as `run` in a pod hosts them, but for certificates that are
 * renewed within seconds: a fault run cannot wait for months.
 *
 * @module
 */
import { AdmissionError } from "../../../lib/admission/mod.ts";
import { parseArgs } from "node:util";
import * as z from "zod";
import { SystemClock, SystemRandom } from "../../../lib/base/mod.ts";
import { loadKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { Client, openTransport } from "../../../lib/client/mod.ts";
import { openLogging } from "../../../lib/cli/logging.ts";
import { fencedTransport, LeaderElector } from "../../../lib/election/mod.ts";
import { defineResource, Operator } from "../../../lib/operator/mod.ts";
import { hostByService } from "../../../lib/operator/webhook_hosting.ts";

/** The largest size that is admitted. */
export const SIZE_MAX = 5;

/** Has a size, and a team that admission fills in. */
export const Gadget = defineResource({
  group: "chaos.test.pintle.dev",
  version: "v1",
  kind: "Gadget",
  spec: z.object({ size: z.int(), team: z.string().optional() }),
});

/** A fresh operator. */
export function gadgets(): Operator {
  const operator = new Operator("gadgets");
  operator.on(Gadget)
    .reconcile(() => {})
    .mutate(({ draft }) => void (draft.spec.team ??= "none"), { id: "team" })
    .validate(({ spec }) => {
      if (spec.size > SIZE_MAX) throw new AdmissionError(`spec.size is above ${SIZE_MAX}`);
    }, { id: "size" });
  return operator;
}

/** A rotation of the certificates begins ten seconds after the last one, and takes twelve. */
const BOUNDS = { lifetimeMs: 120_000, renewBeforeMs: 110_000, settleMs: 6_000 }, CHECK_MS = 1_000;

async function main(kubeconfig: string): Promise<void> {
  const operator = gadgets(), clock = new SystemClock(), random = new SystemRandom();
  const logger = openLogging({ level: "info", format: "text", name: operator.name, clock });
  const { server, namespace, credentials } = await loadKubeconfig({ paths: [kubeconfig], clock });
  const transport = openTransport({ server, credentials });
  const client = new Client(transport, { fieldManager: operator.name, clock, retriesMax: 0 });
  const identity = `${Deno.env.get("HOSTNAME")}_${Math.floor(random.next() * 2 ** 40).toString(36)}`;
  const lease = { namespace, name: operator.name };
  const elector = new LeaderElector({ client, clock, random, logger, identity, lease });
  const leads = () => elector.isLeader;
  const running = await operator.start({
    transport: fencedTransport(transport, leads),
    clock,
    logger,
    leadership: elector,
  });
  hostByService({ operator, running, clock, logger }, client, {
    namespace,
    host: "0.0.0.0",
    port: 0,
    leads,
    bounds: BOUNDS,
    checkMs: CHECK_MS,
    firstCheckMs: CHECK_MS / 2,
  });
  logger.error("ends", { error: (await elector.lost).message });
  Deno.exit(1);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { kubeconfig: { type: "string" } }, strict: false });
  await main(String(values.kubeconfig));
}
