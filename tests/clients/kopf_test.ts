import { AnnotationStorage, ChainStorage, KopfRecords } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Program } from "../../lib/harness/program.ts";
import { ConfigMap, type CustomObject, defineResource, Operator } from "../../lib/operator/mod.ts";
import * as z from "zod";
import { findProgram, runProgram, testWith } from "../outside_program.ts";
import { openServedCluster } from "../served_cluster.ts";
import { World } from "../world.ts";
import { cacheFolder } from "./cache_folder.ts";

const SOURCES = new URL("kopf", import.meta.url).pathname;
const PYTHON = await findProgram("python3");
const MISSING = PYTHON ? undefined : "there is no python3 in PATH";
const INSTALL_MS_MAX = 600_000;

/** A virtual environment for exactly these requirements: installed once. */
async function installed(): Promise<string> {
  const requirements = await Deno.readFile(`${SOURCES}/requirements.txt`);
  const key = new Uint8Array(await crypto.subtle.digest("SHA-256", requirements)).toHex().slice(0, 16);
  const folder = await cacheFolder(`kopf-${key}`);
  if (await Deno.stat(`${folder}/complete`).catch(() => undefined)) return folder;
  const steps: [string, string[]][] = [
    [PYTHON!, ["-m", "venv", "--clear", folder]],
    [`${folder}/bin/python`, ["-m", "pip", "install", "-q", "--no-deps", "-r", `${SOURCES}/requirements.txt`]],
  ];
  for (const [program, args] of steps) {
    const { code, err } = await runProgram(program, args, { runMsMax: INSTALL_MS_MAX });
    assert.equal(code, 0, err);
  }
  // Last: an installation that was broken off is begun again.
  await Deno.writeTextFile(`${folder}/complete`, "");
  return folder;
}

const Sprocket = defineResource({
  group: "clients.example.com",
  version: "v1",
  kind: "Sprocket",
  spec: z.object({ teeth: z.int().min(1) }),
  status: z.looseObject({}),
});
type SprocketObject = CustomObject<{ teeth: number }, Record<string, unknown>>;

testWith(MISSING, "Kopf is installed from pinned packages", async () => {
  const { code, out } = await runProgram(`${await installed()}/bin/kopf`, ["--version"]);
  assert.deepEqual([code, out.trim()], [0, "kopf, version 1.45.2"]);
});

testWith(
  MISSING,
  // FR-6
  "an operator written with Kopf creates, retries, ticks, indexes, updates, finalizes and ends",
  async () => {
    const folder = await installed();
    const cluster = await openServedCluster();
    // This operator only brings the CRD: the world lends its namespaces and its patience.
    const bystander = new Operator("bystander");
    bystander.on(Sprocket);
    await using world = await World.open(bystander, cluster);
    const namespace = await world.namespace("kopf"), key = { namespace, name: "a" };
    const args = ["run", "--standalone", "--namespace", namespace, `${SOURCES}/operator.py`];
    const env = { KUBECONFIG: cluster.kubeconfigPath };
    await using kopf = new Program("kopf", `${folder}/bin/kopf`, args, { env });
    const sprocket = (holds: (object: SprocketObject, status: Record<string, unknown>) => boolean) =>
      world.untilObject<SprocketObject>(Sprocket, key, (object) => {
        assert.equal(kopf.failure, undefined);
        return holds(object, object.status ?? {});
      });
    const manifest = { apiVersion: "clients.example.com/v1", kind: "Sprocket", metadata: key, spec: { teeth: 8 } };
    await world.client.create(Sprocket, manifest as KubeObject);
    const made = await sprocket((_, status) => status.phase === "Created");
    assert.deepEqual(made.status?.create, { retries: 1 });
    assert.ok(made.metadata.finalizers?.includes("clients.example.com/kopf"));
    const child = await world.client.get<KubeObject & { data: Record<string, string> }>(ConfigMap, key);
    assert.equal(child.metadata?.ownerReferences?.[0]?.uid, made.metadata.uid);
    await sprocket((_, status) => Number(status.ticks) >= 3 && status.indexed === true);
    await world.client.patch(Sprocket, key, { type: "merge", body: { spec: { teeth: 9 } } });
    await sprocket((_, status) => status.phase === "Changed from 8 to 9");
    assert.equal((await world.client.get<typeof child>(ConfigMap, key)).data.teeth, "9");
    await world.client.delete(Sprocket, key);
    await world.untilGone(Sprocket, key);
    await world.untilObject(ConfigMap, { namespace, name: "farewell-a" });
    await world.untilGone(ConfigMap, key);
  },
);

