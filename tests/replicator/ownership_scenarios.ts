import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import type { JsonValue } from "../../lib/base/mod.ts";
import assert from "node:assert/strict";
import { ConfigMap, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { type ScenarioContext, Suite } from "../../lib/harness/mod.ts";
import { Replication, replicator } from "../../lib/replicator/mod.ts";
import { configMap, Replicating, secret, TRUSTING } from "./stories.ts";

/** What belongs to the replicator and what does not: it takes, changes and deletes its own copies alone. */
export const ownership: Suite = new Suite("ownership", () => replicator(TRUSTING));

const HOUR = 3_600_000;

/** What `kubectl get secret token -o yaml --show-managed-fields` prints, without what a create refuses. */
async function exported({ cluster, ref }: ScenarioContext, namespace: string): Promise<SecretObject> {
  const { metadata = {}, ...rest } = await cluster.get(ref(Secret, "token", namespace));
  const { uid: _, resourceVersion: __, creationTimestamp: ___, ...pasted } = metadata;
  return { ...rest, apiVersion: "v1", kind: "Secret", metadata: pasted };
}

/** The same manifest for another place. */
function pastedInto(manifest: SecretObject, namespace: string, text: string): SecretObject {
  return { ...manifest, metadata: { ...manifest.metadata, namespace }, data: { key: btoa(text) } };
}

/** The same manifest as if it had been exported so many milliseconds ago. */
function withAge(manifest: SecretObject, ageMs: number): SecretObject {
  const earlier = (time: string) => `${new Date(Date.parse(time) - ageMs).toISOString().slice(0, 19)}Z`;
  const managedFields = manifest.metadata?.managedFields?.map((entry) => ({ ...entry, time: earlier(entry.time!) }));
  return { ...manifest, metadata: { ...manifest.metadata, managedFields } };
}

// FR-320
ownership.scenario("an exported copy applied over the source leaves the source and its copies", async (scenario) => {
  const { when, then, cluster, operator, expect, ref, namespace } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"]);
  await story.ready(1);
  const source = await cluster.get(ref(Secret, "token"));
  await when("the copy's labels and annotations are applied to the source", async () => {
    const { metadata } = await exported(scenario, team!);
    const { labels, annotations } = metadata!;
    await cluster.patch(
      ref(Secret, "token"),
      { metadata: { labels, annotations }, stringData: { key: "two" } } as never,
    );
  });
  await story.copied(team!, "two");
  await when("the operator restarts", () => operator.restart());
  await story.ready(1);
  await when("the Replication is deleted", () => cluster.delete(ref(Replication, "token")));
  await story.gone(team!);
  await then("the source is still there", async () => {
    const found = await expect(ref(Secret, "token", namespace)).toMatch({ data: { key: btoa("two") } });
    assert.equal(found.metadata?.uid, source.metadata?.uid);
  });
}, { alone: true });

// FR-320
ownership.scenario(
  "an exported copy applied in other namespaces is a user's object, whatever it carries",
  async (scenario) => {
    const { given, when, then, cluster, operator, expect, ref } = scenario, story = new Replicating(scenario);
    const [team] = await story.begin(["team"]);
    const [elsewhere] = await given("a namespace that is no target", () => story.namespaces("elsewhere"));
    await story.ready(1);
    const manifest = await exported(scenario, team!);
    await when(
      "the exported copy is created there, managedFields included",
      () => cluster.client.create(Secret, pastedInto(manifest, elsewhere!, "theirs")),
    );
    await when("the operator restarts", () => operator.restart());
    await when("the source changes", () => cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } }));
    await story.copied(team!, "two");
    await when("the Replication is deleted", () => cluster.delete(ref(Replication, "token")));
    await story.gone(team!);
    await then(
      "theirs is untouched",
      () => expect(ref(Secret, "token", elsewhere)).toMatch({ data: { key: btoa("theirs") } }),
    );
  },
  { alone: true },
);

