import { type Duration, formatJson, PermanentError, UsageError } from "../../lib/base/mod.ts";
import assert from "node:assert/strict";
import * as z from "zod";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, defineResource, Namespace, Operator, watch, withRules } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";

interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The structural schema of a spec with these fields. */
function fieldsOf(shape: z.ZodRawShape): Readonly<Record<string, Schema>> {
  const crd = defineResource({ group: "shop.example.com", version: "v1", kind: "Thing", spec: z.object(shape) }).crd();
  const { versions } = crd.spec as { versions: { schema: { openAPIV3Schema: Schema } }[] };
  return versions[0]!.schema.openAPIV3Schema.properties!.spec!.properties!;
}

const RICH = defineResource({
  group: "define.test.pintle.dev",
  version: "v1alpha1",
  kind: "NetworkPolicy",
  shortNames: ["np"],
  categories: ["all"],
  description: "What may talk to what.",
  columns: [{ name: "Mode", jsonPath: ".spec.mode" }, {
    name: "Size",
    jsonPath: ".spec.size",
    type: "integer",
    priority: 1,
  }],
  spec: z.object({
    size: z.int().min(1).max(10).describe("How many."),
    mode: z.enum(["a", "b"]).default("a"),
    ports: z.array(z.object({ name: z.string(), port: z.union([z.int(), z.string()]) })).min(1)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] }),
    labels: z.record(z.string(), z.string()).optional(),
    note: z.string().max(5).nullable().optional(),
    level: z.enum(["low", "high"]).optional(),
    email: z.email().optional(),
  }).meta({ "x-kubernetes-validations": [{ rule: "self.size < 9", message: "too many" }] }),
  status: z.object({ ready: z.int().optional() }),
});

// FR-16
Deno.test("a rich schema becomes this CustomResourceDefinition", async (t) => {
  assert.equal(RICH.plural, "networkpolicies");
  await t.assertSnapshot(RICH.crd());
});

// FR-16
Deno.test("and an API server takes it, prunes, defaults and refuses by it", async () => {
  const operator = new Operator("define");
  operator.on(RICH).reconcile(() => {});
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  const create = (spec: object) =>
    world.client.create(RICH, { metadata: { namespace, name: "a" }, spec } as unknown as DynamicObject);
  const ports = [{ name: "http", port: 80 }, { name: "https", port: "secure" }];
  const refused: [object, string][] = [
    [{ ports }, "spec.size"],
    [{ size: 11, ports }, "spec.size"],
    [{ size: 9, ports }, "too many"],
    [{ size: 1, ports: [] }, "spec.ports"],
    [{ size: 1, ports: [ports[0], ports[0]] }, "spec.ports"],
    [{ size: 1, ports: [{ name: "a", port: true }] }, "port"],
    [{ size: 1, ports, mode: "c" }, "spec.mode"],
    [{ size: 1, ports, level: "mid" }, "spec.level"],
    [{ size: 1, ports, note: "too long" }, "spec.note"],
    [{ size: 1, ports, labels: { a: 1 } }, "spec.labels"],
  ];
  for (const [spec, field] of refused) {
    await assert.rejects(
      create(spec),
      (error: Error) => error.message.includes(field),
      `${JSON.stringify(spec)} ${field}`,
    );
  }
  const made = await create({ size: 1, ports, note: null, level: "low", unknown: 1 });
  assert.deepEqual(made.spec, { size: 1, ports, note: null, level: "low", mode: "a" });
});

const STORE = z.discriminatedUnion("type", [
  z.object({ type: z.literal("s3"), bucket: z.string(), region: z.string().optional(), size: z.int().optional() }),
  z.object({ type: z.enum(["disk", "memory"]), size: z.int() }),
]);
const STORED: Schema = {
  type: "object",
  properties: {
    type: { type: "string", enum: ["s3", "disk", "memory"] },
    bucket: { type: "string" },
    region: { type: "string" },
    size: { type: "integer", format: "int64" },
  },
  required: ["type"],
  "x-kubernetes-validations": [
    { rule: '!(self.type == "s3") || has(self.bucket)', message: "bucket is required where type is s3" },
    { rule: '!has(self.bucket) || self.type == "s3"', message: "bucket is only allowed where type is s3" },
    { rule: '!has(self.region) || self.type == "s3"', message: "region is only allowed where type is s3" },
    {
      rule: '!(self.type in ["disk", "memory"]) || has(self.size)',
      message: "size is required where type is disk or memory",
    },
  ],
};

