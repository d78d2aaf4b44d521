import assert from "node:assert/strict";
import { silentLogger, type Transport } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { type LeaseObject, LEASES, MemberList } from "../../lib/election/mod.ts";
import { Network } from "./network.ts";

const KEY = { namespace: "default", name: "one" }, LABELS = { peers: "x" };

// FR-187
Deno.test("an expired lease that is renewed just before its deletion stays", async () => {
  using network = new Network();
  const { clock, client } = network;
  const renew = () =>
    client.patch(LEASES, KEY, {
      type: "merge",
      body: { spec: { leaseTransitions: clock.now() % 1_000_000 } } as never,
    });
  await client.create<LeaseObject>(LEASES, {
    metadata: { ...KEY, labels: LABELS },
    spec: { holderIdentity: "one", leaseDurationSeconds: 15 },
  });
  const inner = network.server.transport();
  let late = true;
  const transport: Transport = {
    fetch: async (path, request) => {
      if (late && request?.method === "DELETE") await renew();
      return await inner.fetch(path, request);
    },
    close: () => inner.close(),
  };
  const members = new MemberList({
    client: new Client(transport, { fieldManager: "members", clock, retriesMax: 0 }),
    clock,
    logger: silentLogger,
    namespace: KEY.namespace,
    labelSelector: "peers=x",
  });
  const { signal } = new AbortController(),
    holders = async () => (await members.list(signal)).map(({ metadata }) => metadata?.name);
  assert.deepEqual(await holders(), ["one"]);
  await clock.advance(15_000);
  assert.deepEqual(await holders(), ["one"], "it was renewed after it was read");
  assert.ok(await client.find(LEASES, KEY));
  late = false;
  await clock.advance(14_999);
  assert.deepEqual(await holders(), ["one"], "its duration counts from the renewal");
  await clock.advance(15_000);
  assert.deepEqual(await holders(), []);
  assert.equal(await client.find(LEASES, KEY), undefined);
});