// FR-320
ownership.scenario("an exported copy applied where its copy once was is a user's object", async (scenario) => {
  const { when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  const [a, b] = await story.begin(["team-a", "team-b"]);
  await story.ready(2);
  const manifest = await exported(scenario, b!);
  await when(
    "one namespace is no target any more",
    () => story.change({ targets: { namespaces: [`${prefix}-team-a`] } }),
  );
  await story.gone(b!);
  await when(
    "its owner creates the exported copy again",
    () => cluster.client.create(Secret, pastedInto(manifest, b!, "theirs")),
  );
  await when("the source changes", () => cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } }));
  await story.copied(a!, "two");
  await then("theirs is untouched", () => expect(ref(Secret, "token", b)).toMatch({ data: { key: btoa("theirs") } }));
  await when("the namespace is a target again", () => story.change({ targets: { namespaces: [`${prefix}-team*`] } }));
  await story.failing([{ namespace: b!, reason: "Conflict", message: /exists and is not a copy/ }]);
  await then("theirs is untouched", () => expect(ref(Secret, "token", b)).toMatch({ data: { key: btoa("theirs") } }));
  await when("the Replication is deleted", () => cluster.delete(ref(Replication, "token")));
  await story.gone(a!);
  await then("theirs survives that, too", () => expect(ref(Secret, "token", b)).toExist());
});

// FR-320
ownership.scenario("an old export written twice where its copy once was is a user's object", async (scenario) => {
  const { when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  const [a, b] = await story.begin(["team-a", "team-b"]);
  await story.ready(2);
  const manifest = await exported(scenario, b!);
  await when(
    "one namespace is no target any more",
    () => story.change({ targets: { namespaces: [`${prefix}-team-a`] } }),
  );
  await story.gone(b!);
  await when("its owner creates the exported copy again, and writes the same once more", async () => {
    // A second write changes no field, so the server believes what it says in managedFields.
    const mine = withAge(pastedInto(manifest, b!, "one"), HOUR), made = await cluster.client.create(Secret, mine);
    const { resourceVersion } = made.metadata!;
    const path = `/api/v1/namespaces/${b}/secrets/token`, metadata = { ...mine.metadata, resourceVersion };
    const body = { ...mine, apiVersion: "v1", kind: "Secret", metadata } as never;
    const again = await cluster.client.raw(path, {
      method: "PUT",
      body,
      contentType: "application/json",
    }) as KubeObject;
    assert.ok(again.metadata?.managedFields?.some(({ manager }) => manager === "pintle-replicator"));
  });
  await when("the source changes", () => cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } }));
  await story.copied(a!, "two");
  await when("the Replication is deleted", () => cluster.delete(ref(Replication, "token")));
  await story.gone(a!);
  await then("theirs is untouched", () => expect(ref(Secret, "token", b)).toMatch({ data: { key: btoa("one") } }));
});

// FR-321
ownership.scenario(
  "two Replications that adopt, each with the other's source as its target, are a visible conflict",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref, namespace } = scenario, story = new Replicating(scenario);
    const [other] = await given("the same Secret in two namespaces", async () => {
      const made = await story.namespaces("other");
      await cluster.createManifest(secret("token", { key: "home" }));
      await cluster.createManifest(secret("token", { key: "other" }, { metadata: { namespace: made[0]! } }));
      return made;
    });
    await given("a Replication in each, to the other", async () => {
      const to = (target: string) => ({ conflictPolicy: "Adopt", targets: { namespaces: [target] } });
      await cluster.createManifest(story.replication(to(other!)));
      await cluster.createManifest(story.replication(to(namespace), other));
    });
    for (const [place, target] of [[namespace, other!], [other!, namespace]] as const) {
      const message = new RegExp(`is the source of Replication ${target}/token`);
      await story.failing([{ namespace: target, reason: "Conflict", message }], place);
    }
    await when("one of them is deleted", () => cluster.delete(ref(Replication, "token", other)));
    await then("it goes", () => expect(ref(Replication, "token", other)).toBeGone());
    await then("both Secrets say what they said", async () => {
      await expect(ref(Secret, "token", other)).toMatch({ data: { key: btoa("home") } });
      await expect(ref(Secret, "token")).toMatch({ data: { key: btoa("home") } });
    });
  },
);

