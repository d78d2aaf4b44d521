import assert from "node:assert/strict";
import { ConfigMap, Namespace, Secret } from "../../lib/operator/mod.ts";
import { type ScenarioContext, Suite } from "../../lib/harness/mod.ts";
import { Replication, type ReplicationObject, replicator } from "../../lib/replicator/mod.ts";
import { configMap, Replicating, secret } from "./stories.ts";

/** Whose Replications may write where. The operator trusts the namespaces `…-platform`. */
export const trust: Suite = new Suite(
  "trust",
  () => replicator({ trustedNamespaces: ["*-platform"], protectedNamespaces: ["kube-*", "*-protected"] }),
);

const ACCEPT = "pintle.dev/accept-from";

/** The Ready condition's message. */
function message({ status }: ReplicationObject, type = "Ready"): string {
  return status?.conditions?.find((condition) => condition.type === type)?.message ?? "";
}

/** A Namespace begins, or ceases, to accept copies. */
async function accept({ cluster, ref }: ScenarioContext, namespace: string, from: string | null): Promise<void> {
  await cluster.patch(ref(Namespace, namespace), { metadata: { annotations: { [ACCEPT]: from } } } as never);
}

// FR-322
trust.scenario(
  "without trust nothing is written, and the status says what to do; consent is enough",
  async (scenario) => {
    const { when, then, cluster, expect, ref, namespace } = scenario, story = new Replicating(scenario);
    const [a, b] = await story.begin(["team-a", "team-b"]);
    await story.notReady("NotTrusted");
    await then("each namespace is named with both ways out", async () => {
      const refused = await expect(ref(Replication, "token")).toMatch({
        status: { namespaces: { matched: 2, ready: 0, failed: 2 } },
      } as never);
      assert.deepEqual(refused.status?.failures?.map(({ namespace, reason }) => [namespace, reason]), [
        [a, "NotTrusted"],
        [b, "NotTrusted"],
      ]);
      assert.match(message(refused), new RegExp(`adds ${namespace} to the operator's PINTLE_TRUSTED_NAMESPACES`));
      assert.match(message(refused), new RegExp(`kubectl annotate namespace ${a} ${ACCEPT}=${namespace}`));
      for (const team of [a, b]) assert.equal(await cluster.find(ref(Secret, "token", team)), undefined);
    });
    await when(
      "one namespace accepts copies of other namespaces only",
      () => accept(scenario, a!, "platform, other-*"),
    );
    await when(
      "the other one accepts those of this one, by a glob",
      () => accept(scenario, b!, `other, ${namespace}*`),
    );
    await story.copied(b!, "one");
    await then("the first still refuses", async () => {
      // The copy is written before the status that counts it.
      await expect(ref(Replication, "token")).toMatch({
        status: { namespaces: { failed: 1 }, failures: [{ namespace: a, reason: "NotTrusted" }] },
      } as never);
      assert.equal(await cluster.find(ref(Secret, "token", a)), undefined);
    });
    await when("it accepts, too", () => accept(scenario, a!, namespace));
    await story.ready(2);
  },
);

// FR-322
trust.scenario("consent that is withdrawn stops writes and deletes nothing", async (scenario) => {
  const { given, when, then, cluster, expect, ref, namespace } = scenario, story = new Replicating(scenario);
  const [a, b] = await given("two namespaces that accept copies", async () => {
    const made = await story.namespaces("team-a", "team-b");
    for (const team of made) await accept(scenario, team, namespace);
    return made;
  });
  await story.begin([]);
  await story.ready(2);
  await when("one of them does so no longer", () => accept(scenario, a!, null));
  await story.notReady("NotTrusted");
  await when("the source changes", () => cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } }));
  await story.copied(b!, "two");
  await then(
    "the copy there is as it was",
    () => expect(ref(Secret, "token", a)).toMatch({ data: { key: btoa("one") } }),
  );
  await when("the Replication is deleted", () => cluster.delete(ref(Replication, "token")));
  await story.gone(a!);
  await story.gone(b!);
});

// FR-322
trust.scenario("a trusted namespace writes everywhere, and may adopt", async (scenario) => {
  const { given, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
  const [platform, team] = await given("a trusted namespace, and one in which the name is taken", async () => {
    const made = await story.namespaces("platform", "team");
    await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace: made[1]! } }));
    return made;
  });
  await given("a Replication there that adopts", async () => {
    await cluster.createManifest(secret("token", { key: "one" }, { metadata: { namespace: platform! } }));
    await cluster.createManifest(story.replication({ conflictPolicy: "Adopt" }, platform));
  });
  await story.ready(1, platform);
  await then("the object is a copy", () => expect(ref(Secret, "token", team)).toMatch({ data: { key: btoa("one") } }));
});

