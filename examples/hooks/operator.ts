// Hooks around the handlers: a connection that is opened before the first of them, asked about, and closed after the
// last one.
// Try it: STORE_URL=http://store.example.com deno run -A examples/hooks/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** An entry of a store outside of the cluster. */
export const Entry = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Entry",
  plural: "entries",
  spec: z.object({ value: z.string() }),
});

/** An open store. */
export interface Store {
  put(key: string, value: string, signal: AbortSignal): Promise<void>;
  ping(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A fresh operator; `open` throws where there is no store. */
export function operator(open: (signal: AbortSignal) => Promise<Store>): Operator {
  const made = new Operator("entries");
  let store: Store | undefined;
  // Without a store there is nothing to do: an error ends the process with its reason, and its pod is restarted.
  made.startup(async ({ signal, log, dryRun }) => {
    store = await open(signal);
    log.info("the store is open", { dryRun });
  });
  // Behind /readyz, at most every ten seconds. No restart would mend the store: it is no question of liveness.
  made.probe("store", ({ signal }) => store!.ping(signal));
  made.cleanup(() => store?.close());
  made.on(Entry).reconcile(({ uid, spec, signal, dryRun }) => {
    if (!dryRun) return store!.put(uid, spec.value, signal);
  });
  return made;
}

/** A store over HTTP. */
export async function openHttpStore(url: string, signal: AbortSignal): Promise<Store> {
  const request = async (method: string, path: string, signal: AbortSignal, body?: string) => {
    const answer = await fetch(`${url}${path}`, { method, signal, body });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  };
  await request("GET", "/", signal);
  return {
    put: (key, value, signal) => request("PUT", `/${key}`, signal, value),
    ping: (signal) => request("GET", "/", signal),
    close: () => Promise.resolve(),
  };
}

if (import.meta.main) {
  const url = Deno.env.get("STORE_URL") ?? "http://localhost:8000";
  Deno.exitCode = await cli(operator((signal) => openHttpStore(url, signal)), {
    args: Deno.args,
    env: Deno.env.toObject(),
  });
}
