import assert from "node:assert/strict";
import { ConfigMap, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { Suite } from "../../lib/harness/mod.ts";
import { Replication, replicator } from "../../lib/replicator/mod.ts";
import { configMap, Replicating, secret, TRUSTING } from "./stories.ts";

/** What replication does when the world is not as a Replication asks. */
export const unhappy: Suite = new Suite("unhappy", () => replicator(TRUSTING));

// FR-42
unhappy.scenario(
  "a source that is missing is said aloud; when it is created, copies follow at once",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [team] = await given("a namespace", () => story.namespaces("team"));
    await given("a Replication of a Secret that does not exist", () => cluster.createManifest(story.replication()));
    await story.notReady("SourceNotFound");
    await then(
      "a condition says so",
      () => expect(ref(Replication, "token")).toHaveCondition("SourceFound", false, { reason: "NotFound" }),
    );
    await then(
      "the namespaces that its targets match are counted all the same",
      () =>
        expect(ref(Replication, "token")).toMatch(
          { status: { namespaces: { matched: 1, ready: 0, failed: 0 } } } as never,
        ),
    );
    await when("the Secret is created", () => cluster.createManifest(secret("token", { key: "one" })));
    await story.copied(team!, "one");
    await then("the condition is gone", () => expect(ref(Replication, "token")).toHaveCondition("SourceFound"));
    await story.ready(1);
  },
);

for (const [policy, survives] of [["Delete", false], ["Orphan", true]] as const) {
  const outcome = survives ? "stay, without an owner" : "go";
  // FR-50
  unhappy.scenario(
    `of a source that is deleted, with deletionPolicy ${policy}, the copies ${outcome}`,
    async (scenario) => {
      const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
      const [team] = await story.begin(["team"], { deletionPolicy: policy });
      await story.ready(1);
      await when("the source is deleted", () => cluster.delete(ref(Secret, "token")));
      await story.notReady("SourceNotFound");
      const copy = ref(Secret, "token", team);
      await then(`the copies ${outcome}`, async () => {
        if (!survives) return await expect(copy).toBeGone();
        await expect(copy).toMatch({ metadata: { labels: { "pintle.dev/replication": undefined } } });
      });
    },
  );

  // FR-51
  unhappy.scenario(
    `a Replication deleted while the operator is down is cleaned up by the next run (${policy})`,
    async (scenario) => {
      const { when, then, cluster, expect, operator, ref } = scenario, story = new Replicating(scenario);
      const [team] = await story.begin(["team"], { deletionPolicy: policy });
      await story.ready(1);
      await when("the operator is killed, and the Replication deleted", async () => {
        await operator.crash();
        await cluster.delete(ref(Replication, "token"));
      });
      await then("its finalizer holds it", () => expect(ref(Replication, "token")).toExist());
      await when("the operator restarts", () => operator.start());
      await then("it goes", () => expect(ref(Replication, "token")).toBeGone());
      await then(`the copies ${outcome}`, async () => {
        const copy = await cluster.find(ref(Secret, "token", team));
        assert.equal(copy !== undefined, survives);
        assert.equal(copy?.metadata?.annotations?.["pintle.dev/replication"], undefined);
      });
    },
    { alone: true },
  );
}

// FR-44
unhappy.scenario(
  "a source that is created again with another type replaces the copies, which cannot change theirs",
  async (scenario) => {
    const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const spec = { deletionPolicy: "Orphan", conflictPolicy: "Adopt" };
    const [team] = await story.begin(["team"], spec, { type: "example.com/a" });
    await story.ready(1);
    await when("the source is deleted and created again with another type", async () => {
      await cluster.delete(ref(Secret, "token"));
      await cluster.createManifest(secret("token", { key: "two" }, { type: "example.com/b" }));
    });
    await then(
      "so is the copy",
      () => expect(ref(Secret, "token", team)).toMatch({ type: "example.com/b", data: { key: btoa("two") } }),
    );
  },
);

// FR-44
unhappy.scenario("the type changes while the operator is down: the copy is replaced in place", async (scenario) => {
  const { when, then, cluster, expect, operator, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"], {}, { type: "example.com/a" });
  await story.ready(1);
  await when("the source is created again with another type while the operator is down", async () => {
    await operator.crash();
    await cluster.delete(ref(Secret, "token"));
    await cluster.createManifest(secret("token", { key: "one" }, { type: "example.com/b" }));
    await operator.start();
  });
  await then("the copy has the type", () => expect(ref(Secret, "token", team)).toMatch({ type: "example.com/b" }));
  await story.ready(1);
}, { alone: true });

// FR-44
unhappy.scenario("an immutable source gives immutable copies, and its successor replaces them", async (scenario) => {
  const { when, then, cluster, expect, operator, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"], {}, { immutable: true });
  await story.ready(1);
  const first = await then(
    "the copy is immutable",
    () => expect(ref(Secret, "token", team)).toMatch({ immutable: true }),
  );
  await when("the source is created again while the operator is down", async () => {
    await operator.crash();
    await cluster.delete(ref(Secret, "token"));
    await cluster.createManifest(secret("token", { key: "two" }, { immutable: true }));
    await operator.start();
  });
  const second = await story.copied(team!, "two");
  assert.notEqual(second.metadata?.uid, first.metadata?.uid);
  assert.equal(second.immutable, true);
}, { alone: true });

// FR-44
unhappy.scenario("a source that becomes immutable makes its copies immutable", async (scenario) => {
  const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"]);
  await story.ready(1);
  await when("the source becomes immutable", () => cluster.patch(ref(Secret, "token"), { immutable: true }));
  await then("so does the copy", () => expect(ref(Secret, "token", team)).toMatch({ immutable: true }));
});

// FR-45
unhappy.scenario(
  "an object that is not a copy is a visible conflict: untouched, named, and the other namespaces are served",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [a, b] = await given("two namespaces, in one of which the name is taken", async () => {
      const made = await story.namespaces("team-a", "team-b");
      await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace: made[0]! } }));
      return made;
    });
    await story.begin([]);
    const message = /exists and is not a copy.*conflictPolicy: Adopt/;
    await story.failing([{ namespace: a!, reason: "Conflict", message }]);
    await then("both namespaces are counted", () => {
      const namespaces = { matched: 2, ready: 1, failed: 1 };
      return expect(ref(Replication, "token")).toMatch({ status: { namespaces } } as never);
    });
    await story.copied(b!, "one");
    await then("theirs is untouched", () => expect(ref(Secret, "token", a)).toMatch({ data: { key: btoa("theirs") } }));
    await when("theirs is deleted", () => cluster.delete(ref(Secret, "token", a)));
    await story.ready(2);
  },
);