// FR-321
ownership.scenario("a copy is no source: chains and rings of Replications are refused", async (scenario) => {
  const { given, when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  const [team, last] = await story.begin(["team", "last"]);
  await story.ready(1);
  await given(
    "a Replication of the copy",
    () => cluster.createManifest(story.replication({ targets: { namespaces: [`${prefix}-last`] } }, team)),
  );
  const { status } = await story.notReady("SourceIsCopy", team);
  await then("it says whose copy it is, and nothing is written", async () => {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    assert.match(ready?.message ?? "", /is a copy of Replication .*-home\/token; name the original/);
    assert.equal(await cluster.find(ref(Secret, "token", last)), undefined);
  });
  await when("the original Replication leaves its copies behind", async () => {
    await story.change({ deletionPolicy: "Orphan" });
    await cluster.delete(ref(Replication, "token"));
  });
  await then(
    "the object is not a copy any more, and is copied",
    () => expect(ref(Secret, "token", last)).toMatch({ data: { key: btoa("one") } }),
  );
});

// FR-321
ownership.scenario("Adopt takes no object that a controller owns, and no service account token", async (scenario) => {
  const { given, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [a, b] = await given("namespaces with such objects", async () => {
    const [a, b] = await story.namespaces("team-a", "team-b") as [string, string];
    const owner = await cluster.createManifest(configMap("owner", {}, { metadata: { namespace: a } }));
    const ownerReferences = [
      { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata!.uid!, controller: true },
    ];
    await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace: a, ownerReferences } }));
    await cluster.createManifest(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot", namespace: b } } as KubeObject,
    );
    const annotations = { "kubernetes.io/service-account.name": "robot" };
    const type = "kubernetes.io/service-account-token";
    await cluster.createManifest(secret("token", { key: "theirs" }, { type, metadata: { namespace: b, annotations } }));
    return [a, b];
  });
  await story.begin([], { conflictPolicy: "Adopt" });
  await story.failing([
    { namespace: a!, reason: "Conflict", message: /belongs to ConfigMap owner, which controls it/ },
    { namespace: b!, reason: "Conflict", message: /is a service account token/ },
  ]);
  await then("theirs are untouched", async () => {
    for (const team of [a, b]) await expect(ref(Secret, "token", team)).toMatch({ data: { key: btoa("theirs") } });
  });
});

// FR-321
ownership.scenario("a service account token is no source", async (scenario) => {
  const { given, then, cluster, ref, namespace } = scenario, story = new Replicating(scenario);
  await given(
    "a ServiceAccount",
    () =>
      cluster.createManifest(
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot", namespace } } as KubeObject,
      ),
  );
  const annotations = { "kubernetes.io/service-account.name": "robot" };
  const [team] = await story.begin(["team"], {}, {
    type: "kubernetes.io/service-account-token",
    metadata: { annotations },
  });
  const { status } = await story.notReady("ServiceAccountToken");
  await then("the condition says what to do instead, and nothing is written", async () => {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    assert.match(ready?.message ?? "", /never copied; grant access by a RoleBinding/);
    assert.equal(await cluster.find(ref(Secret, "token", team)), undefined);
  });
});

