import assert from "node:assert/strict";
import { CheckedLease, LEASE_TIMING, type LeaseObject, LEASES } from "../../lib/election/mod.ts";
import { Network } from "./network.ts";

const KEY = { namespace: "default", name: "one" };
const { signal } = new AbortController();

function leaseOf(network: Network, identity: string): CheckedLease {
  const client = network.clientOf(identity), clock = network.clockOf(identity);
  return new CheckedLease({ client, clock, key: KEY, identity, timing: LEASE_TIMING });
}

function annotated(lease: LeaseObject, values: Record<string, string>): LeaseObject {
  return { ...lease, metadata: { ...lease.metadata, annotations: { ...lease.metadata?.annotations, ...values } } };
}

Deno.test("an update that meets another writer reads the Lease again and keeps what the other one wrote", async () => {
  using network = new Network();
  const a = leaseOf(network, "a"), b = leaseOf(network, "b");
  assert.equal(await a.update((lease) => annotated(lease ?? {}, { from: "a" })), "written");
  let conflicts = 0;
  const end = await a.update(async (lease = {}) => {
    if (conflicts++ === 0) await b.update((other = {}) => annotated(other, { also: "b" }));
    return annotated(lease, { from: "a, again" });
  });
  const { metadata } = await network.client.get<LeaseObject>(LEASES, KEY);
  assert.deepEqual([end, conflicts, metadata?.annotations], ["written", 2, { from: "a, again", also: "b" }]);
});

Deno.test("an update gives way after four conflicts, and one without a change writes nothing", async () => {
  using network = new Network();
  const a = leaseOf(network, "a"), b = leaseOf(network, "b");
  await b.update(() => ({}));
  let attempts = 0;
  const end = await a.update(async (lease = {}) => {
    await b.update((other = {}) => annotated(other, { attempt: `${++attempts}` }));
    return lease;
  });
  assert.deepEqual([end, attempts], ["conflict", 4]);
  const { resourceVersion } = (await network.client.get<LeaseObject>(LEASES, KEY)).metadata!;
  assert.equal(await a.update(() => undefined), "declined");
  assert.equal((await network.client.get<LeaseObject>(LEASES, KEY)).metadata!.resourceVersion, resourceVersion);
});

// FR-180
Deno.test("a renewal is valid from before its request, however late the answer arrives", async () => {
  using network = new Network();
  const a = leaseOf(network, "a");
  network.setLink("a", { kind: "late", delayMs: 4_000 });
  const renewing = a.renew({}, signal);
  await network.clock.advance(4_000);
  await renewing;
  assert.equal(a.validMs, LEASE_TIMING.renewDeadlineMs - 4_000);
});

// FR-470
Deno.test("a Lease of another identity is neither given up nor deleted", async () => {
  using network = new Network();
  const a = leaseOf(network, "a"), b = leaseOf(network, "b");
  assert.ok(await a.tryAcquireOrRenew(signal));
  assert.equal(await b.tryAcquireOrRenew(signal), false);
  assert.equal(await b.release(), false);
  await b.delete();
  assert.equal((await network.client.get<LeaseObject>(LEASES, KEY)).spec?.holderIdentity, "a");
});
