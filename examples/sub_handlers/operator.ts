// Sub-handlers: a Fleet prepares each of its hosts by itself; one that fails is tried again, the others are not.
// Try it: deno run -A examples/sub_handlers/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

const hostName = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/).max(63);

/** Hosts that are to be prepared. */
export const Fleet = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Fleet",
  spec: z.object({ hosts: z.array(hostName).max(100) }),
});

/** What is done to a host; each call may be repeated. */
export interface Hosts {
  prepare(host: string, signal: AbortSignal): Promise<void>;
  release(host: string, signal: AbortSignal): Promise<void>;
}

/** A fresh operator. Each host is tried five times. */
export function operator(hosts: Hosts, { backoffMs }: { backoffMs?: number } = {}): Operator {
  const made = new Operator("fleets"), bounds = { attemptsMax: 5, backoffMs };
  made.on(Fleet)
    .field("spec.hosts", ({ old, next, subhandler }) => {
      const before = new Set(old as string[] ?? []), after = new Set(next as string[] ?? []);
      for (const host of after.difference(before)) {
        subhandler(`prepare-${host}`, ({ signal }) => hosts.prepare(host, signal), bounds);
      }
      for (const host of before.difference(after)) {
        subhandler(`release-${host}`, ({ signal }) => hosts.release(host, signal), bounds);
      }
    }, { id: "hosts" })
    .delete(({ spec, subhandler }) => {
      for (const host of spec.hosts) subhandler(host, ({ signal }) => hosts.release(host, signal), bounds);
    }, { id: "release" });
  return made;
}

/** Stands for whatever prepares hosts where you are. */
const loggedHosts: Hosts = {
  prepare: () => Promise.resolve(),
  release: () => Promise.resolve(),
};

if (import.meta.main) Deno.exitCode = await cli(operator(loggedHosts), { args: Deno.args, env: Deno.env.toObject() });