// FR-45
unhappy.scenario(
  "conflictPolicy Adopt takes over what stands in the way, of the same type or of another",
  async (scenario) => {
    const { given, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const teams = await given("two namespaces in which the name is taken", async () => {
      const [a, b] = await story.namespaces("team-a", "team-b") as [string, string];
      await cluster.createManifest(secret("token", { key: "theirs", extra: "x" }, { metadata: { namespace: a } }));
      await cluster.createManifest(
        secret("token", { key: "theirs" }, { type: "example.com/other", metadata: { namespace: b } }),
      );
      return [a, b];
    });
    await story.begin([], { conflictPolicy: "Adopt" });
    await story.ready(2);
    await then("both are copies", async () => {
      for (const team of teams) {
        const copy = await expect(ref(Secret, "token", team)).toMatch({ type: "Opaque" });
        assert.deepEqual(copy.data, { key: btoa("one") });
      }
    });
  },
);

// FR-46
unhappy.scenario(
  "of two Replications for one target the second says so and waits; when the first goes, it takes over",
  async (scenario) => {
    const { given, when, cluster, ref, namespace } = scenario, story = new Replicating(scenario);
    const [team] = await story.begin(["team"]);
    await story.ready(1);
    const [two] = await given("a second Replication for the same target, in another namespace", async () => {
      const made = await story.namespaces("two");
      await cluster.createManifest(secret("token", { key: "two" }, { metadata: { namespace: made[0]! } }));
      await cluster.createManifest(story.replication({ conflictPolicy: "Adopt" }, made[0]));
      return made;
    });
    const message = new RegExp(`is a copy of Replication ${namespace}/token`);
    await story.failing([{ namespace: team!, reason: "Conflict", message }], two);
    await story.copied(team!, "one");
    await when("the first is deleted", () => cluster.delete(ref(Replication, "token")));
    await story.copied(team!, "two");
    await story.ready(1, two);
  },
);

// FR-52
unhappy.scenario("suspend leaves everything as it is, and going on catches up", async (scenario) => {
  const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [team, late] = await story.begin(["team", "team-late"]);
  await story.ready(2);
  await when("it is suspended, the source changes and a copy is deleted", async () => {
    await story.change({ suspend: true });
    await expect(ref(Replication, "token")).toHaveCondition("Ready", false, { reason: "Suspended" });
    await cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } });
    await cluster.delete(ref(Secret, "token", team));
  });
  await when("a label of it changes, so that it is certainly looked at again", async () => {
    await story.change({ targets: { labels: { seen: "1" } } });
    await expect(ref(Replication, "token")).toHaveCondition("Ready", false, { reason: "Suspended" });
  });
  await then("no copy comes back or follows", async () => {
    assert.equal(await cluster.find(ref(Secret, "token", team)), undefined);
    assert.equal((await cluster.get<SecretObject>(ref(Secret, "token", late))).data?.key, btoa("one"));
  });
  await when("it goes on", () => story.change({ suspend: false }));
  await story.copied(team!, "two");
  await story.copied(late!, "two");
});

// FR-47
unhappy.scenario(
  "a namespace that is being deleted is no failure, and its end leaves the others ready",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [a, b] = await story.begin(["team-a", "team-b"]);
    await given(
      "a finalizer that keeps one namespace terminating",
      () =>
        cluster.createManifest(
          configMap("hold", {}, { metadata: { namespace: a!, finalizers: ["example.com/hold"] } }),
        ),
    );
    await story.ready(2);
    await when("it is deleted", () => cluster.delete(ref(Namespace, a!)));
    const { status } = await story.ready(1);
    assert.deepEqual([status?.namespaces, status?.failures], [{ matched: 1, ready: 1, failed: 0 }, undefined]);
    await when("the source changes", () => cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } }));
    await story.copied(b!, "two");
    await when(
      "the finalizer goes",
      () => cluster.patch(ref(ConfigMap, "hold", a), { metadata: { finalizers: null } }),
    );
    await then("the namespace goes", () => expect(ref(Namespace, a!)).toBeGone());
  },
);

// FR-55
unhappy.scenario("a status names at most twenty failures, and counts them all", async (scenario) => {
  const { given, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  await given("23 namespaces in which the name is taken", async () => {
    for (let index = 0; index < 23; index++) {
      const [team] = await story.namespaces(`team-${index}`);
      await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace: team! } }));
    }
  });
  await story.begin([]);
  await then("23 are counted and 20 named", async () => {
    const { status } = await expect(ref(Replication, "token")).toMatch({ status: { namespaces: { failed: 23 } } });
    assert.equal(status?.failures?.length, 20);
  });
});
