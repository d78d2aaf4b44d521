import { PermanentError } from "../../lib/base/mod.ts";
import type { KindConversion } from "../../lib/admission/mod.ts";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import * as z from "zod";
import { defineResource } from "../../lib/operator/mod.ts";
import { ConversionError } from "../../lib/admission/kind_conversion.ts";

/** v3 is the hub: v2 says the size in another unit and knows no mode, v1 says it as a text, v1beta1 has v3's fields. */
const Disk = defineResource({
  group: "convert.example.com",
  version: "v3",
  formerVersions: ["v1beta1"],
  kind: "Disk",
  spec: z.object({ mebibytes: z.int().min(1), mode: z.enum(["slow", "fast"]).default("slow") }),
  status: z.object({ used: z.int().optional() }),
}).withVersion({
  version: "v2",
  spec: z.object({ gibibytes: z.number() }),
  toHub: ({ spec }) => ({ spec: { mebibytes: spec.gibibytes * 1024 } }),
  fromHub: ({ spec }) => ({ spec: { gibibytes: Math.ceil(spec.mebibytes / 1024) } }),
}).withVersion({
  version: "v1",
  spec: z.object({ size: z.string(), note: z.string().optional() }),
  status: z.object({ usage: z.string().optional() }),
  toHub: ({ spec, status }) => {
    const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(spec.size) ?? [];
    if (!number) throw new PermanentError("spec.size is no size in Mi or Gi");
    const used = status?.usage === undefined ? undefined : Number.parseInt(status.usage);
    return { spec: { mebibytes: Number(number) * (unit === "Gi" ? 1024 : 1) }, status: { used } };
  },
  fromHub: ({ spec: { mebibytes }, status }) => ({
    spec: { size: mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi` },
    status: { usage: status?.used === undefined ? undefined : `${status.used} MiB` },
  }),
});
const conversion = Disk.conversion({ statusFields: ["record"] }) as KindConversion;

function disk(version: string, spec: unknown, more: object = {}): DynamicObject {
  const metadata = { namespace: "shop", name: "a", uid: "u", resourceVersion: "7", labels: { team: "x" } };
  return { apiVersion: `convert.example.com/${version}`, kind: "Disk", metadata, spec, ...more };
}
const KEPT = "conversion.pintle.dev";
const into = (object: DynamicObject, version: string) => conversion.convert(object, version).object;
const edited = (object: DynamicObject, spec: object): DynamicObject => ({
  ...object,
  spec: { ...object.spec as object, ...spec },
});

// FR-254
Deno.test("an object is converted to the hub, with the same identity, and the status fields of both versions stay", () => {
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { usage: "5 MiB", conditions, observedGeneration: 3, record: { a: 1 } };
  const { object, problems } = conversion.convert(disk("v1", { size: "2Gi" }, { status }), "v3");
  assert.deepEqual(object, {
    ...disk("v3", { mebibytes: 2048 }),
    status: { used: 5, conditions, observedGeneration: 3, record: { a: 1 } },
  });
  assert.deepEqual(problems, []);
});

Deno.test("a version of the same fields changes its name only, and two versions are converted through the hub", () => {
  assert.deepEqual(into(disk("v1beta1", { mebibytes: 1 }), "v3"), disk("v3", { mebibytes: 1 }));
  assert.deepEqual(into(disk("v1", { size: "2Gi" }), "v2").spec, { gibibytes: 2 });
  const same = disk("v2", { gibibytes: 2 });
  assert.equal(into(same, "v2"), same);
});

// FR-254
Deno.test("fields that a version lacks are restored, and so is their form", () => {
  for (
    const [object, through] of [
      [disk("v3", { mebibytes: 1024, mode: "fast" }), "v1"],
      [disk("v3", { mebibytes: 1500, mode: "fast" }), "v2"],
      [disk("v1", { size: "1024Mi", note: "mine" }), "v3"],
      [disk("v1", { size: "1024Mi", note: "mine" }), "v2"],
      [disk("v2", { gibibytes: 2 }), "v1"],
    ] as const
  ) {
    const there = into(object, through), back = into(there, object.apiVersion!.split("/")[1]!);
    assert.deepEqual(back, object, JSON.stringify(there));
  }
  assert.deepEqual(into(disk("v3", { mebibytes: 1024, mode: "fast" }), "v1").metadata!.annotations, {
    [`${KEPT}/v3`]: '[{"path":["spec","mode"],"is":"fast"}]',
  });
});

// FR-254
Deno.test("a change in the other version wins, and other fields are kept", () => {
  const old = into(disk("v3", { mebibytes: 1024, mode: "fast" }), "v1");
  assert.deepEqual(into(edited(old, { size: "3Gi" }), "v3").spec, { mebibytes: 3072, mode: "fast" });
  const stored = into(disk("v1", { size: "1024Mi", note: "mine" }), "v3");
  assert.deepEqual(into(edited(stored, { mebibytes: 2048 }), "v1").spec, { size: "2Gi", note: "mine" });
});

// FR-254
Deno.test("a filled-in default is not kept as a difference", () => {
  assert.equal(into(disk("v3", { mebibytes: 1024 }), "v1").metadata!.annotations, undefined);
});

// FR-254
Deno.test("annotations of others stay, and a forged one restores nothing that the schema refuses", () => {
  const forged = (is: unknown) => ({
    metadata: {
      name: "a",
      annotations: { mine: "1", [`${KEPT}/v3`]: JSON.stringify([{ path: ["spec", "mode"], was: undefined, is }]) },
    },
  });
  const refused = into(disk("v1", { size: "1Gi" }, forged("warp")), "v3");
  assert.deepEqual(refused.spec, { mebibytes: 1024 });
  assert.deepEqual(refused.metadata!.annotations, { mine: "1" });
  assert.deepEqual(into(disk("v1", { size: "1Gi" }, forged("fast")), "v3").spec, { mebibytes: 1024, mode: "fast" });
  for (
    const text of ["{", "[1]", '[{"path":["metadata","name"],"is":"b"}]', '[{"path":["spec","__proto__"],"is":{}}]']
  ) {
    const metadata = { name: "a", annotations: { [`${KEPT}/v3`]: text } };
    assert.deepEqual(into(disk("v1", { size: "1Gi" }, { metadata }), "v3"), {
      ...disk("v3", { mebibytes: 1024 }),
      metadata: { name: "a" },
    });
  }
});

// FR-254
Deno.test("fields too long to be kept are reported, and the object is still converted", () => {
  const { object, problems } = conversion.convert(disk("v1", { size: "1Gi", note: "x".repeat(40_000) }), "v3");
  assert.deepEqual([object.spec, object.metadata!.annotations], [{ mebibytes: 1024 }, undefined]);
  assert.deepEqual(problems, ["1 fields of v1 are too large to be preserved for it"]);
});

Deno.test("a result that the schema refuses is reported with its field, and passes: one object must not fail a list", () => {
  const { object, problems } = conversion.convert(disk("v1", { size: "0Mi" }), "v3");
  assert.deepEqual(object.spec, { mebibytes: 0 });
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^v3 spec\.mebibytes: /);
});

Deno.test("the message of a refusal contains the function's text; another error is only the cause", () => {
  const refused = (object: DynamicObject, version: string, message: RegExp) =>
    assert.throws(
      () => into(object, version),
      (error) => error instanceof ConversionError && message.test(error.message),
    );
  refused(
    disk("v1", { size: "big" }),
    "v3",
    /^Disk shop\/a cannot be converted from v1 to v3: .*spec\.size is no size/,
  );
  refused(disk("v9", {}), "v3", /^Disk shop\/a: there is no version v9, only v3, v1beta1, v2, v1$/);
});

Deno.test("an unexpected error of a function is the cause, and not part of the message", () => {
  const broken = () => {
    throw new Error("password hunter2");
  };
  const spec = z.object({}), group = "convert.example.com";
  const Broken = defineResource({ group, version: "v2", kind: "Broken", spec })
    .withVersion({ version: "v1", spec, toHub: broken, fromHub: (() => undefined) as never });
  const object = { apiVersion: `${group}/v1`, kind: "Broken", metadata: { name: "a" }, spec: {} };
  assert.throws(() => Broken.conversion()!.convert(object, "v2"), {
    message:
      "Broken a cannot be converted from v1 to v2: toHub of Broken v1 failed: the reason is in the operator's log",
    cause: new Error("password hunter2"),
  });
  assert.throws(() => Broken.conversion()!.convert({ ...object, apiVersion: `${group}/v2` }, "v1"), {
    cause: new TypeError("it returned no object with a spec"),
  });
});

// FR-254
Deno.test("functions get defaults filled in, nothing that they could change, and no field of the engine", () => {
  const given: unknown[] = [];
  const Kind = defineResource({
    group: "convert.example.com",
    version: "v2",
    kind: "Seen",
    spec: z.object({ a: z.int() }),
  }).withVersion({
    version: "v1",
    spec: z.object({ b: z.int().default(3) }),
    toHub: (object) => {
      given.push(object, Object.isFrozen(object.spec));
      return { spec: { a: object.spec.b } };
    },
    fromHub: ({ spec }) => ({ spec: { b: spec.a } }),
    keep: false,
  });
  const status = { phase: "Ready", observedGeneration: 1 };
  const object = { apiVersion: "convert.example.com/v1", kind: "Seen", metadata: { name: "a" }, spec: {}, status };
  assert.deepEqual(Kind.conversion()!.convert(object, "v2").object, {
    ...object,
    apiVersion: "convert.example.com/v2",
    spec: { a: 3 },
  });
  assert.deepEqual(given, [{ spec: { b: 3 }, status: { phase: "Ready" } }, true]);
});

Deno.test("an object without the spec that its version requires passes without one", () => {
  const { spec: _, ...bare } = disk("v1", {});
  assert.deepEqual(into(bare, "v3"), { ...bare, apiVersion: "convert.example.com/v3" });
});

// FR-254
Deno.test("converting functions are typed by the schemas of both versions", () => {
  const hub = () =>
    defineResource({
      group: "convert.example.com",
      version: "v2",
      kind: "Typed",
      spec: z.object({ count: z.int(), mode: z.enum(["a", "b"]).default("a") }),
      status: z.object({ phase: z.enum(["Ready"]) }),
    });
  hub().withVersion({
    version: "v1",
    spec: z.object({ text: z.string() }),
    // @ts-expect-error v1 has no such field
    toHub: ({ spec }) => ({ spec: { count: spec.number } }),
    // @ts-expect-error v1's text is not a number
    fromHub: ({ spec }) => ({ spec: { text: spec.count } }),
  });
  hub().withVersion({
    version: "v1",
    spec: z.object({ text: z.string() }),
    // @ts-expect-error the hub's count is missing
    toHub: () => ({ spec: {} }),
    // @ts-expect-error v1's text is missing, and the hub has no such mode
    fromHub: ({ spec }) => ({ spec: { text: spec.mode === "c" ? 1 : undefined } }),
  });
  hub().withVersion({
    version: "v1",
    spec: z.object({ text: z.string() }),
    status: z.object({ state: z.string() }),
    toHub: ({ status }) => ({ spec: { count: 1 }, status: { phase: status?.state === "on" ? "Ready" : undefined } }),
    // @ts-expect-error a state is a text
    fromHub: () => ({ spec: { text: "" }, status: { state: 1 } }),
  });
  // @ts-expect-error both ways are needed
  hub().withVersion({ version: "v1", spec: z.object({}), toHub: () => ({ spec: { count: 1 } }) });
});

Deno.test("a version cannot be named twice", () => {
  const same = { spec: z.object({}), toHub: () => ({ spec: {} }), fromHub: () => ({ spec: {} }) } as never as object;
  for (const version of ["v3", "v1beta1", "v2"]) {
    assert.throws(() => Disk.withVersion({ version, ...same } as never), /is named twice/);
  }
  assert.throws(() => Disk.withVersion({ version: "One", ...same } as never), /is not a version like/);
});