// FR-322
trust.scenario("a tenant cannot overwrite a Secret of a namespace that accepts its copies", async (scenario) => {
  const { given, then, cluster, expect, ref, namespace } = scenario, story = new Replicating(scenario);
  const [victim] = await given("a namespace that accepts copies and has a Secret of the name", async () => {
    const made = await story.namespaces("team-victim");
    await accept(scenario, made[0]!, namespace);
    await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace: made[0]! } }));
    return made;
  });
  await story.begin([], { conflictPolicy: "Adopt" });
  const message = /Adopt needs .* in the operator's PINTLE_TRUSTED_NAMESPACES/;
  await story.failing([{ namespace: victim!, reason: "Conflict", message }]);
  await then(
    "theirs is untouched",
    () => expect(ref(Secret, "token", victim)).toMatch({ data: { key: btoa("theirs") } }),
  );
});

// FR-322
trust.scenario("a tenant that names every namespace takes no name from the platform", async (scenario) => {
  const { given, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
  await story.begin(["team"], { targets: { namespaces: ["*"] } });
  await story.notReady("NotTrusted");
  const [platform] = await given("the platform's Replication of the same name", async () => {
    const made = await story.namespaces("platform");
    await cluster.createManifest(secret("token", { key: "sixty-four" }, { metadata: { namespace: made[0]! } }));
    await cluster.createManifest(story.replication({}, made[0]));
    return made;
  });
  await story.ready(1, platform);
  await then(
    "the copy is the platform's",
    () => expect(ref(Secret, "token", `${prefix}-team`)).toMatch({ data: { key: btoa("sixty-four") } }),
  );
});

for (const name of ["kube-root-ca.crt", "istio-ca-root-cert"]) {
  // FR-322
  trust.scenario(`${name} is never written, not even by a trusted namespace`, async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario, story = new Replicating(scenario);
    const [platform, team] = await given("a trusted namespace and another", () => story.namespaces("platform", "team"));
    await given("a Replication whose copies would have that name", async () => {
      await cluster.createManifest(configMap("settings", { key: "one" }, { metadata: { namespace: platform! } }));
      const source = { kind: "ConfigMap", name: "settings" };
      await cluster.createManifest(story.replication({ source, targets: { namespaces: [team], name } }, platform));
    });
    const refused = await story.notReady("InvalidTargets", platform);
    await then("the condition says why", () => assert.match(message(refused), /spec\.targets\.name: .* pods trust/));
    await when(
      "it gets another name",
      () => story.change({ targets: { namespaces: [team], name: "bundle" } }, platform),
    );
    await then("it is copied", () => expect(ref(ConfigMap, "bundle", team)).toMatch({ data: { key: "one" } }));
  });
}

const NEVER = [
  ["its own namespace", "platform", /"[^"]*-platform" is the Replication's own namespace/],
  ["a protected namespace", "protected", /"[^"]*-protected" is protected \(PINTLE_PROTECTED_NAMESPACES\)/],
] as const;
for (const [what, target, reason] of NEVER) {
  // FR-324
  trust.scenario(`targets that name ${what} alone are a condition that says so`, async (scenario) => {
    const { given, when, then, cluster, expect, ref, prefix } = scenario, story = new Replicating(scenario);
    const [platform] = await given("namespaces", () => story.namespaces("platform", "protected", "team"));
    await given("a Replication of the one to itself", async () => {
      await cluster.createManifest(secret("token", { key: "one" }, { metadata: { namespace: platform! } }));
      await cluster.createManifest(story.replication({ targets: { namespaces: [`${prefix}-${target}`] } }, platform));
    });
    const never = await story.notReady("NoTargets", platform);
    await then("the message says why", () => assert.match(message(never), reason));
    await when(
      "a namespace that can have a copy is named, too",
      () => story.change({ targets: { namespaces: [`${prefix}-${target}`, `${prefix}-team`] } }, platform),
    );
    await story.ready(1, platform);
    await then("the condition still names the other", async () => {
      const said = await expect(ref(Replication, "token", platform)).toHaveCondition("TargetsReachable", false, {
        reason: "NeverMatch",
      });
      assert.match(message(said, "TargetsReachable"), reason);
    });
    await when(
      "the other is named no longer",
      () => story.change({ targets: { namespaces: [`${prefix}-team`] } }, platform),
    );
    await then(
      "the condition holds",
      () => expect(ref(Replication, "token", platform)).toHaveCondition("TargetsReachable"),
    );
  });
}
