import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { builtinKind, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { EVENTS, type ScenarioContext, Suite, type WriteFault } from "../../lib/harness/mod.ts";
import { Replication, replicator } from "../../lib/replicator/mod.ts";
import { Replicating, secret, TRUSTING } from "./stories.ts";

/**
 * What replication costs, what it keeps to itself, and what becomes of it when it is killed or not allowed to write.
 */
export const faults: Suite = new Suite("faults", () => replicator(TRUSTING));

// FR-56, FR-130, FR-131
faults.scenario(
  "a converged Replication costs no write: not by another reconcile, not by a restart",
  async (scenario) => {
    const { when, then, operator, namespace } = scenario, story = new Replicating(scenario);
    await story.begin(["team-a", "team-b", "team-c"]);
    await story.ready(3);
    const { inProcess } = operator;
    await inProcess.idle();
    await then("it took one create per copy, a finalizer and a status", () => {
      const creates = inProcess.writes.filter(({ method, path }) => method === "POST" && path.includes("/secrets"));
      assert.equal(creates.length, 3);
      assert.ok(inProcess.writes.length - creates.length <= 3, JSON.stringify(inProcess.writes));
    });
    const before = inProcess.writes.length;
    await when("it is reconciled again", async () => {
      for (const kind of inProcess.running.kinds) kind.reconcile({ namespace, name: "token" });
      await inProcess.idle();
    });
    await then("nothing is written", () => assert.equal(inProcess.writes.length, before));
    await when("the operator is started again", async () => {
      await operator.pause();
      await operator.resume();
      await inProcess.idle();
    });
    await then("nothing is written, and no copy is read: who wrote it is in its metadata", () => {
      assert.deepEqual(inProcess.writes, []);
      assert.deepEqual(inProcess.requests.filter(({ path }) => /namespaces\/[^/]*team[^/]*\/secrets/.test(path)), []);
    });
  },
  { inProcess: true },
);

/** Writes that a whole life of three phases is killed around; each phase has fewer. */
const DEATHS = 14;

for (const [how, verdict] of [["before", "dieBefore"], ["after", "dieAfter"]] as const) {
  for (let death = 1; death <= DEATHS; death++) {
    // FR-125
    faults.scenario(
      `killed just ${how} write ${death}, the next run converges and leaves nothing behind`,
      async (scenario) => {
        const { when, then, cluster, expect, operator, ref, prefix } = scenario, story = new Replicating(scenario);
        const fault: WriteFault = (_request, nth) => nth === death ? verdict : "pass";
        const live = async () => {
          await operator.inProcess.start({ fault });
          await operator.inProcess.idleThenCrash();
          await operator.start();
        };
        const teams = await story.begin(["team-a", "team-b"]);
        await when("the operator starts, dies on the way, and starts again", live);
        await story.ready(2);
        await when("the source changes and a namespace stops matching while it is down", async () => {
          await operator.crash();
          await cluster.patch(ref(Secret, "token"), { stringData: { key: "two" } });
          await story.change({ targets: { namespaces: [`${prefix}-team-a`] } });
        });
        await when("it starts, dies on the way, and starts again", live);
        await story.copied(teams[0]!, "two");
        await story.gone(teams[1]!);
        await when("the Replication is deleted while it is down", async () => {
          await operator.crash();
          await cluster.delete(ref(Replication, "token"));
        });
        await when("it starts, dies on the way, and starts again", live);
        await then("the Replication goes, and no copy is left", async () => {
          await expect(ref(Replication, "token")).toBeGone();
          assert.deepEqual(await cluster.list(Secret, { labelSelector: "pintle.dev/replication" }), []);
        });
      },
      { inProcess: true, operator: "stopped" },
    );
  }
}

// FR-54
faults.scenario(
  "a namespace that forbids the copy is named with the missing rule, and does not hold up the others",
  async (scenario) => {
    const { given, when, then, operator } = scenario, story = new Replicating(scenario);
    const rights = new LimitedRights(scenario);
    const [a, b] = await story.begin(["team-a", "team-b"]);
    try {
      await given("an account that may create Secrets in one of them only", async () => {
        await rights.grant();
        await rights.allowIn(a!);
        await operator.inProcess.start({ as: { name: rights.name, groups: ["system:authenticated"] } });
      });
      const { status } = await story.notReady("ReplicationIncomplete");
      await then("the status names the other one and the rule", () => {
        assert.deepEqual(status?.failures?.map(({ namespace, reason }) => [namespace, reason]), [[b, "Forbidden"]]);
        assert.match(status?.failures?.[0]?.message ?? "", /create.*secrets/s);
      });
      await story.copied(a!, "one");
      await when("the rule is granted there too", () => rights.allowIn(b!));
      await story.ready(2);
    } finally {
      await operator.crash();
      await rights.revoke();
    }
  },
  { inProcess: true, operator: "stopped" },
);

// FR-65
faults.scenario("what a Secret holds reaches no log line, no status and no Event", async (scenario) => {
  const { given, when, then, cluster, operator, logs, ref } = scenario, story = new Replicating(scenario);
  const hidden = "s3cr3t-swordfish";
  await given("a namespace in which the name is taken by another type", async () => {
    const [team] = await story.namespaces("team");
    await cluster.createManifest(secret("token", { key: "theirs" }, { metadata: { namespace: team! } }));
  });
  await story.begin([], {}, { type: "example.com/a", stringData: { key: hidden } });
  await story.notReady("ReplicationIncomplete");
  await when("it may take over", () => story.change({ conflictPolicy: "Adopt" }));
  await story.ready(1);
  await then("nothing that was said has the value in any form", async () => {
    await operator.inProcess.idle();
    const events = await cluster.list(EVENTS);
    const said = JSON.stringify([logs, await cluster.get(ref(Replication, "token")), events]);
    for (const trace of [hidden, btoa(hidden)]) assert.ok(!said.includes(trace), `"${trace}" was said somewhere`);
    assert.ok(logs.some(({ level }) => level === "debug"), "debug lines were looked at too");
    assert.deepEqual(events, [], "logs are no Events");
  });
}, { inProcess: true });

// FR-56
faults.scenario("no store holds the data of a copy or of a source", async (scenario) => {
  const { then, operator } = scenario, story = new Replicating(scenario);
  await story.begin(["team"]);
  await story.ready(1);
  await then("no object in memory has data", () => {
    let looked = 0;
    for (const { resource, objects } of operator.inProcess.running.watches) {
      for (const object of objects()) {
        const held = object as SecretObject;
        assert.equal(held.data ?? held.stringData, undefined, `${resource.kind} ${held.metadata?.name}`);
        looked++;
      }
    }
    assert.ok(looked > 3, "stores were looked at");
  });
}, { inProcess: true });

// FR-47
faults.scenario("a namespace deleted in the middle of the fan-out is no failure", async (scenario) => {
  const { when, then, cluster, operator, ref } = scenario, story = new Replicating(scenario);
  const [a] = await story.begin(["team-a", "team-b"]);
  let deleted = false;
  await when("the operator is just about to write to a namespace that goes", () =>
    operator.inProcess.start({
      before: async ({ method, path }) => {
        if (deleted || method !== "POST" || !path.includes(`/namespaces/${a}/secrets`)) return;
        deleted = true;
        await cluster.delete(ref(Namespace, a!));
      },
    }));
  const { status } = await story.ready(1);
  await then("the other one counts alone", () => {
    assert.deepEqual([status?.namespaces, deleted], [{ matched: 1, ready: 1, failed: 0 }, true]);
  });
}, { inProcess: true, operator: "stopped" });

const RBAC = "rbac.authorization.k8s.io";
const role = (kind: string, namespaced: boolean) => builtinKind({ group: RBAC, version: "v1", kind, namespaced });
const ClusterRole = role("ClusterRole", false), ClusterRoleBinding = role("ClusterRoleBinding", false);

/** A user with everything that the operator declares, but creating Secrets only where a Role says so. */
class LimitedRights {
  readonly name: string;
  readonly #scenario: ScenarioContext;

  constructor(scenario: ScenarioContext) {
    this.#scenario = scenario;
    this.name = `${scenario.prefix}-limited`;
  }

  async grant(): Promise<void> {
    const rules = replicator().rules().map((rule) =>
      rule.resources.includes("secrets") ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== "create") } : rule
    );
    await this.#create("ClusterRole", { rules });
    await this.#create("ClusterRoleBinding", { ...this.#binding("ClusterRole") });
  }

  async allowIn(namespace: string): Promise<void> {
    const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["create"] }];
    await this.#create("Role", { rules }, namespace);
    await this.#create("RoleBinding", this.#binding("Role"), namespace);
  }

  async revoke(): Promise<void> {
    const { cluster, ref } = this.#scenario;
    for (const kind of [ClusterRole, ClusterRoleBinding]) await cluster.delete(ref(kind, this.name));
  }

  #binding(kind: string): object {
    const subjects = [{ kind: "User", name: this.name, apiGroup: RBAC }];
    return { subjects, roleRef: { kind, name: this.name, apiGroup: RBAC } };
  }

  async #create(kind: string, rest: object, namespace?: string): Promise<void> {
    const metadata = { name: this.name, ...(namespace ? { namespace } : {}) };
    await this.#scenario.cluster.createManifest({ apiVersion: `${RBAC}/v1`, kind, metadata, ...rest } as KubeObject);
  }
}