const CONVERTED: [string, z.ZodType, Schema][] = [
  ["a literal", z.literal("on"), { type: "string", enum: ["on"] }],
  ["several literals", z.literal(["on", "off"]), { type: "string", enum: ["on", "off"] }],
  ["a union of literals", z.union([z.literal("a"), z.enum(["b", "c"])]), { type: "string", enum: ["a", "b", "c"] }],
  ["int or string", z.union([z.int(), z.string()]), { "x-kubernetes-int-or-string": true }],
  ["an intersection of objects", z.intersection(z.object({ a: z.int() }), z.object({ b: z.int().optional() })), {
    type: "object",
    properties: { a: { type: "integer", format: "int64" }, b: { type: "integer", format: "int64" } },
    required: ["a"],
  }],
  ["a nullable int or string", z.union([z.int(), z.string()]).nullable(), {
    "x-kubernetes-int-or-string": true,
    nullable: true,
  }],
  ["a bounded nullable text", z.string().max(5).nullable(), { type: "string", maxLength: 5, nullable: true }],
  ["a nullable text", z.string().nullable(), { type: "string", nullable: true }],
  ["a record", z.record(z.string(), z.boolean()), { type: "object", additionalProperties: { type: "boolean" } }],
  ["anything", z.unknown(), { "x-kubernetes-preserve-unknown-fields": true }],
  ["a record of anything", z.record(z.string(), z.unknown()), {
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
  }],
  ["an integer", z.int(), { type: "integer", format: "int64" }],
  ["an int64", z.int64(), { type: "integer", format: "int64" }],
  ["an int64 with bounds", z.int64().min(0n).lt(100n), {
    type: "integer",
    format: "int64",
    minimum: 0,
    maximum: 100,
    exclusiveMaximum: true,
  }],
  ["an int64 with a bound that no number holds", z.int64().max(2n ** 62n), { type: "integer", format: "int64" }],
  ["an int64 or string", z.union([z.int64(), z.string()]), { "x-kubernetes-int-or-string": true }],
  ["a positive number", z.number().positive(), { type: "number", minimum: 0, exclusiveMinimum: true }],
  ["a number below one", z.number().lt(1), { type: "number", maximum: 1, exclusiveMaximum: true }],
  ["a pattern", z.string().regex(/^[a-z]+$/), { type: "string", pattern: "^[a-z]+$" }],
  ["a default", z.boolean().default(true), { type: "boolean", default: true }],
  ["a function that always gives one default", z.string().default(() => "a"), { type: "string", default: "a" }],
  ["a pattern with the flag u", z.string().regex(/^[\p{L}]+$/u), { type: "string", pattern: "^[\\p{L}]+$" }],
  ["an escaped backslash before a digit", z.string().regex(/^\\\\1$/), { type: "string", pattern: "^\\\\\\\\1$" }],
  ["a discriminated union", STORE, STORED],
  ["a nullable discriminated union", STORE.nullable(), { ...STORED, nullable: true }],
  ["a schema with a rule", withRules(z.object({ a: z.int() }), { rule: "self.a > 1", fieldPath: ".a" }), {
    type: "object",
    properties: { a: { type: "integer", format: "int64" } },
    required: ["a"],
    "x-kubernetes-validations": [{ rule: "self.a > 1", fieldPath: ".a" }],
  }],
];
for (const [what, schema, expected] of CONVERTED) {
  Deno.test(`${what} becomes ${formatJson(expected)}`, () =>
    assert.deepEqual(fieldsOf({ field: schema }).field, expected));
}

interface Tree {
  readonly children: Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ children: z.array(tree) }));
