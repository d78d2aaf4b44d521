import { type Area, create, define, patch, type Script } from "../script.ts";
import { defineSamples, schemaScripts } from "./custom_resource_schemas.ts";
import { FORMATS, WIDGET_CRD, widgetOf, WIDGETS } from "./widget.ts";

function widget(name: string, first: Record<string, unknown>, ...changes: Record<string, unknown>[]): Script {
  return {
    name,
    steps: [
      create(WIDGETS, widgetOf({ size: 1, ...first })),
      ...changes.map((spec) => patch("merge", `${WIDGETS}/a`, { spec })),
    ],
  };
}

/** Custom resources against a structural schema. */
export const customResources: Area = {
  name: "custom_resources",
  setup: [...define(WIDGET_CRD), ...defineSamples],
  scripts: [
    widget("below minimum", { size: 0 }),
    widget("above maximum", { size: 11 }),
    widget("exclusive bounds", { ratio: 0 }),
    widget("exclusive upper bound", { ratio: 1 }),
    widget("multiple", { even: 3 }),
    widget("enum", { mode: "c" }),
    widget("pattern", { word: "bbb" }),
    widget("too short", { word: "a" }),
    widget("too long", { word: "aaaaaaa" }),
    widget("wrong types", { on: "yes", tags: "x", labels: 3, word: 1 }),
    widget("wrong item type", { plain: [1, "x"] }),
    widget("int or string", { port: true }),
    widget("int or string accepted", { port: "http" }),
    widget("too many items", { plain: [1, 2, 3] }),
    widget("too few items", { tags: [] }),
    widget("too many properties", { labels: { a: "1", b: "2", c: "3" } }),
    widget("too few properties", { needy: {} }),
    widget("duplicate in set", { tags: ["a", "b", "a"] }),
    widget("duplicate in map list", { parts: [{ name: "a" }, { name: "a", zone: "z" }, { name: "a", zone: "y" }] }),
    widget("missing key", { parts: [{ zone: "a" }] }),
    widget("null required", { size: null }),
    widget("nullable", { maybe: null }),
    widget("null not nullable", { word: null, labels: null, mode: null }),
    widget("one of none", { one: {} }),
    widget("one of both", { one: { a: "1", b: "2" } }),
    widget("one of one", { one: { a: "1" } }),
    widget("any of none", { any: {} }),
    widget("not", { no: { a: "1" } }),
    widget("embedded resource lacks identity", { template: { spec: {} } }),
    widget("embedded resource", {
      template: { apiVersion: "v1", kind: "Pod", metadata: { name: "x", unknown: 1 }, spec: { a: 1 }, extra: 1 },
    }),
    widget("unknown fields", {
      unknown: 1,
      parts: [{ name: "a", unknown: 2 }],
      free: { any: { x: 1 }, known: { y: 1 } },
    }),
    ...FORMATS.map((format) => widget(`format ${format}`, { formats: { [format]: "not valid §" } })),
    widget("formats accepted", {
      formats: {
        "date-time": "2024-01-02T03:04:05.678Z",
        date: "2024-01-02",
        email: "a@example.com",
        ipv4: "10.0.0.1",
        ipv6: "fd00::1",
        uri: "https://example.com/a?b",
        uuid: "123e4567-e89b-12d3-a456-426614174000",
        byte: "YWJj",
        duration: "1h30m",
        cidr: "10.0.0.0/8",
        hostname: "a.example.com",
      },
    }),
    widget("rule with message", { range: { low: 2, high: 1 } }),
    widget("rule with message expression", { range: { high: 100 } }),
    widget("rule without message", { range: { name: "x" } }),
    widget("rules accepted", { range: { low: 1, high: 2, name: "n" } }),
    widget("transition rule", { fixed: "a" }, { fixed: "b" }),
    widget("transition rule accepted", { fixed: "a" }, { fixed: "a", size: 2 }),
    {
      name: "strict unknown fields",
      steps: [create(`${WIDGETS}?fieldValidation=Strict`, {
        ...widgetOf({ size: 1, foo: 1, parts: [{ name: "a", bar: 2 }] }, { odd: 1 }),
        zoo: 1,
      })],
    },
    ...schemaScripts,
  ],
};