// FR-321
ownership.scenario("a source that is replaced by a token just before it is copied is no source", async (scenario) => {
  const { given, when, then, cluster, operator, ref, namespace } = scenario, story = new Replicating(scenario);
  const annotations = { "kubernetes.io/service-account.name": "robot" }, manager = { name: "robot", namespace };
  await given(
    "a ServiceAccount",
    () => cluster.createManifest({ apiVersion: "v1", kind: "ServiceAccount", metadata: manager } as KubeObject),
  );
  let armed = false;
  await operator.inProcess.start({
    before: async ({ method, path }) => {
      if (!armed || method !== "GET" || !path.endsWith(`/namespaces/${namespace}/secrets/token`)) return;
      armed = false;
      const type = "kubernetes.io/service-account-token";
      await cluster.delete(ref(Secret, "token"));
      await cluster.createManifest(secret("token", { key: "two" }, { type, metadata: { annotations } }));
    },
  });
  await story.begin(["team-a"], { targets: { namespaces: [`${scenario.prefix}-team*`], annotations } });
  await story.ready(1);
  const [late] = await when("another namespace comes, and the source changes before it is read", () => {
    armed = true;
    return story.namespaces("team-late");
  });
  await story.notReady("ServiceAccountToken");
  await then("no token was copied", async () => {
    assert.equal(armed, false);
    assert.equal(await cluster.find(ref(Secret, "token", late)), undefined);
  });
}, { inProcess: true, operator: "stopped" });

// FR-325
ownership.scenario("orphaned copies are taken back without Adopt when the source returns", async (scenario) => {
  const { when, cluster, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"], { deletionPolicy: "Orphan" });
  await story.ready(1);
  const { metadata } = await cluster.get(ref(Secret, "token", team));
  await when("the source is deleted", () => cluster.delete(ref(Secret, "token")));
  await story.orphaned(team!);
  await when("the source returns with another value", () => cluster.createManifest(secret("token", { key: "two" })));
  await story.ready(1);
  const back = await story.copied(team!, "two");
  assert.equal(back.metadata?.uid, metadata?.uid);
  assert.equal(back.metadata?.annotations?.["pintle.dev/orphaned-by"], undefined);
});

// FR-325
ownership.scenario("orphaned copies are taken back when a namespace's label flips back", async (scenario) => {
  const { given, when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  const labels = { want: "yes" };
  const team = await given("a namespace with a label", () => cluster.makeNamespace("team", labels));
  await story.begin([], {
    deletionPolicy: "Orphan",
    targets: { namespaces: [`${prefix}-team`], selector: { matchLabels: labels } },
  });
  await story.ready(1);
  await when("the label goes", () => cluster.patch(ref(Namespace, team), { metadata: { labels: { want: null } } }));
  await then(
    "the copy is orphaned",
    () => expect(ref(Secret, "token", team)).toMatch({ metadata: { annotations: { "pintle.dev/claim": undefined } } }),
  );
  await when("the label is back", () => cluster.patch(ref(Namespace, team), { metadata: { labels } }));
  await story.ready(1);
  await then("the copy is claimed again", () =>
    expect(ref(Secret, "token", team)).toMatch({
      metadata: { annotations: { "pintle.dev/orphaned-by": undefined } },
    }));
});

// FR-325
ownership.scenario("an orphaned copy that its owner changed since is a conflict, not a copy", async (scenario) => {
  const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"], { deletionPolicy: "Orphan" });
  await story.ready(1);
  await when("the source is deleted", () => cluster.delete(ref(Secret, "token")));
  await story.orphaned(team!);
  await when(
    "the owner of the namespace changes what is left",
    () => cluster.patch(ref(Secret, "token", team), { stringData: { key: "theirs" } }),
  );
  await when("the source returns", () => cluster.createManifest(secret("token", { key: "two" })));
  await story.failing([{ namespace: team!, reason: "Conflict", message: /exists and is not a copy/ }]);
  await then(
    "theirs is untouched",
    () => expect(ref(Secret, "token", team)).toMatch({ data: { key: btoa("theirs") } }),
  );
});

// FR-325
ownership.scenario("an orphaned copy that a controller owns since is a conflict, not a copy", async (scenario) => {
  const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"], { deletionPolicy: "Orphan" });
  await story.ready(1);
  await when("the source is deleted", () => cluster.delete(ref(Secret, "token")));
  await story.orphaned(team!);
  await when("a controller makes what is left its own", async () => {
    const owner = await cluster.createManifest(configMap("owner", {}, { metadata: { namespace: team! } }));
    const ownerReferences = [
      { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata!.uid!, controller: true },
    ];
    await cluster.patch(ref(Secret, "token", team), { metadata: { ownerReferences } } as never);
  });
  await when("the source returns", () => cluster.createManifest(secret("token", { key: "two" })));
  const message = /belongs to ConfigMap owner, which controls it/;
  await story.failing([{ namespace: team!, reason: "Conflict", message }]);
  await then(
    "the object is untouched",
    () => expect(ref(Secret, "token", team)).toMatch({ data: { key: btoa("one") } }),
  );
});

// FR-325
ownership.scenario("copies of a Replication that was made again are its copies", async (scenario) => {
  const { when, then, cluster, operator, expect, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"]);
  await story.ready(1);
  const { metadata } = await cluster.get(ref(Secret, "token", team));
  await when("the Replication is removed by force and made again while the operator is down", async () => {
    await operator.crash();
    await cluster.patch(ref(Replication, "token"), { metadata: { finalizers: null } } as never);
    await cluster.delete(ref(Replication, "token"));
    await cluster.createManifest(story.replication());
    await cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } });
    await operator.start();
  });
  const copy = await story.copied(team!, "two");
  await then("it is the same object", () => assert.equal(copy.metadata?.uid, metadata?.uid));
  await when("it is deleted", () => cluster.delete(ref(Replication, "token")));
  await story.gone(team!);
  await then("nothing is left", () => expect(ref(Replication, "token")).toBeGone());
}, { alone: true });