const Flange = defineResource({
  group: "legacy.example.com",
  version: "v1",
  kind: "Flange",
  spec: z.object({ holes: z.int().min(1) }),
  status: z.looseObject({ phase: z.string().optional() }),
});
type FlangeObject = CustomObject<{ holes: number }, Record<string, unknown>>;

testWith(
  MISSING,
  // FR-260
  "a running Kopf operator is replaced: what it handled is not handled again, and what it held goes",
  async () => {
    const folder = await installed(), cluster = await openServedCluster(), calls: string[] = [];
    const successor = new Operator("flanges", {
      storage: new ChainStorage(new AnnotationStorage({ prefix: "flanges.pintle.dev" }), new KopfRecords()),
      legacyFinalizers: ["kopf.zalando.org/KopfFinalizerMarker"],
    });
    const say = (what: string) => ({ name }: { name: string }) => void calls.push(`${what} ${name}`);
    successor.on(Flange).create(say("create")).update(say("update")).delete(say("delete"));
    await using world = await World.open(successor, cluster);
    const namespace = await world.namespace("kopf");
    const make = (name: string) =>
      world.client.create(
        Flange,
        {
          apiVersion: "legacy.example.com/v1",
          kind: "Flange",
          metadata: { namespace, name },
          spec: { holes: 4 },
        } as FlangeObject,
      );
    const flange = (name: string, holds: (object: FlangeObject) => boolean) =>
      world.untilObject<FlangeObject>(Flange, { namespace, name }, holds);
    {
      const args = ["run", "--standalone", "--namespace", namespace, `${SOURCES}/legacy.py`];
      await using kopf = new Program("kopf", `${folder}/bin/kopf`, args, {
        env: { KUBECONFIG: cluster.kubeconfigPath },
      });
      for (const name of ["kept", "changed", "deleted"]) {
        await make(name);
        const made = await flange(name, ({ status, metadata }) => {
          assert.equal(kopf.failure, undefined);
          return status?.phase === "MadeByKopf" &&
            metadata.annotations?.["kopf.zalando.org/last-handled-configuration"] !== undefined;
        });
        assert.deepEqual(made.metadata.finalizers, ["kopf.zalando.org/KopfFinalizerMarker"]);
      }
    }
    // Kopf is gone. Meanwhile one changes, one is deleted and waits for a finalizer that stays.
    await world.client.patch(Flange, { namespace, name: "changed" }, { type: "merge", body: { spec: { holes: 6 } } });
    await world.client.delete(Flange, { namespace, name: "deleted" });
    await world.start();
    await world.untilGone(Flange, { namespace, name: "deleted" });
    for (const name of ["kept", "changed"]) {
      const taken = await flange(name, ({ metadata }) => metadata.finalizers?.[0] === "legacy.example.com/flanges");
      assert.equal(taken.metadata.finalizers!.length, 1);
      assert.deepEqual(taken.status?.create, { holes: 4 }, "Kopf's results stay");
    }
    await world.idle();
    assert.deepEqual(calls.toSorted(), ["delete deleted", "update changed"]);
    assert.equal(await world.client.find(ConfigMap, { namespace, name: "farewell-of-kopf-deleted" }), undefined);
    for (const name of ["kept", "changed"]) {
      await world.client.delete(Flange, { namespace, name });
      await world.untilGone(Flange, { namespace, name });
    }
    assert.equal(calls.length, 4);
  },
);