const branch: z.ZodType = z.object({
  get next() {
    return branch.optional();
  },
});
const REFUSED: [string, z.ZodType, RegExp][] = [
  [
    "a union of objects",
    z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
    /^Thing\.spec\.field: .*this union/,
  ],
  [
    "a union deep inside",
    z.object({ list: z.array(z.union([z.boolean(), z.string()])) }),
    /^Thing\.spec\.field\.list\[\]: .*this union/,
  ],
  ["a tuple", z.tuple([z.string(), z.int()]), /^Thing\.spec\.field: /],
  ["a union in a record", z.record(z.string(), z.union([z.boolean(), z.int()])), /^Thing\.spec\.field\.\*: /],
  ["literals of two types", z.literal(["a", 1]), /^Thing\.spec\.field: .*several types/],
  ["a choice that may be null", z.enum(["a"]).nullable(), /^Thing\.spec\.field: .*may be null; make it optional/],
  ["literals with null", z.literal(["a", null]), /^Thing\.spec\.field: .*may be null/],
  ["null alone", z.null(), /^Thing\.spec\.field: .*always null/],
  ["look-ahead", z.string().regex(/^(?!x)[a-z]+$/), /^Thing\.spec\.field: .*RE2/],
  ["a back-reference", z.string().regex(/^(.)\1$/), /^Thing\.spec\.field: .*RE2/],
  ["unique items", z.array(z.string()).meta({ uniqueItems: true }), /^Thing\.spec\.field: .*"uniqueItems"/],
  ["recursion", tree, /^Thing\.spec\.field\.children\[\]: .*contains itself; use z\.unknown\(\)/],
  ["recursion by a getter", branch, /^Thing\.spec\.field\.next: .*contains itself/],
  [
    "a fraction or a string",
    z.union([z.number(), z.string()]),
    /^Thing\.spec\.field: .*; use z\.int\(\) beside z\.string\(\)/,
  ],
  ["a date", z.date(), /^Thing\.spec\.field: .*z\.date\(\); use z\.iso\.datetime\(\)/],
  ["a date deep inside", z.record(z.string(), z.array(z.date())), /^Thing\.spec\.field\.\*\[\]: .*z\.date/],
  ["an integer without bounds", z.bigint(), /^Thing\.spec\.field: .*; use z\.int64\(\)/],
  ["an unsigned int64", z.uint64(), /^Thing\.spec\.field: .*; use z\.int64\(\)/],
  ["a map", z.map(z.string(), z.string()), /^Thing\.spec\.field: .*z\.map\(\); use z\.record/],
  ["a set", z.set(z.string()), /^Thing\.spec\.field: .*z\.set\(\); use z\.array/],
  ["a symbol", z.symbol(), /^Thing\.spec\.field: .*z\.symbol\(\)/],
  ["not a number", z.nan(), /^Thing\.spec\.field: .*z\.nan\(\)/],
  [
    "a transform",
    z.string().transform(Number),
    /^Thing\.spec\.field: .*z\.transform\(\); .*convert the value in the handler/,
  ],
  ["a transform before", z.preprocess(Number, z.int()), /^Thing\.spec\.field: .*z\.transform\(\)/],
  ["a codec", z.stringbool(), /^Thing\.spec\.field: .*convert the value in the handler/],
  ["a string that is trimmed", z.string().trim(), /^Thing\.spec\.field: .*trim\(\)/],
  ["coercion", z.coerce.number(), /^Thing\.spec\.field: .*z\.coerce/],
  ["what replaces bad values", z.int().catch(1), /^Thing\.spec\.field: .*z\.catch\(\)/],
  [
    "a default that is the time",
    z.string().default(() => new Date().toISOString()),
    /^Thing\.spec\.field: .*; use a constant/,
  ],
  ["a default that is random", z.number().default(() => Math.random()), /^Thing\.spec\.field: .*; use a constant/],
  [
    "a pattern that ignores case",
    z.string().regex(/^a$/i),
    /^Thing\.spec\.field: .*no flags; write both cases, as \[Aa\]/,
  ],
  ["a pattern of many lines", z.string().regex(/^a$/m), /^Thing\.spec\.field: .*no flags/],
  ["a named back-reference", z.string().regex(/^(?<a>.)\k<a>$/), /^Thing\.spec\.field: .*RE2/],
  ["a code point", z.string().regex(/^\u00e9$/), /^Thing\.spec\.field: .*write the character itself/],
  ["a part repeated often", z.string().regex(/^a{1001}$/), /^Thing\.spec\.field: .*at most 1000 times/],
  ["keys with a pattern", z.record(z.string().regex(/^a/), z.string()), /^Thing\.spec\.field: .*keys of a record/],
  ["keys with a length", z.record(z.string().min(1), z.string()), /^Thing\.spec\.field: .*keys of a record/],
  ["keys of an enum", z.record(z.enum(["a", "b"]), z.string()), /^Thing\.spec\.field: .*use z\.object/],
  [
    "cases of one field with two types",
    z.discriminatedUnion("t", [
      z.object({ t: z.literal("a"), at: z.string() }),
      z.object({ t: z.literal("b"), at: z.int() }),
    ]),
    /^Thing\.spec\.field\.at: .*several types.*own name/,
  ],
  [
    "a default of one case",
    z.discriminatedUnion("t", [
      z.object({ t: z.literal("a"), at: z.string().default("x") }),
      z.object({ t: z.literal("b") }),
    ]),
    /^Thing\.spec\.field\.at: .*make the field optional/,
  ],
  [
    "cases told apart by a number",
    z.discriminatedUnion("t", [z.object({ t: z.literal(1) }), z.object({ t: z.literal(2) })]),
    /^Thing\.spec\.field: .*whose t is a string/,
  ],
];
for (const [what, schema, message] of REFUSED) {
  // FR-383
  Deno.test(`${what} is refused by name, before any server sees it`, () => {
    assert.throws(() => fieldsOf({ field: schema }), (error: Error) => {
      assert.ok(error instanceof RangeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

const NAMES: [string, Partial<{ group: string; version: string; kind: string; plural: string }>][] = [
  ["Example.com", { group: "Example.com" }],
  ["shop", { group: "shop" }],
  ["1.0", { version: "1.0" }],
  ["widget", { kind: "widget" }],
  ["My-Widget", { kind: "My-Widget" }],
  ["Widgets", { plural: "Widgets" }],
];
for (const [quoted, part] of NAMES) {
  Deno.test(`${JSON.stringify(part)} is refused, and quoted`, () => {
    assert.throws(
      () => defineResource({ group: "shop.example.com", version: "v1", kind: "Widget", spec: z.object({}), ...part }),
      (error: Error) => error instanceof UsageError && error.message.includes(`"${quoted}"`),
    );
  });
}

// FR-16
Deno.test("a spec that does not parse names every field and where it is", () => {
  const object = { spec: { size: "big", mode: "c", ports: [{ name: "a", port: true }] } };
  assert.throws(() => RICH.parseSpec(object as never), (error: Error) => {
    assert.ok(error instanceof PermanentError);
    assert.equal(error.reason, "InvalidSpec");
    for (const field of ["spec.size: ", "spec.mode: ", "spec.ports[0].port: "]) {
      assert.ok(error.message.includes(field), error.message);
    }
    return true;
  });
});

Deno.test("a spec is parsed with its defaults; an absent one counts as empty", () => {
  const Bare = defineResource({
    group: "shop.example.com",
    version: "v1",
    kind: "Bare",
    spec: z.object({ size: z.int().default(3) }),
  });
  assert.deepEqual(Bare.parseSpec({} as never), { size: 3 });
  const { versions } = Bare.crd().spec as { versions: { schema: { openAPIV3Schema: Schema } }[] };
  assert.equal(versions[0]!.schema.openAPIV3Schema.required, undefined, "and is not required");
});

// FR-460
Deno.test("declaring twice what can exist once is an error that names it", () => {
  const operator = new Operator("widgets");
  const handlers = operator.on(RICH).reconcile(() => {}).delete(() => {}).timer(() => {}, {
    interval: "1s",
    id: "beat",
  });
  assert.throws(() => handlers.reconcile(() => {}), UsageError);
  assert.throws(() => operator.on(RICH).delete(() => {}), UsageError);
  assert.throws(() => handlers.timer(() => {}, { interval: "1s", id: "beat" }), /"beat" already/);
  const more = RICH.withVersion({
    version: "v1",
    spec: z.object({}),
    toHub: () => ({ spec: { size: 1, ports: [{ name: "a", port: 1 }] } }),
    fromHub: () => ({ spec: {} }),
  });
  assert.throws(() => operator.on(more), /declared by two definitions/, "it takes the place of the first");
  assert.throws(() => new Operator("My Operator"), /"My Operator" is not a lower-case DNS label/);
});

// FR-301
Deno.test("a time that is none is refused where it is declared, and names its handler", () => {
  const declare = () => new Operator("widgets").on(RICH), soon = "5 minutes" as unknown as Duration;
  const refused: [() => unknown, RegExp][] = [
    [
      () => declare().timer(() => {}, { id: "beat", interval: soon }),
      /interval of the timer "beat" of \w+: "5 minutes"/,
    ],
    [() => declare().timer(() => {}, { id: "beat", interval: 0 }), /the timer "beat" of \w+ needs an interval/],
    [() => declare().timer(() => {}, { id: "beat" } as never), /the timer "beat" of \w+ needs an interval/],
    [() => declare().timer(() => {}, { id: "beat", interval: null as never }), /interval of the timer "beat"/],
    [() => declare().timer(() => {}, { id: "beat", interval: "1s", idle: soon }), /idle of the timer "beat"/],
    [() => declare().timer(() => {}, { id: "beat", interval: "1s", initialDelay: -1 }), /initialDelay of the timer/],
    [() => declare().timer(() => {}, { id: "beat", interval: "1s", timeout: NaN }), /timeout of the timer "beat"/],
    [() => declare().reconcile(() => {}, { timeout: soon }), /timeout of the reconcile handler/],
    [() => declare().create(() => {}, { id: "made", timeout: soon }), /timeout of the handler "made"/],
    [() => declare().create(() => {}, { id: "made", backoff: soon }), /backoff of the handler "made"/],
    [
      () => declare().daemon(() => Promise.resolve(), { id: "d", initialDelay: soon }),
      /initialDelay of the daemon "d"/,
    ],
    [
      () => declare().daemon(() => Promise.resolve(), { id: "d", cancellationTimeout: soon }),
      /cancellationTimeout of the/,
    ],
  ];
  for (const [declaring, message] of refused) {
    assert.throws(declaring, (error: Error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("the rules that an operator needs follow from what it declares", () => {
  const operator = new Operator("widgets");
  operator.on(RICH).reconcile(() => {}, { owns: [ConfigMap], watches: [watch(Namespace, () => [])] });
  operator.permissions({ apiGroups: [""], resources: ["configmaps", "pods"], verbs: ["delete", "get"] });
  assert.deepEqual(operator.rules(), [
    { apiGroups: ["define.test.pintle.dev"], resources: ["networkpolicies"], verbs: ["get", "list", "watch", "patch"] },
    { apiGroups: ["define.test.pintle.dev"], resources: ["networkpolicies/status"], verbs: ["patch"] },
    { apiGroups: ["define.test.pintle.dev"], resources: ["networkpolicies/finalizers"], verbs: ["update"] },
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch", "create", "patch", "delete"] },
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "watch"] },
    { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "delete"] },
  ]);
  assert.deepEqual(new Operator("idle").rules(), [], "and an operator without handlers needs none");
});

Deno.test("an operator of a built-in kind may not patch it, unless a delete handler needs its finalizer", () => {
  const watcher = new Operator("watcher"), holder = new Operator("holder");
  watcher.on(ConfigMap).reconcile(() => {});
  holder.on(ConfigMap).delete(() => {});
  assert.deepEqual(watcher.rules()[0]!.verbs, ["get", "list", "watch"]);
  assert.deepEqual(holder.rules()[0]!.verbs, ["get", "list", "watch", "patch"]);
});

// FR-290
Deno.test("numbers of a spec are what their schemas say: an int64 is a bigint though it is small, a float a number though it is large", () => {
  const Counter = defineResource({
    group: "define.test.pintle.dev",
    version: "v1",
    kind: "Counter",
    spec: z.object({
      count: z.int64(),
      parts: z.array(z.object({ bytes: z.int64().optional() })).default([]),
      limit: z.union([z.int64(), z.string()]).optional(),
      ratio: z.number().optional(),
      size: z.int().optional(),
    }),
  });
  const read = (spec: unknown) => Counter.parseSpec!({ spec } as never);
  const large = 2n ** 60n;
  assert.deepEqual(read({ count: 5, parts: [{ bytes: 3 }, {}, { bytes: large }], limit: 7, ratio: large, size: 1 }), {
    count: 5n,
    parts: [{ bytes: 3n }, {}, { bytes: large }],
    limit: 7n,
    ratio: Number(large),
    size: 1,
  });
  const given = { count: 5, parts: [] };
  read(given);
  assert.deepEqual(given, { count: 5, parts: [] }, "what is given is not edited");
  const refused = (spec: unknown, message: RegExp) =>
    assert.throws(() => read(spec), (error: Error) => error instanceof PermanentError && message.test(error.message));
  refused({ count: 0.5 }, /^spec\.count: /);
  refused({ count: "5" }, /^spec\.count: /);
  refused({ count: large, size: large }, /^spec\.size: Too big/);
});
