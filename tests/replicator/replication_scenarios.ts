import assert from "node:assert/strict";
import { ConfigMap, Namespace, Secret } from "../../lib/operator/mod.ts";
import { Suite } from "../../lib/harness/mod.ts";
import { Replication, replicator } from "../../lib/replicator/mod.ts";
import { configMap, Replicating, secret, TRUSTING } from "./stories.ts";

/** What replication does when all goes well. */
export const replication: Suite = new Suite("replication", () => replicator(TRUSTING));

// FR-40, FR-170
replication.scenario(
  "a Secret is copied to every matching namespace, marked, labelled, and to no other",
  async (scenario) => {
    const { cluster, expect, ref, then, namespace, prefix } = scenario, story = new Replicating(scenario);
    const targets = {
      namespaces: [`${prefix}-*`, `!${prefix}-other`],
      labels: { tier: "base" },
      annotations: { note: "a copy" },
      name: "copied",
    };
    const [a, b, other] = await story.begin(["team-a", "team-b", "other"], { targets }, {
      type: "example.com/token",
    });
    const { status } = await story.ready(2);
    await then("each copy is what the Replication asks for", async () => {
      for (const team of [a!, b!]) {
        const copy = await expect(ref(Secret, "copied", team)).toMatch({
          type: "example.com/token",
          metadata: {
            labels: { tier: "base" },
            annotations: {
              note: "a copy",
              "pintle.dev/replication": `${namespace}/token`,
              "pintle.dev/source-version": status!.sourceVersion!,
            },
          },
        });
        assert.deepEqual(copy.data, { key: btoa("one") });
      }
    });
    await then("no other namespace has one, nor has its own", async () => {
      for (const none of [other!, namespace]) {
        assert.equal(await cluster.find(ref(Secret, "copied", none)), undefined);
      }
      assert.deepEqual(status?.namespaces, { matched: 2, ready: 2, failed: 0 });
    });
  },
);

// FR-40
replication.scenario(
  "a ConfigMap is copied with its binary data, and without the source's own labels and annotations",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [team] = await given("a namespace", () => story.namespaces("team"));
    const binaryData = { b: btoa("\0\x01") };
    await given("a ConfigMap with labels of its own, and a Replication of it", async () => {
      const metadata = { labels: { own: "label" }, annotations: { own: "annotation" } };
      await cluster.createManifest(configMap("token", { a: "1" }, { metadata, binaryData }));
      await cluster.createManifest(story.replication({ source: { kind: "ConfigMap" } }));
    });
    await story.ready(1);
    await then("the copy has the data and nothing else", async () => {
      const copy = await expect(ref(ConfigMap, "token", team)).toMatch({
        metadata: { labels: { own: undefined }, annotations: { own: undefined } },
      });
      assert.deepEqual([copy.data, copy.binaryData], [{ a: "1" }, binaryData]);
    });
    await when("its data change", () => cluster.patch(ref(ConfigMap, "token"), { data: { a: "2" } }));
    await then("the copy follows", () => expect(ref(ConfigMap, "token", team)).toMatch({ data: { a: "2" } }));
  },
);

// FR-40
replication.scenario("globs exclude, and where a selector is given too, both must match", async (scenario) => {
  const { given, then, cluster, prefix } = scenario, story = new Replicating(scenario);
  const labels = { registry: "enabled" };
  const yes = await given("namespaces of which one matches both", async () => {
    await cluster.makeNamespace("team-b");
    await cluster.makeNamespace("team-legacy", labels);
    await cluster.makeNamespace("other", labels);
    return await cluster.makeNamespace("team-a", labels);
  });
  await story.begin([], {
    targets: { namespaces: [`${prefix}-team-*`, `!${prefix}-team-legacy`], selector: { matchLabels: labels } },
  });
  await story.ready(1);
  await then("it alone has a copy", async () => {
    const copies = await cluster.list(Secret, { labelSelector: "pintle.dev/replication" });
    assert.deepEqual(copies.map(({ metadata }) => metadata?.namespace), [yes]);
  });
});

// FR-41
replication.scenario("kube-* namespaces are protected even from a glob that names everything", async (scenario) => {
  const { then, cluster, ref, prefix } = scenario, story = new Replicating(scenario);
  await story.begin(["team"], { targets: { namespaces: ["kube-system", `${prefix}-*`] } });
  await story.ready(1);
  await then("kube-system has no copy", async () => {
    assert.equal(await cluster.find(ref(Secret, "token", "kube-system")), undefined);
  });
});

