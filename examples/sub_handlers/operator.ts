// Sub-handlers: a Fleet prepares each of its hosts by itself; one that fails is tried again, the others are not.
// Try it: deno run -A examples/sub_handlers/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, type KubeObject, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

const hostName = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/).max(63);

/** Hosts that are to be prepared. */
export const Fleet = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Fleet",
  spec: z.object({ hosts: z.array(hostName).max(100) }),
});

/** What is done to the hosts of a fleet; each call may be repeated. */
export interface Hosts {
  prepare(host: string, fleet: string, signal: AbortSignal): Promise<void>;
  release(host: string, fleet: string, signal: AbortSignal): Promise<void>;
  /** Hosts that are prepared: what a killed operator prepared, and did not note down, is among them. */
  prepared(fleet: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** A fresh operator. Each host is tried five times. */
export function operator(hosts: Hosts, { backoffMs }: { backoffMs?: number } = {}): Operator {
  const made = new Operator("fleets"), bounds = { attemptsMax: 5, backoffMs };
  made.on(Fleet)
    .field("spec.hosts", async ({ namespace, name, uid, next, signal, client, subhandler }) => {
      // A watch can be behind, and show a fleet that is gone: nothing would release its hosts.
      const live = await client.find<KubeObject>(Fleet, { namespace, name }, { metadataOnly: true });
      if (live?.metadata?.uid !== uid) return;
      const before = new Set(await hosts.prepared(uid, signal)), after = new Set(next as string[] ?? []);
      for (const host of after.difference(before)) {
        subhandler(`prepare-${host}`, ({ signal }) => hosts.prepare(host, uid, signal), bounds);
      }
      for (const host of before.difference(after)) {
        subhandler(`release-${host}`, ({ signal }) => hosts.release(host, uid, signal), bounds);
      }
    }, { id: "hosts" })
    .delete(async ({ uid, signal, subhandler }) => {
      for (const host of await hosts.prepared(uid, signal)) {
        subhandler(host, ({ signal }) => hosts.release(host, uid, signal), bounds);
      }
    }, { id: "release" });
  return made;
}

/** Stands for whatever prepares hosts where you are. */
const loggedHosts: Hosts = {
  prepare: () => Promise.resolve(),
  release: () => Promise.resolve(),
  prepared: () => Promise.resolve([]),
};

if (import.meta.main) Deno.exitCode = await cli(operator(loggedHosts), { args: Deno.args, env: Deno.env.toObject() });
