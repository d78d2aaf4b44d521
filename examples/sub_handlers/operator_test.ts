import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Fleet, type Hosts, operator } from "./operator.ts";

/** Hosts of one scenario, some of which are down. */
class FakeHosts implements Hosts {
  /** The prepared ones. */
  readonly hosts = new Set<string>();
  readonly #calls: string[] = [];
  readonly down = new Set<string>();

  /** In order, with each attempt. */
  get calls(): readonly string[] {
    return this.#calls;
  }

  prepare(host: string): Promise<void> {
    return this.#call("prepare", host, () => this.hosts.add(host));
  }
  release(host: string): Promise<void> {
    return this.#call("release", host, () => this.hosts.delete(host));
  }
  prepared(): Promise<readonly string[]> {
    return Promise.resolve([...this.hosts]);
  }
  async #call(what: string, host: string, act: () => void): Promise<void> {
    this.#calls.push(`${what} ${host}`);
    if (this.down.has(host)) throw new Error(`${host} is down`);
    await Promise.resolve();
    act();
  }
}

export const suite = new Suite("sub-handlers", {
  world: () => new FakeHosts(),
  operator: (hosts) => operator(hosts, { backoffMs: 50 }),
});

const fleet = (...hosts: string[]) => ({
  metadata: { name: "north" },
  spec: { hosts },
});

suite.scenario("the prepared hosts are those of the list, and none without the fleet", async (scenario) => {
  const { given, when, then, cluster, expect, ref, world } = scenario, north = ref(Fleet, "north");
  const prepared = (...hosts: string[]) =>
    expect(north).toSatisfy(`to have ${hosts}`, () => [...world.hosts].sort().join() === hosts.join());
  await given("a fleet of two", () => cluster.create(Fleet, fleet("a", "b")));
  await then("both are prepared", () => prepared("a", "b"));
  await when("one is exchanged", () => cluster.patch(north, { spec: { hosts: ["b", "c"] } }));
  await then("it is released, and the other one prepared", () => prepared("b", "c"));
  await when("the fleet is deleted", () => cluster.delete(north));
  await then("it goes", () => expect(north).toBeGone());
  assert.deepEqual([...world.hosts], []);
});

suite.scenario("hosts come and go with the list, each once, and all go with the fleet", async (scenario) => {
  const hosts = scenario.world;
  const { given, when, then, cluster, operator, expect, ref } = scenario, north = ref(Fleet, "north");
  await given("a fleet of two", () => cluster.create(Fleet, fleet("a", "b")));
  await then("both are prepared", () => expect(north).toHaveCondition("Ready"));
  await when("one is exchanged", () => cluster.patch(north, { spec: { hosts: ["b", "c"] } }));
  await then("it is handled", () => expect(north).toHaveCondition("Ready"));
  await operator.inProcess.idle();
  assert.deepEqual(hosts.calls, ["prepare a", "prepare b", "prepare c", "release a"]);
  await when("the fleet is deleted", () => cluster.delete(north));
  await then("it goes", () => expect(north).toBeGone());
  assert.deepEqual([...hosts.hosts], []);
}, { inProcess: true });

suite.scenario(
  "a host that is down is tried again and named, the others are not, and a crash forgets none of that",
  async (scenario) => {
    const hosts = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario, north = ref(Fleet, "north");
    hosts.down.add("b");
    await given("a fleet with a host that is down", () => cluster.create(Fleet, fleet("a", "b", "c")));
    await then("it is named", () => expect(north).toHaveCondition("Ready", false, { message: /b is down/ }));
    // The condition is written before the record of what succeeded: in a crash between the two all would be called
    // again.
    await operator.inProcess.idle();
    await when("the operator is killed, the host comes up, and another operator starts", async () => {
      await operator.crash();
      hosts.down.clear();
      await operator.start();
    });
    await then("all are prepared", () => expect(north).toHaveCondition("Ready"));
    const count = (host: string) => hosts.calls.filter((call) => call === `prepare ${host}`).length;
    assert.deepEqual([count("a"), count("c")], [1, 1], "what succeeded is remembered by itself");
    assert.deepEqual([...hosts.hosts].sort(), ["a", "b", "c"]);
  },
  { inProcess: true },
);

suite.scenario("a host that stays down is given up after five attempts, visibly", async (scenario) => {
  const hosts = scenario.world;
  const { given, then, cluster, expect, ref } = scenario, north = ref(Fleet, "north");
  hosts.down.add("b");
  await given("a fleet with a host that stays down", () => cluster.create(Fleet, fleet("a", "b")));
  await then("it is given up", () => expect(north).toHaveCondition("Ready", false, { message: /given up after 5/ }));
  assert.equal(hosts.calls.filter((call) => call === "prepare b").length, 5);
}, { inProcess: true });

suite.scenario("a host name that is none is refused by the server", async ({ then, cluster }) => {
  await then("it is refused", () => assert.rejects(cluster.create(Fleet, fleet("a", "no host!")), /spec\.hosts\[1\]/));
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
