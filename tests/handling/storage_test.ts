import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import {
  AnnotationStorage,
  ChainStorage,
  GenerationStorage,
  HANDLED,
  handledContentOf,
  type HandledState,
  type HandledStateStorage,
  KopfRecords,
  MemoryStorage,
  snapshotOf,
  StatusStorage,
  type StorageEdit,
} from "../../lib/handling/mod.ts";

/** What is promised of every storage, each with whether it outlives the process and is bounded by the object's size. */
const STORAGES: Record<string, { make: () => HandledStateStorage; inObject: boolean }> = {
  annotations: { make: () => new AnnotationStorage({ prefix: "w.pintle.dev" }), inObject: true },
  status: { make: () => new StatusStorage(), inObject: true },
  memory: { make: () => new MemoryStorage(), inObject: false },
  "a chain": {
    make: () => new ChainStorage(new AnnotationStorage({ prefix: "w.pintle.dev" }), new KopfRecords()),
    inObject: true,
  },
  "the generation before annotations": {
    make: () => new GenerationStorage(new AnnotationStorage({ prefix: "w.pintle.dev" }), { marksOnly: false }),
    inObject: true,
  },
};

const OBJECT: KubeObject = {
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "a", uid: "u-1", labels: { tier: "gold" } },
};
const BASE = snapshotOf({ spec: { size: 1 }, metadata: { labels: { tier: "gold" } } });
const STATE: HandledState = {
  lastHandled: BASE,
  pendingChange: {
    kind: "update",
    target: snapshotOf({ spec: { size: 2 } }),
    progress: {
      easy: { startedMs: 1_700_000_000_000, retries: 0, outcome: "succeeded" },
      "hard/part-1": {
        startedMs: 1_700_000_000_123,
        retries: 3,
        delayedMs: 1_700_000_060_500,
        reason: "Busy",
        message: "no ü room",
      },
      bad: { startedMs: 1_700_000_000_000, retries: 1, outcome: "exhausted", reason: "Error", message: "x" },
    },
  },
};

/** The object as a server has it after an edit. */
function edited(object: KubeObject, { annotations = {}, status }: StorageEdit): KubeObject {
  const kept: Record<string, string> = { ...object.metadata?.annotations };
  for (const [key, value] of Object.entries(annotations)) {
    if (value === null) delete kept[key];
    else kept[key] = value;
  }
  const live = (object as { status?: object }).status;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: kept },
    ...(status ? { status: { ...live, ...status } } : {}),
  } as KubeObject;
}

for (const [name, { make, inObject }] of Object.entries(STORAGES)) {
  Deno.test(`${name}: what is kept is recalled, and keeping it again asks for no write`, async () => {
    const storage = make();
    assert.deepEqual(await storage.load(OBJECT), {});
    const object = edited(OBJECT, await storage.save(OBJECT, STATE, []));
    assert.deepEqual(await storage.load(object), STATE);
    assert.deepEqual(await storage.save(object, STATE, []), {});
    const done = edited(object, await storage.save(object, { lastHandled: BASE }, []));
    assert.deepEqual(await storage.load(done), { lastHandled: BASE });
  });

  Deno.test(`${name}: what it keeps is no part of the object's content`, async () => {
    const storage = make(), options = { isRecord: (key: string) => storage.isRecord(key) };
    const object = edited(OBJECT, await storage.save(OBJECT, STATE, []));
    assert.deepEqual(handledContentOf(object, options), handledContentOf(OBJECT, options));
  });

  Deno.test(`${name}: a copy of an object under another uid is another object`, async () => {
    const storage = make(), object = edited(OBJECT, await storage.save(OBJECT, STATE, []));
    assert.deepEqual(await storage.load({ ...object, metadata: { ...object.metadata, uid: "u-2" } }), {});
  });

  Deno.test(`${name}: a large content is compressed, and one without room leaves digests of the fields that count`, async () => {
    const storage = make();
    const wordy = snapshotOf({ spec: { text: "many words ".repeat(10_000), mode: "a" } });
    const noise = Array.from({ length: 30_000 }, (_, n) => (Math.imul(n + 1, 2_654_435_761) >>> 0).toString(36)).join(
      "",
    );
    const noisy = snapshotOf({ spec: { noise, mode: "a" } });
    const compressed = await storage.save(OBJECT, { lastHandled: wordy }, ["spec.mode"]);
    assert.deepEqual(await storage.load(edited(OBJECT, compressed)), { lastHandled: wordy });
    const digests = await storage.save(OBJECT, {
      lastHandled: noisy,
      pendingChange: { ...STATE.pendingChange!, target: noisy },
    }, [
      "spec.mode",
    ]);
    for (const edit of [compressed, digests]) {
      assert.ok(JSON.stringify(edit).length < 8_192, `${JSON.stringify(edit).length}`);
    }
    const { lastHandled, pendingChange } = await storage.load(edited(OBJECT, digests));
    assert.equal(lastHandled?.digest, noisy.digest);
    assert.deepEqual(pendingChange?.progress, STATE.pendingChange!.progress, "progress is kept in any case");
    if (!inObject) return;
    assert.equal(lastHandled?.content, undefined);
    assert.deepEqual(Object.keys(lastHandled?.fields ?? {}), ["spec.mode"]);
  });

  Deno.test(`${name}: what is damaged counts as handled in an unknown state, and is never thrown`, async () => {
    if (!inObject) return; // nothing of it can be damaged from outside
    const storage = make(), edit = await storage.save(OBJECT, STATE, []);
    for (
      const damage of [
        "",
        "{",
        "[]",
        "null",
        "gzip:",
        "gzip:!!!",
        "gzip:H4sIAAAAAAAA",
        '{"uid":"u-1"}',
        '{"uid":"u-1","digest":7}',
      ]
    ) {
      const broken = JSON.parse(JSON.stringify(edit), (_, value) => typeof value === "string" ? damage : value);
      const state = await storage.load(edited(OBJECT, broken));
      assert.notEqual(state.lastHandled, undefined, damage);
      assert.equal(state.lastHandled?.content, undefined, damage);
      assert.equal(state.pendingChange, undefined, damage);
    }
  });
}

