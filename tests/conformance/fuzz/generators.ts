import fc from "fast-check";
import { parseAllDocuments } from "yaml";
import type { DynamicObject } from "../../../lib/apimachinery/mod.ts";
import type { Schema } from "../../../lib/apiserver/resource_type.ts";
import { builtinResourceTypes } from "../../../lib/apiserver/schema/definitions.ts";
import { spec as widgetSpec, WIDGET_CRD, widgetOf, WIDGETS } from "../cases/widget.ts";
import { create, define, get, patch, type Script, type Step, update } from "../script.ts";
import { mutated } from "./mutations.ts";

/** Scripts of one kind; the setup runs once. */
export interface Generator {
  readonly name: string;
  readonly setup: readonly Step[];
  readonly steps: fc.Arbitrary<readonly Step[]>;
}

/** How an object is written after it was created. */
const WRITES = ["create", "update", "merge", "apply"] as const;

function written(
  path: string,
  base: DynamicObject,
  changed: DynamicObject,
  how: typeof WRITES[number],
): readonly Step[] {
  const name = base.metadata!.name!;
  if (how === "create") return [create(path, changed)];
  const first = create(path, base), at = `${path}/${name}`;
  if (how === "update") return [first, update(at, changed), get(at)];
  if (how === "apply") return [patch("apply", at, changed), patch("apply", `${at}?force=true`, base), get(at)];
  return [first, patch("merge", at, changed), get(at)];
}

function writes(path: string, base: DynamicObject, schema: Schema): fc.Arbitrary<readonly Step[]> {
  return fc.tuple(mutated(base, schema), fc.constantFrom(...WRITES)).map(([changed, how]) =>
    written(path, base, changed, how)
  );
}

const BASES = parseAllDocuments(
  await Deno.readTextFile(new URL("../kubectl/objects.yaml", import.meta.url)),
).map((document) => document.toJS() as DynamicObject).filter(({ apiVersion }) => !apiVersion!.startsWith("shop."));

/** Objects of built-in kinds with changed fields. */
const builtin: Generator = {
  name: "builtin",
  setup: [],
  steps: fc.constantFrom(...BASES).chain((base) => {
    const type = builtinResourceTypes().find(({ group, version, kind }) =>
      kind === base.kind && (group === "" ? version : `${group}/${version}`) === base.apiVersion
    )!;
    return writes(`${base.apiVersion}/${type.plural}`, base, type.schema);
  }),
};

const WIDGET: DynamicObject = widgetOf({
  size: 1,
  mode: "a",
  word: "aaa",
  tags: ["a", "b"],
  parts: [{ name: "p", zone: "z", labels: { a: "b" } }],
  labels: { a: "1" },
  needy: { a: "x" },
  port: 80,
  free: { any: { x: [1] } },
  atomic: { a: "1" },
  one: { a: "1" },
  range: { low: 1, high: 2, name: "n" },
  fixed: "f",
  formats: { date: "2024-01-02", duration: "1h" },
}) as DynamicObject;

const WIDGET_SCHEMA = {
  type: "object",
  properties: { metadata: { type: "object", properties: metadataFields() }, spec: widgetSpec },
} as unknown as Schema;

function metadataFields(): Record<string, Schema> {
  const texts: Schema = { type: "object", additionalProperties: { type: "string" } };
  return { labels: texts, annotations: texts, finalizers: { type: "array", items: { type: "string" } } };
}

/** Custom resources with changed fields. */
const custom: Generator = {
  name: "custom",
  setup: define(WIDGET_CRD),
  steps: writes(WIDGETS, WIDGET, WIDGET_SCHEMA),
};

const MANAGERS = ["one", "two", "three"];

/** Several managers write parts of one object. */
const apply: Generator = {
  name: "apply",
  setup: define(WIDGET_CRD),
  steps: fc.array(
    fc.record({
      manager: fc.constantFrom(...MANAGERS),
      how: fc.constantFrom("apply", "force", "merge", "update"),
      spec: fc.record({
        size: fc.integer({ min: 1, max: 3 }),
        word: fc.constantFrom("aa", "aaa"),
        tags: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }),
        parts: fc.uniqueArray(
          fc.record({ name: fc.constantFrom("p", "q"), count: fc.integer({ min: 1, max: 2 }) }, {
            requiredKeys: ["name"],
          }),
          { selector: ({ name }) => name, maxLength: 2 },
        ),
        labels: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2"), { maxKeys: 2 }),
        plain: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 }),
        atomic: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2"), { maxKeys: 2 }),
        free: fc.dictionary(fc.constantFrom("x", "y"), fc.integer({ min: 0, max: 1 }), { maxKeys: 2 }),
      }, { requiredKeys: ["size"] }),
    }),
    { minLength: 2, maxLength: 5 },
  ).map((all) =>
    all.map(({ manager, how, spec }, index): Step => {
      const query = `?fieldManager=${manager}${how === "force" ? "&force=true" : ""}`;
      if (how === "merge" && index > 0) return patch("merge", `${WIDGETS}/a${query}`, { spec });
      if (how === "update" && index === 0) return create(`${WIDGETS}${query}`, widgetOf(spec));
      return patch("apply", `${WIDGETS}/a${query}`, widgetOf(spec));
    })
  ),
};

const LABELLED = ["a", "b", "c"].map((name, index) =>
  create("v1/secrets", { metadata: { name, labels: { app: name, tier: index < 2 ? "front" : "back" } } }, {
    codeOnly: true,
  })
);
const KEYS = ["app", "tier", "none", "a/b", "bad key", ""], VALUES = ["a", "front", "", "x y", "a,b"];
const requirement = fc.tuple(
  fc.constantFrom(...KEYS),
  fc.constantFrom("=", "==", "!=", " in ", " notin ", "", "!", ">", "<"),
  fc.constantFrom(...VALUES, "(a,b)", "(a", "()", "1"),
).map(([key, operator, value]) => operator === "!" ? `!${key}` : operator === "" ? key : `${key}${operator}${value}`);

/** Lists by selectors, limits and versions. */
const lists: Generator = {
  name: "lists",
  setup: [],
  steps: fc.record({
    labelSelector: fc.array(requirement, { maxLength: 2 }).map((all) => all.join(",")),
    fieldSelector: fc.constantFrom(
      "metadata.name=a",
      "metadata.name!=a",
      "metadata.namespace=$ns",
      "data.a=b",
      "=",
      "x",
    ),
    limit: fc.constantFrom("1", "2", "0", "-1", "x"),
    resourceVersion: fc.constantFrom("0", "", "x", "-1"),
    resourceVersionMatch: fc.constantFrom("Exact", "NotOlderThan", "Wrong"),
    timeoutSeconds: fc.constantFrom("1", "x"),
  }, { requiredKeys: [] }).map((query) => {
    const text = new URLSearchParams(query as Record<string, string>).toString().replaceAll("%24ns", "$ns");
    return [...LABELLED, get(`v1/secrets?${text}`)];
  }),
};

/** Every generator. */
export const GENERATORS: readonly Generator[] = [builtin, custom, apply, lists];

/** A script of generated steps. */
export function scriptOf({ name }: Generator, steps: readonly Step[]): Script {
  return { name: `${name}: a generated script`, steps };
}