// FR-326
ownership.scenario("the copy follows at once when what stood in its way goes", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario, story = new Replicating(scenario);
  const [a, b] = await given("two namespaces in which the name is taken", async () => {
    const made = await story.namespaces("team-a", "team-b");
    for (const namespace of made) {
      await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace } }));
    }
    return made;
  });
  await given(
    "an operator that tries again after an hour",
    () => operator.inProcess.start({ options: { controller: { backoff: { initialMs: HOUR, maxMs: HOUR } } } }),
  );
  await story.begin([]);
  await story.notReady("ReplicationIncomplete");
  await when("one object goes", () => cluster.delete(ref(Secret, "token", a)));
  await story.copied(a!, "one");
  await when("the other one is held by a finalizer, and then goes", async () => {
    const hold = (finalizers: string[] | null) => ({ metadata: { finalizers } }) as never;
    await cluster.patch(ref(Secret, "token", b), hold(["example.com/hold"]));
    await cluster.delete(ref(Secret, "token", b));
    await expect(ref(Replication, "token")).toMatch({ status: { failures: [{ reason: "CopyTerminating" }] } } as never);
    await cluster.patch(ref(Secret, "token", b), hold(null));
  });
  await story.ready(2);
  await then("no watch is left open for it", async () => {
    await operator.inProcess.idle();
    const watched = operator.inProcess.running.watches.filter(({ labelSelector }) => labelSelector?.startsWith("!"));
    assert.deepEqual(watched, []);
  });
}, { inProcess: true, operator: "stopped" });

