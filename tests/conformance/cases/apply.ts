import { type Area, create, define, patch, type Script, type Step, update } from "../script.ts";
import { CONFIG_MAP, DEPLOYMENT, type Target, WIDGET } from "./targets.ts";
import { container, deployment } from "./pods.ts";
import { defineShapes, ownership } from "./apply_owners.ts";
import { typedApplies } from "./apply_types.ts";
import { WIDGET_CRD } from "./widget.ts";

interface Extra {
  readonly verb?: "create" | "update" | "merge";
  readonly force?: boolean;
}

const FORCE: Extra = { force: true };

/** Each step is a manager, what it writes, and how where it does not apply. */
function applied(name: string, target: Target, ...steps: [string, Record<string, unknown>, Extra?][]): Script {
  return { name, steps: steps.map(([manager, body, extra = {}]) => stepOf(target, manager, body, extra)) };
}

function stepOf({ path, ...kind }: Target, manager: string, body: Record<string, unknown>, extra: Extra): Step {
  const query = `?fieldManager=${manager}${extra.force ? "&force=true" : ""}`;
  const whole = { ...kind, metadata: { name: "a" }, ...body };
  if (extra.verb === "create") return create(`${path}${query}`, whole);
  if (extra.verb === "update") return update(`${path}/a${query}`, whole);
  return extra.verb === "merge"
    ? patch("merge", `${path}/a${query}`, body)
    : patch("apply", `${path}/a${query}`, whole);
}

/** Server-side apply: merging, ownership, conflicts. */
export const apply: Area = {
  name: "apply",
  setup: [...define(WIDGET_CRD), ...defineShapes],
  scripts: [
    applied("apply twice", CONFIG_MAP, ["m", { data: { a: "1" } }], ["m", { data: { a: "1" } }]),
    applied(
      "apply removes what it owned",
      CONFIG_MAP,
      ["m", { data: { a: "1", b: "2" } }],
      ["m", { data: { b: "2" } }],
      [
        "m",
        {},
      ],
    ),
    applied(
      "two managers share",
      CONFIG_MAP,
      ["m", { data: { a: "1", b: "2" } }],
      ["n", { data: { a: "1", c: "3" } }],
      [
        "m",
        {
          data: { b: "2" },
        },
      ],
      ["n", { data: { c: "3" } }],
    ),
    applied("conflict", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["n", { data: { a: "x", b: "y" } }]),
    applied("conflict with an updater", CONFIG_MAP, ["m", { data: { a: "1" } }, { verb: "create" }], ["n", {
      data: { a: "2" },
    }]),
    applied("force", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["n", { data: { a: "x" } }, FORCE], ["m", {
      data: { b: "2" },
    }]),
    applied("update takes fields", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], [
      "u",
      { data: { a: "9", c: "3" } },
      {
        verb: "update",
      },
    ], ["m", { data: { a: "1" } }]),
    applied("merge patch takes fields", CONFIG_MAP, ["m", { data: { a: "1", b: "2" } }], ["u", { data: { a: "9" } }, {
      verb: "merge",
    }], ["u", { data: { b: null } }, { verb: "merge" }]),
    applied("reset managed fields", CONFIG_MAP, ["m", { data: { a: "1" } }], [
      "u",
      { metadata: { managedFields: [{}] } },
      {
        verb: "merge",
      },
    ], ["n", { data: { b: "1" } }]),
    applied("empty maps and metadata", CONFIG_MAP, ["m", {
      metadata: { name: "a", labels: {}, annotations: { a: "b" }, finalizers: ["x.example/y"] },
      data: {},
    }], ["m", { metadata: { name: "a", labels: { a: "b" } } }]),
    applied(
      "containers by name",
      DEPLOYMENT,
      ["m", deployment(undefined, container, { name: "b", image: "b:1" })],
      [
        "n",
        { spec: { template: { spec: { containers: [{ name: "a", env: [{ name: "A", value: "1" }] }] } } } },
      ],
      ["m", deployment(2, { name: "b", image: "b:2" }, container)],
      ["m", deployment(2, container)],
      [
        "n",
        { spec: { replicas: 3 } },
      ],
    ),
    applied(
      "widget lists",
      WIDGET,
      [
        "m",
        { spec: { size: 1, tags: ["a", "b"], parts: [{ name: "p", count: 3 }, { name: "q" }], plain: [1] } },
      ],
      ["n", { spec: { tags: ["b", "c"], parts: [{ name: "p", labels: { x: "y" } }] } }],
      ["m", {
        spec: { size: 1, tags: ["b"], parts: [{ name: "q" }], plain: [2] },
      }],
      ["m", { spec: { size: 1, parts: [{ name: "p", count: 1 }] } }],
      ["n", { spec: {} }],
    ),
    applied(
      "widget order",
      WIDGET,
      ["m", { spec: { size: 1, tags: ["a", "b"] } }],
      ["n", { spec: { tags: ["c", "a"] } }],
      [
        "m",
        { spec: { size: 1, tags: ["b", "a"] } },
      ],
    ),
    applied(
      "widget atomic and free",
      WIDGET,
      ["m", { spec: { size: 1, atomic: { a: "1" }, free: { x: { y: [1] }, z: 1 } } }],
      [
        "n",
        { spec: { atomic: { b: "1" } } },
      ],
      ["n", { spec: { atomic: { a: "1" }, free: { x: { q: 1 } } } }],
      ["m", { spec: { size: 1 } }],
      ["n", { spec: {} }],
    ),
    applied("widget empties", WIDGET, ["m", { spec: { size: 1, labels: { a: "1" }, needy: { a: "x" }, plain: [] } }], [
      "m",
      {
        spec: { size: 1, labels: {}, plain: [1] },
      },
    ], ["m", { spec: { size: 1 } }]),
    applied("widget defaults and maps", WIDGET, ["m", { spec: { size: 1, labels: { a: "1" } } }], ["u", {
      spec: { labels: { b: "2" }, mode: "b" },
    }, { verb: "merge" }], ["m", { spec: { size: 1, mode: "b" } }]),
    applied("widget duplicate items", WIDGET, ["m", { spec: { size: 1, tags: ["a", "a"] } }]),
    applied(
      "apply onto a created object",
      WIDGET,
      ["c", { spec: { size: 1, tags: ["a"], free: { a: 1 } } }, { verb: "create" }],
      [
        "m",
        { spec: { size: 1, tags: ["a", "b"] } },
      ],
      ["m", { spec: { size: 2 } }],
      ["m", { spec: { size: 2 } }, FORCE],
    ),
    ...typedApplies,
    ...ownership,
  ],
};
