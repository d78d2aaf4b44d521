// A daemon: as long as an Endpoint exists, it is probed, and its status follows.
// Try it: deno run -A examples/daemons/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, type Duration, Operator, sleep } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import { durationMs } from "@pintle/pintle/client";

/** An address that should answer. */
export const Endpoint = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Endpoint",
  plural: "endpoints",
  columns: [{ name: "Reachable", type: "boolean", jsonPath: ".status.reachable" }],
  spec: z.object({ url: z.string().regex(/^https?:\/\//) }),
  status: z.object({ reachable: z.boolean().optional() }),
});

/** Asks an address; false where nothing answers. Must end when the signal aborts. */
export type Ask = (url: string, signal: AbortSignal) => Promise<boolean>;

/** A fresh operator. */
export function operator(ask: Ask, { interval = "10s" }: { interval?: Duration } = {}): Operator {
  const made = new Operator("endpoints");
  made.on(Endpoint).daemon(async ({ spec, latest, report, stopped, clock, log }) => {
    let known: boolean | undefined;
    // `stopped` ends both the question and the pause: what goes is not held up.
    while (!stopped.aborted) {
      const reachable = await ask(latest()?.spec.url ?? spec.url, stopped);
      if (reachable !== known) {
        log.info(reachable ? "it answers" : "it does not answer");
        report((status) => status.set({ reachable }));
      }
      known = reachable;
      await sleep(clock, durationMs(interval), stopped);
    }
  }, { id: "ask", backoff: interval });
  return made;
}

/** Asks over HTTP. */
export async function askByHttp(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

if (import.meta.main) Deno.exitCode = await cli(operator(askByHttp), { args: Deno.args, env: Deno.env.toObject() });
