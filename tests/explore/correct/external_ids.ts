// Correct: the cloud gives each volume an id; it knows a repeated order by its key, and the id is random.
import { defineResource, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Volume = defineResource({
  group: "volumes.example.com",
  version: "v1",
  kind: "CloudVolume",
  spec: z.object({ gibibytes: z.int().min(1) }),
  status: z.object({ id: z.string().optional(), gibibytes: z.int().optional() }),
});

/** A cloud that gives out random ids, and knows a repeated order by its key. */
class Cloud {
  readonly volumes = new Map<string, { readonly id: string; gibibytes: number }>();

  put(key: string, gibibytes: number): string {
    const volume = this.volumes.get(key) ?? { id: `vol-${crypto.randomUUID().slice(0, 8)}`, gibibytes };
    volume.gibibytes = gibibytes;
    this.volumes.set(key, volume);
    return volume.id;
  }

  delete(key: string): void {
    this.volumes.delete(key);
  }
}

function operator(cloud: Cloud): Operator {
  const made = new Operator("volumes");
  made.on(Volume)
    .reconcile(({ uid, spec, status }) => {
      status.set({ id: cloud.put(uid, spec.gibibytes), gibibytes: spec.gibibytes });
    })
    .delete(({ uid }) => cloud.delete(uid), { id: "delete" });
  return made;
}

const suite = new Suite("external_ids", { world: () => new Cloud(), operator });

suite.scenario("a volume is ordered, grows and goes", async ({ given, when, then, cluster, expect, ref, world }) => {
  const volume = ref(Volume, "v");
  const sized = (gibibytes: number) => () => expect(volume).toMatch({ status: { gibibytes } });
  await given("a volume", () => cluster.create(Volume, { metadata: { name: "v" }, spec: { gibibytes: 1 } }));
  await then("it is there", sized(1));
  await when("it grows", () => cluster.patch(volume, { spec: { gibibytes: 2 } }));
  await then("it has grown", sized(2));
  await when("it is deleted", () => cluster.delete(volume));
  await then("it is gone", () => expect(volume).toBeGone());
  await then("the cloud has none", () => {
    if (world.volumes.size > 0) throw new Error(`the cloud still has ${world.volumes.size}`);
  });
});

export const correct: Suite = suite as Suite;