Deno.test("a compressed text that unfolds to more than an object can have is not unfolded", async () => {
  const bomb = new Blob([new Uint8Array(16 * 1_024 * 1_024)]).stream().pipeThrough(new CompressionStream("gzip"));
  const text = `gzip:${new Uint8Array(await new Response(bomb).arrayBuffer()).toBase64()}`;
  const storage = new AnnotationStorage({ prefix: "w.pintle.dev" });
  const { lastHandled } = await storage.load({
    ...OBJECT,
    metadata: { ...OBJECT.metadata, annotations: { "w.pintle.dev/handled": text } },
  });
  assert.deepEqual(lastHandled, { digest: "" });
});

// FR-235
Deno.test("an object that Kopf handled counts as handled, with the content that Kopf saw", async () => {
  const storage = new ChainStorage(new AnnotationStorage({ prefix: "w.pintle.dev" }), new KopfRecords());
  const annotations = {
    // As Kopf 1.45 writes it: one line, a newline at its end.
    "kopf.zalando.org/last-handled-configuration":
      '{"spec":{"size":1},"metadata":{"labels":{"tier":"gold"},"annotations":{"note":"mine"}}}\n',
    "kopf.zalando.org/create_fn": '{"started":"2026-01-01T00:00:00.000000+00:00","retries":1}',
    "note": "mine",
  };
  const object = { ...OBJECT, spec: { size: 1 }, metadata: { ...OBJECT.metadata, annotations } } as KubeObject;
  const isRecord = (key: string) => storage.isRecord(key);
  const { lastHandled } = await storage.load(object);
  const now = snapshotOf(handledContentOf(object, { isRecord }));
  assert.equal(lastHandled?.digest, now.digest, "nothing changed since");
  const own = edited(object, await storage.save(object, { lastHandled: now }, []));
  assert.deepEqual(
    Object.keys(own.metadata!.annotations!).filter((key) => key.startsWith("kopf")).length,
    2,
    "Kopf's stay",
  );
  assert.deepEqual(await storage.load(own), { lastHandled: now }, "ours go first");
});

// FR-235
Deno.test("Kopf's copy of a Secret is compared by digests", async () => {
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "s",
      uid: "u-9",
      annotations: {
        "kopf.zalando.org/last-handled-configuration": '{"data":{"password":"aHVudGVyMg=="},"type":"Opaque"}\n',
      },
    },
    data: { password: "aHVudGVyMg==" },
    type: "Opaque",
  } as KubeObject;
  const records = new KopfRecords(), { lastHandled } = await records.load(object);
  const now = handledContentOf(object, {
    isRecord: (key) => records.isRecord(key),
    secretFields: ["data", "stringData"],
  });
  assert.deepEqual(lastHandled?.content, now);
  assert.ok(!JSON.stringify(lastHandled).includes("aHVudGVyMg"));
});

Deno.test("where no handler needs the former state, an object's observedGeneration is the mark that it was handled", async () => {
  const storage = new GenerationStorage(new AnnotationStorage({ prefix: "w.pintle.dev" }), { marksOnly: true });
  assert.deepEqual(await storage.load(OBJECT), {});
  assert.deepEqual(await storage.save(OBJECT, { lastHandled: HANDLED }, []), {}, "no write for it");
  const observed = { ...OBJECT, status: { observedGeneration: 3 } } as KubeObject;
  assert.deepEqual(await storage.load(observed), { lastHandled: HANDLED });
  const { pendingChange } = STATE, busy = edited(observed, await storage.save(observed, { pendingChange }, []));
  assert.deepEqual((await storage.load(busy)).pendingChange, pendingChange);
});