// FR-53
replication.scenario("a Secret of one mebibyte is copied", async (scenario) => {
  const { given, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [team] = await given("a namespace", () => story.namespaces("team"));
  const data = { blob: btoa("x".repeat(1024 * 1024 - 16)) };
  await given("a Secret of one mebibyte and a Replication", async () => {
    await cluster.createManifest(secret("token", {}, { stringData: undefined, data }));
    await cluster.createManifest(story.replication());
  });
  await story.ready(1);
  await then("the copy is as large", () => expect(ref(Secret, "token", team)).toMatch({ data }));
});

// FR-43
replication.scenario(
  "a change of the source reaches every copy, and a key that is gone there goes",
  async (scenario) => {
    const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [team] = await story.begin(["team"], {}, { stringData: { key: "one", gone: "x" } });
    await story.ready(1);
    await when(
      "a value changes and a key goes",
      () => cluster.patch(ref(Secret, "token"), { stringData: { key: "two" }, data: { gone: null } }),
    );
    await story.copied(team!, "two");
    await then(
      "the key is gone from the copy",
      () => expect(ref(Secret, "token", team)).toMatch({ data: { gone: undefined } }),
    );
  },
);

// FR-43
replication.scenario(
  "a change of labels alone, of the source or of the Replication, writes to no copy",
  async (scenario) => {
    const { when, then, cluster, operator, ref } = scenario, story = new Replicating(scenario);
    await story.begin(["team"]);
    await story.ready(1);
    await operator.inProcess.idle();
    const before = operator.inProcess.writes.length;
    const { metadata } = await when("labels change", async () => {
      await cluster.patch(ref(Secret, "token"), { metadata: { labels: { a: "b" } } });
      return await cluster.patch(ref(Replication, "token"), { metadata: { labels: { c: "d" } } });
    });
    await then("the operator sees it and writes nothing", async () => {
      const [watch] = operator.inProcess.running.watches;
      await watch!.waitFor(metadata!.resourceVersion!, 10_000);
      await operator.inProcess.idle();
      assert.deepEqual(operator.inProcess.writes.slice(before), []);
    });
  },
  { inProcess: true },
);

// FR-47
replication.scenario(
  "what follows namespaces: one that appears, one that is relabelled in and out, one that goes",
  async (scenario) => {
    const { when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
    const labels = { want: "yes" };
    await story.begin([], { targets: { namespaces: [`${prefix}-team*`], selector: { matchLabels: labels } } });
    await story.ready(0);
    const a = await when("a namespace appears", () => cluster.makeNamespace("team-a", labels));
    await story.ready(1);
    const b = await when("another gets the label", async () => {
      const name = await cluster.makeNamespace("team-b");
      await cluster.patch(ref(Namespace, name), { metadata: { labels } });
      return name;
    });
    await story.ready(2);
    await when(
      "it loses the label",
      () => cluster.patch(ref(Namespace, b), { metadata: { labels: { want: null } } }),
    );
    await story.gone(b);
    await when("the first is deleted", () => cluster.delete(ref(Namespace, a)));
    await story.ready(0);
    const namespaces = { matched: 0, ready: 0, failed: 0 };
    await then("no namespace counts", () => expect(ref(Replication, "token")).toMatch({ status: { namespaces } }));
  },
);

// FR-49
replication.scenario(
  "another target name or source moves the copies, and leaves none under the old name",
  async (scenario) => {
    const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [team] = await story.begin(["team"]);
    await story.ready(1);
    await when("the copies get another name", () => story.change({ targets: { name: "renamed" } }));
    await story.copied(team!, "one", "renamed");
    await story.gone(team!);
    await when("a ConfigMap becomes the source", async () => {
      await cluster.createManifest(configMap("token", { key: "map" }));
      await story.change({ source: { kind: "ConfigMap" } });
    });
    await then("it is copied", () => expect(ref(ConfigMap, "renamed", team)).toMatch({ data: { key: "map" } }));
    await story.gone(team!, "renamed");
  },
);

// FR-48
replication.scenario(
  "labels that are no longer asked for disappear from the copies; other people's stay",
  async (scenario) => {
    const { when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
    const targets = { namespaces: [`${prefix}-team*`], labels: { old: "1", kept: "1" } };
    const [team] = await story.begin(["team"], { targets });
    await story.ready(1);
    await when(
      "a user adds a label to the copy",
      () => cluster.patch(ref(Secret, "token", team), { metadata: { labels: { theirs: "1" } } }),
    );
    await when(
      "the Replication asks for other labels",
      () => story.change({ targets: { labels: { old: null, kept: "2" } } }),
    );
    await then("the copy has them, and theirs", () =>
      expect(ref(Secret, "token", team)).toMatch({
        metadata: { labels: { old: undefined, kept: "2", theirs: "1" } },
      }));
  },
);

const edits = [
  ["a value", { data: { key: btoa("forged") } }],
  ["a key removed", { data: { key: null } }],
  ["a key added", { data: { extra: btoa("more") } }],
  ["our label removed", { metadata: { labels: { "pintle.dev/replication": null } } }],
  ["our annotations removed", { metadata: { annotations: null } }],
] as const;
for (const [what, patch] of edits) {
  // FR-48
  replication.scenario(`a copy edited by hand (${what}) is restored`, async (scenario) => {
    const { when, then, cluster, expect, ref, namespace } = scenario, story = new Replicating(scenario);
    // Without its annotation the copy has no owner, and taking it back is an adoption.
    const [team] = await story.begin(["team"], { conflictPolicy: "Adopt" });
    await story.ready(1);
    const { metadata } = await cluster.get(ref(Secret, "token", team));
    await when(`it is edited: ${what}`, () => cluster.patch(ref(Secret, "token", team), patch));
    await then("it is repaired in place", () =>
      expect(ref(Secret, "token", team)).toMatch({
        data: { key: btoa("one"), extra: undefined },
        metadata: {
          uid: metadata!.uid,
          labels: { "pintle.dev/replication": `${namespace}.token` },
          annotations: { "pintle.dev/replication": `${namespace}/token` },
        },
      }));
  });
}

// FR-48
replication.scenario("a copy that is deleted comes back", async (scenario) => {
  const { when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"]);
  await story.ready(1);
  const { metadata } = await cluster.get(ref(Secret, "token", team));
  await when("it is deleted", () => cluster.delete(ref(Secret, "token", team)));
  await then(
    "another takes its place",
    () => expect(ref(Secret, "token", team)).toSatisfy("to be another", (copy) => copy.metadata?.uid !== metadata?.uid),
  );
});

replication.scenario("killed and started again, it goes on where it was", async (scenario) => {
  const { when, cluster, operator, ref } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"]);
  await story.ready(1);
  await when("the operator is killed, the source changes, and the operator restarts", async () => {
    await operator.crash();
    await cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } });
    await operator.restart();
  });
  await story.copied(team!, "two");
}, { alone: true });
