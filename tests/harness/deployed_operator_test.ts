import assert from "node:assert/strict";
import { settle, VirtualClock } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { EmbeddedCluster } from "../../lib/harness/mod.ts";
import { DeployedOperator } from "../../lib/harness/deployed_operator.ts";
import { Namespace } from "../../lib/operator/mod.ts";
import { type BuiltinObject, Deployment, Pod } from "../../lib/operator/builtin_kinds.ts";

const KEY = { namespace: "patient-system", name: "patient" }, LABELS = { app: "patient" };
const ROLLOUT_MS_MAX = 120_000;

/** A Deployment on a cluster without controllers: what they would say, the test says. */
class Rollout implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly cluster = new EmbeddedCluster({ clock: this.clock });
  readonly client = new Client(this.cluster.transport(), { fieldManager: "test", clock: this.clock });
  readonly operator = new DeployedOperator({
    client: this.client,
    deployment: KEY,
    clock: this.clock,
    rolloutMsMax: ROLLOUT_MS_MAX,
    replicas: 1,
  });

  static async make(): Promise<Rollout> {
    const rollout = new Rollout(), { client } = rollout;
    await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: KEY.namespace } });
    const template = { metadata: { labels: LABELS }, spec: { containers: [{ name: "operator", image: "mine:1" }] } };
    const spec = { replicas: 1, selector: { matchLabels: LABELS }, template };
    await client.create(Deployment, { apiVersion: "apps/v1", kind: "Deployment", metadata: KEY, spec });
    return rollout;
  }

  /** Says of the Deployment what its controller would. */
  async says(status: Record<string, unknown>): Promise<void> {
    const { metadata } = await this.client.get<BuiltinObject>(Deployment, KEY);
    const patch = { status: { observedGeneration: metadata!.generation, ...status } } as never;
    await this.client.patch(Deployment, KEY, { type: "merge", subresource: "status", body: patch });
  }

  /** All its replicas are ready. */
  async ready(): Promise<void> {
    const { spec } = await this.client.get<BuiltinObject>(Deployment, KEY), replicas = spec!.replicas;
    await this.says({ replicas, updatedReplicas: replicas, readyReplicas: replicas, conditions: null });
  }

  /** A pod of it, with what the kubelet says of it. */
  async pod(name: string, status: object): Promise<void> {
    const metadata = { namespace: KEY.namespace, name, labels: LABELS };
    const spec = { containers: [{ name: "operator", image: "mine:1" }] };
    await this.client.create<KubeObject>(Pod, { apiVersion: "v1", kind: "Pod", metadata, spec } as KubeObject);
    const key = { namespace: KEY.namespace, name };
    await this.client.patch(Pod, key, { type: "merge", subresource: "status", body: { status } as never });
  }

  /** The scale that it is to have. */
  async scale(): Promise<unknown> {
    return (await this.client.get<BuiltinObject>(Deployment, KEY)).spec!.replicas;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}

/** A signal of a run that is not interrupted. */
const RUN = new AbortController().signal;

/** How a pod waits for its image. */
const NO_IMAGE = { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "registry.test/wait:1"' } };

Deno.test("a rollout is over when every replica is ready", async () => {
  await using rollout = await Rollout.make();
  const waiting = rollout.operator.ready(RUN);
  await rollout.says({ replicas: 1, updatedReplicas: 1, readyReplicas: 0 });
  await settle();
  await rollout.ready();
  await waiting;
});

for (const list of ["containerStatuses", "initContainerStatuses"]) {
  // FR-168
  Deno.test(`an image that cannot be had ends the rollout at once, with the pod's own words (${list})`, async () => {
    await using rollout = await Rollout.make();
    const status = { name: "wait", restartCount: 0, image: "", imageID: "", ready: false, state: NO_IMAGE };
    await rollout.pod("a", { phase: "Pending", [list]: [status] });
    await assert.rejects(rollout.operator.ready(RUN), {
      name: "NotYetError",
      message:
        /^Deployment patient-system\/patient to be ready will not happen: container wait: ImagePullBackOff: Back-off pulling image "registry\.test\/wait:1"\nstate of pod a:\nphase Pending\ncontainer wait, 0 restarts/,
    });
  });
}

const REFUSED = {
  type: "ReplicaFailure",
  status: "True",
  reason: "FailedCreate",
  message: 'pods "patient-1" is forbidden: exceeded quota: small',
};

// FR-168
Deno.test("a cluster that goes on refusing pods ends the rollout after ten seconds, with its reason", async () => {
  await using rollout = await Rollout.make();
  const waiting = rollout.operator.ready(RUN);
  const rejected = assert.rejects(waiting, {
    name: "NotYetError",
    message: /will not happen: the cluster refuses its pods: pods "patient-1" is forbidden: exceeded quota: small/,
  });
  await rollout.says({ conditions: [REFUSED] });
  await settle();
  await rollout.clock.advance(9_999);
  const early = await Promise.race([waiting.then(() => "ended", () => "ended"), settle().then(() => "waits")]);
  assert.equal(early, "waits");
  await rollout.clock.advance(1);
  await rejected;
});

// FR-168
Deno.test("a cluster that refuses pods for a moment only does not", async () => {
  await using rollout = await Rollout.make();
  const waiting = rollout.operator.ready(RUN);
  await rollout.says({ conditions: [REFUSED] });
  await settle();
  await rollout.clock.advance(9_000);
  await rollout.says({ conditions: null });
  await settle();
  await rollout.clock.advance(9_000);
  await rollout.ready();
  await waiting;
});

// FR-167
Deno.test("an interruption ends the wait for the rollout, and the operator can be commanded all the same", async () => {
  await using rollout = await Rollout.make();
  const { operator } = rollout, run = new AbortController();
  const waiting = operator.ready(run.signal);
  await settle();
  run.abort(new Error("interrupted"));
  await assert.rejects(waiting, { message: "interrupted" });
  await operator.pause();
  assert.deepEqual([await rollout.scale(), operator.runs], [0, false]);
  const resuming = operator.resume();
  await settle();
  await rollout.ready();
  await resuming;
  assert.deepEqual([await rollout.scale(), operator.runs], [1, true]);
});

Deno.test("a command calls off the one before it and waits for its end", async () => {
  await using rollout = await Rollout.make();
  const { operator } = rollout;
  await rollout.pod("a", { phase: "Running" });
  const pausing = assert.rejects(operator.pause(), { message: "another command replaced it" }); // the pod stays
  await settle();
  const resuming = operator.resume();
  await pausing;
  await settle();
  await rollout.ready();
  await resuming;
  assert.deepEqual([await rollout.scale(), operator.runs], [1, true]);
});

Deno.test("scenarios that start it at the same time share one start", async () => {
  await using rollout = await Rollout.make();
  const { operator } = rollout;
  await operator.pause();
  const starts = [operator.start(), operator.start(), operator.resume()];
  await settle();
  await rollout.ready();
  await Promise.all(starts);
  assert.equal(operator.runs, true);
});

Deno.test("its end calls off what is under way", async () => {
  await using rollout = await Rollout.make();
  await rollout.pod("a", { phase: "Running" });
  const pausing = assert.rejects(rollout.operator.pause(), { message: "the run is over" });
  await settle();
  await rollout.operator[Symbol.asyncDispose]();
  await pausing;
});