// FR-320
ownership.scenario("a copy that is taken over just before it would be deleted stays", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"]);
  await story.ready(1);
  await operator.crash();
  let taken = false;
  await given("an owner who takes the copy over while the operator decides to delete it", async () => {
    await story.change({ targets: { namespaces: [`${prefix}-none`] } });
    await operator.inProcess.start({
      before: async ({ method }) => {
        if (taken || method !== "DELETE") return;
        taken = true;
        const annotations = { "pintle.dev/claim": null, "pintle.dev/replication": null };
        const metadata = { annotations, labels: { "pintle.dev/replication": null } };
        await cluster.client.patch(Secret, { namespace: team!, name: "token" }, {
          type: "merge",
          body: { metadata } as JsonValue,
        });
      },
    });
  });
  await when(
    "the operator has looked again",
    () => expect(ref(Replication, "token")).toMatch({ status: { namespaces: { matched: 0, failed: 0 } } } as never),
  );
  await then("theirs is still there", async () => {
    await expect(ref(Secret, "token", team)).toExist();
    assert.equal(taken, true);
  });
}, { inProcess: true });

ownership.scenario(
  "a copy that is taken over just before it would be made again with another type stays",
  async (scenario) => {
    const { when, then, cluster, operator, expect, ref } = scenario, story = new Replicating(scenario);
    const [team] = await story.begin(["team"], {}, { type: "example.com/a" });
    await story.ready(1);
    await operator.crash();
    const { metadata } = await cluster.get(ref(Secret, "token", team));
    let patches = 0;
    await when("the source has another type, and an owner takes the copy over just before it is patched", async () => {
      await cluster.delete(ref(Secret, "token"));
      await cluster.createManifest(secret("token", { key: "two" }, { type: "example.com/b" }));
      await operator.inProcess.start({
        before: async ({ method, path }) => {
          if (method !== "PATCH" || !path.includes(`/namespaces/${team}/secrets`) || patches++ > 0) return;
          const annotations = { "pintle.dev/replication": null };
          await cluster.client.patch(Secret, { namespace: team!, name: "token" }, {
            type: "merge",
            body: { metadata: { annotations } },
          });
        },
      });
    });
    await story.notReady("ReplicationIncomplete");
    await then("it is still there, and theirs", async () => {
      const found = await expect(ref(Secret, "token", team)).toMatch({
        type: "example.com/a",
        data: { key: btoa("one") },
      });
      assert.equal(found.metadata?.uid, metadata?.uid);
      assert.ok(patches > 0);
    });
  },
  { inProcess: true },
);

ownership.scenario("keys that are names of JavaScript's own are copied like any other", async (scenario) => {
  const { given, when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  const [team] = await given("a namespace", () => story.namespaces("team"));
  const data = JSON.parse(`{"__proto__":"${btoa("p")}","constructor":"${btoa("c")}","toString":"${btoa("t")}"}`);
  const names = (object: SecretObject) => Object.entries(object.data ?? {}).sort();
  await given("a Secret and a ConfigMap with such keys, and Replications of them", async () => {
    await cluster.createManifest(secret("token", {}, { stringData: undefined, data }));
    await cluster.createManifest(configMap("settings", data));
    await cluster.createManifest(story.replication());
    const replication = story.replication({ source: { kind: "ConfigMap", name: "settings" } });
    replication.metadata!.name = "settings";
    await cluster.createManifest(replication);
  });
  await story.ready(1);
  await then("the copies have them all", async () => {
    const same = (copy: SecretObject) => JSON.stringify(names(copy)) === JSON.stringify(Object.entries(data).sort());
    await expect(ref(Secret, "token", team)).toSatisfy("to hold every key", same);
    await expect(ref(ConfigMap, "settings", `${prefix}-team`)).toSatisfy("to hold every key", same as never);
  });
  await when(
    "such a key changes",
    () =>
      cluster.client.patch(Secret, { namespace: scenario.namespace, name: "token" }, {
        type: "json",
        body: [
          { op: "replace", path: "/data/__proto__", value: btoa("q") },
        ],
      }),
  );
  await then(
    "the copy follows",
    () =>
      expect(ref(Secret, "token", team)).toSatisfy(
        "to have the new value",
        (copy) => names(copy).some(([key, value]) => key === "__proto__" && value === btoa("q")),
      ),
  );
});
