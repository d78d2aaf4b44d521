import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Account, type Directory, httpDirectory, operator } from "./operator.ts";

/** A directory in memory that can be down; it outlives the operators that ask it. */
class MemoryDirectory implements Directory {
  readonly accounts = new Map<string, { owner: string; gigabytes?: number }>();
  readonly #calls: string[] = [];
  isDown = false;

  /** What was called, in order: each call once more for each retry. */
  get calls(): readonly string[] {
    return this.#calls;
  }

  #call(what: string): void {
    if (this.isDown) throw new Error("connection refused");
    this.#calls.push(what);
  }
  open(id: string, owner: string): Promise<void> {
    return Promise.try(() => {
      this.#call("open");
      this.accounts.set(id, { ...this.accounts.get(id), owner });
    });
  }
  setQuota(id: string, gigabytes: number): Promise<void> {
    return Promise.try(() => {
      this.#call(`quota ${gigabytes}`);
      this.accounts.set(id, { ...this.accounts.get(id)!, gigabytes });
    });
  }
  has(id: string): Promise<boolean> {
    return Promise.try(() => {
      this.#call("has");
      return this.accounts.has(id);
    });
  }
  close(id: string): Promise<void> {
    return Promise.try(() => {
      this.#call("close");
      this.accounts.delete(id);
    });
  }
}

export const suite = new Suite("handlers", {
  world: () => new MemoryDirectory(),
  operator: (directory) => operator(directory, { delay: "100ms" }),
});

const account = (spec: { owner: string; quotaGb?: number }) => ({
  metadata: { name: "ann" },
  spec,
});

suite.scenario("an account is opened, changed and closed, each once", async (scenario) => {
  const directory = scenario.world;
  const { given, when, then, cluster, expect, ref } = scenario, ann = ref(Account, "ann");
  const made = await given("an account", async () => {
    await cluster.create(Account, account({ owner: "Ann" }));
    return await expect(ann).toMatch({ status: { state: "Open" } });
  });
  assert.deepEqual(directory.accounts.get(made.metadata.uid!), { owner: "Ann", gigabytes: 5 });
  await when("its quota is raised", () => cluster.patch(ann, { spec: { quotaGb: 8 } }));
  await then("an Event says what changed", () => expect(ann).toHaveEvents({ reason: "Changed", note: "spec.quotaGb" }));
  await then("it is handled", () => expect(ann).toHaveCondition("Ready"));
  await when("it is deleted", () => cluster.delete(ann));
  await then("it goes once it is closed", () => expect(ann).toBeGone());
  assert.deepEqual(directory.calls, ["open", "quota 5", "quota 8", "close"]);
  assert.equal(directory.accounts.size, 0);
}, { inProcess: true });

suite.scenario("while the directory is down the object says so, and then goes on by itself", async (scenario) => {
  const directory = scenario.world;
  const { given, when, then, cluster, expect, ref } = scenario, ann = ref(Account, "ann");
  directory.isDown = true;
  await given("an account", () => cluster.create(Account, account({ owner: "Ann" })));
  await then("it waits", () => expect(ann).toHaveCondition("Ready", false, { reason: "DirectoryDown" }));
  await when("it is deleted, too", () => cluster.delete(ann));
  await then("it stays: it may not be lost", () => expect(ann).toExist());
  await when("the directory is back", () => void (directory.isDown = false));
  await then("it goes", () => expect(ann).toBeGone());
  assert.deepEqual([directory.calls.includes("close"), directory.accounts.size], [true, 0]);
});

suite.scenario(
  "a quota that is too large is reported on the object, holds up no other handler, and can be fixed",
  async (scenario) => {
    const directory = scenario.world;
    const { given, when, then, cluster, expect, ref } = scenario, ann = ref(Account, "ann");
    await given("too much", () => cluster.create(Account, account({ owner: "Ann", quotaGb: 500 })));
    await then(
      "it is refused for good",
      () => expect(ann).toHaveCondition("Ready", false, { reason: "QuotaTooLarge", message: /500 GB/ }),
    );
    await then("the account is open", () => expect(ann).toMatch({ status: { state: "Open" } }));
    await when("less is asked for", () => cluster.patch(ann, { spec: { quotaGb: 50 } }));
    await then("all is well", () => expect(ann).toHaveCondition("Ready"));
    assert.ok(!directory.calls.includes("quota 500"), `${directory.calls}`);
  },
);

suite.scenario(
  "killed before its success is noted down, a handler is called again; it must bear that",
  async (scenario) => {
    const directory = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario, ann = ref(Account, "ann");
    await given("an operator that dies before it notes anything", async () => {
      await operator.crash();
      await cluster.create(Account, account({ owner: "Ann" }));
      await operator.inProcess.start({ fault: ({ path }) => path.includes("/status") ? "dieBefore" : "pass" });
      await operator.inProcess.idleThenCrash();
    });
    await when("the next one starts", () => operator.start());
    await then("it is handled", () => expect(ann).toHaveCondition("Ready"));
    await then("its status is there", () => expect(ann).toMatch({ status: { state: "Open" } }));
    assert.equal(directory.calls.filter((call) => call === "open").length, 2);
    assert.equal(directory.accounts.size, 1);
  },
  { inProcess: true },
);

suite.scenario("an account that the directory lost meanwhile is found when the operator starts", async (scenario) => {
  const directory = scenario.world;
  const { given, when, then, cluster, operator, expect, ref, eventually } = scenario, ann = ref(Account, "ann");
  await given("an account", async () => {
    await cluster.create(Account, account({ owner: "Ann", quotaGb: 7 }));
    await expect(ann).toHaveCondition("Ready");
  });
  await when("the operator is killed, the directory loses it, and another operator starts", async () => {
    await operator.crash();
    directory.accounts.clear();
    await operator.start();
    await operator.inProcess.idle();
  });
  await then("the account is there again", () =>
    eventually("an account", [Account], () => {
      const [found] = [...directory.accounts.values()];
      return Promise.resolve(found?.gigabytes === 7 ? { holds: true } : { holds: false, seen: "  none" });
    }));
}, { inProcess: true });

denoTests(Deno.test, suite, { rbac: true, source: testSource });

Deno.test("a directory over HTTP is asked by PUT, HEAD and DELETE, and its errors are errors", async () => {
  const seen: string[] = [], { signal } = new AbortController();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    seen.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`.trim());
    const status = request.url.endsWith("/broken") ? 500 : request.url.endsWith("/unknown") ? 404 : 200;
    return new Response(null, { status });
  });
  const directory = httpDirectory(`http://127.0.0.1:${server.addr.port}`);
  await directory.open("a", "Ann", signal);
  await directory.setQuota("a", 3, signal);
  assert.equal(await directory.has("a", signal), true);
  assert.equal(await directory.has("unknown", signal), false);
  await directory.close("unknown", signal);
  await assert.rejects(directory.close("broken", signal), /500/);
  assert.deepEqual(seen.slice(0, 2), ['PUT /accounts/a {"owner":"Ann"}', 'PUT /accounts/a {"gigabytes":3}']);
});
