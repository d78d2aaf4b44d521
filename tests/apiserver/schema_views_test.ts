import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { isObject } from "../../lib/base/mod.ts";
import type { ResourceType } from "../../lib/apiserver/resource_type.ts";
import { resourceTypesOf } from "../../lib/apiserver/schema/crd.ts";
import { builtinResourceTypes } from "../../lib/apiserver/schema/definitions.ts";
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from "../../lib/apiserver/schema/discovery.ts";
import { openApiDocument, openApiIndex } from "../../lib/apiserver/schema/openapi.ts";
import { humanDuration } from "../../lib/apiserver/schema/duration_text.ts";
import { toTable } from "../../lib/apiserver/schema/table.ts";
import views from "./schema/fixtures/views.json" with { type: "json" };
import { WIDGET_CRD } from "../conformance/cases/widget.ts";

const TYPES: readonly ResourceType[] = [...builtinResourceTypes(), ...resourceTypesOf(WIDGET_CRD).types];

interface Resource {
  name: string;
  [field: string]: unknown;
}

interface Table {
  columnDefinitions: { name: string; type: string; format: string; priority: number }[];
  rows: { cells: unknown[]; object?: { metadata?: unknown } }[];
}

for (const [path, recorded] of Object.entries(views.discovery)) {
  if (path === "/apis") continue;
  Deno.test(`discovery of ${path} says of each served resource what a real server says`, () => {
    const ours = apiResourceList(TYPES, path.replace(/^\/apis?\//, "")) as { resources: Resource[] };
    const theirs = (recorded as unknown as { resources: Resource[] }).resources;
    for (const resource of ours.resources) {
      assert.deepEqual(resource, theirs.find((other) => other.name === resource.name));
    }
    assert.ok(ours.resources.length > 0);
  });
}

// FR-88
Deno.test("the group list names each group with its versions, the preferred one first, as a real server does", () => {
  const { groups } = apiGroupList(TYPES) as {
    groups: { name: string; versions: unknown[]; preferredVersion: unknown }[];
  };
  const theirs = (views.discovery["/apis"] as unknown as { groups: typeof groups }).groups;
  for (const group of groups) {
    const other = theirs.find((one) => one.name === group.name);
    assert.deepEqual(group.preferredVersion, other?.preferredVersion, group.name);
  }
  assert.equal(new Set(groups.map((group) => group.name)).size, groups.length);
  assert.equal(apiGroup(TYPES, "nothing.example.com"), undefined);
  assert.deepEqual(apiGroup(TYPES, "shop.example.com")?.name, "shop.example.com");
  assert.deepEqual(apiVersions().versions, ["v1"]);
  assert.equal(apiResourceList(TYPES, "nothing/v1"), undefined);
});

// FR-5
Deno.test("aggregated discovery lists every type exactly once, with its subresources", () => {
  const names = (["core", "groups"] as const).flatMap((of) => {
    const document = aggregatedDiscovery(TYPES, of) as {
      items: { metadata: { name?: string }; versions: { version: string; resources: { resource: string }[] }[] }[];
    };
    return document.items.flatMap((group) =>
      group.versions.flatMap(({ version, resources }) =>
        resources.map(({ resource }) => `${group.metadata.name ?? ""}/${version}/${resource}`)
      )
    );
  });
  const served = TYPES.map((type) => `${type.group}/${type.version}/${type.plural}`);
  assert.deepEqual(names.toSorted(), [...served, "/v1/bindings"].toSorted());
});

function nameAndType({ name, type }: { name: string; type: string }): string {
  return `${name} (${type})`;
}

for (const [path, recorded] of Object.entries(views.tables)) {
  Deno.test(`the table of ${path} shows what a real server shows`, () => {
    const { list, table } = recorded as unknown as { list: { items: DynamicObject[] }; table: Table };
    const [, , group, version, plural] =
      /^\/(api|apis)\/(?:([a-z.0-9]+\.[a-z0-9.]+|apps|batch|policy)\/)?(v\d)\/(?:namespaces\/default\/)?(\w+)$/
        .exec(path)!;
    const type = TYPES.find((one) => one.group === (group ?? "") && one.version === version && one.plural === plural)!;
    const ours = toTable(list.items, type, {
      nowMs: Date.parse("2030-01-01"),
      includeObject: "Metadata",
    }) as unknown as Table;
    const shown = ours.columnDefinitions.filter((column) => column.priority === 0);
    const expected = table.columnDefinitions.filter((column) => column.priority === 0);
    assert.deepEqual(shown.map(nameAndType), expected.map(nameAndType));
    list.items.forEach((_item, row) => {
      for (const { name, type: columnType } of shown) {
        if (name === "Age" || columnType === "date") continue;
        const mine = ours.rows[row]!.cells[ours.columnDefinitions.findIndex((column) => column.name === name)];
        const theirs = table.rows[row]!.cells[table.columnDefinitions.findIndex((column) => column.name === name)];
        assert.deepEqual(mine, theirs, `${name} of row ${row}`);
      }
      assert.ok(ours.rows[row]!.object?.metadata);
    });
  });
}

// FR-88
Deno.test("ages are written as kubectl writes them", () => {
  const second = 1_000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
  const cases: [number, string][] = [
    [0, "0s"],
    [119 * second, "119s"],
    [2 * minute, "2m"],
    [5 * minute + 12 * second, "5m12s"],
    [
      10 * minute + second,
      "10m",
    ],
    [3 * hour + 5 * minute, "3h5m"],
    [9 * hour, "9h"],
    [47 * hour, "47h"],
    [3 * day + 4 * hour, "3d4h"],
    [9 * day, "9d"],
    [
      800 * day,
      "2y70d",
    ],
    [-10 * second, "<invalid>"],
  ];
  for (const [milliseconds, text] of cases) assert.equal(humanDuration(milliseconds), text);
});

// FR-88
Deno.test("printer columns of a custom resource follow their paths", () => {
  const [widget] = resourceTypesOf(WIDGET_CRD).types;
  const columns = [
    { name: "Size", type: "integer", jsonPath: ".spec.size" },
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Tags", type: "string", jsonPath: ".spec.tags[*]" },
    { name: "First", type: "string", jsonPath: ".spec.tags[0]" },
    { name: "Label", type: "string", jsonPath: ".metadata.labels['a.b/c']" },
    { name: "Escaped", type: "string", jsonPath: ".metadata.labels.a\\.b/c" },
    { name: "Gone", type: "string", jsonPath: ".spec.gone.further" },
    { name: "Since", type: "date", jsonPath: ".status.since" },
  ];
  const item = {
    metadata: { name: "w", labels: { "a.b/c": "x" } },
    spec: { size: 3, tags: ["p", "q"] },
    status: {
      conditions: [{ type: "Other", status: "False" }, { type: "Ready", status: "True" }],
      since: "2024-01-01T00:00:00Z",
    },
  };
  const table = toTable([item], { ...widget!, columns }, {
    nowMs: Date.parse("2024-01-01T00:05:12Z"),
    includeObject: "None",
  }) as unknown as Table;
  assert.deepEqual(table.rows, [{ cells: ["w", 3, "True", "p", "p", "x", "x", null, "5m12s"], object: null }]);
});

// FR-5
Deno.test("OpenAPI names every kind, its patch takes fieldValidation, and every reference leads somewhere", () => {
  for (const groupVersion of ["v1", "apps/v1", "apiextensions.k8s.io/v1", "shop.example.com/v1"]) {
    const document = openApiDocument(TYPES, groupVersion) as {
      paths: Record<
        string,
        Record<string, { parameters?: { name: string }[]; "x-kubernetes-group-version-kind"?: unknown }>
      >;
      components: { schemas: Record<string, Record<string, unknown>> };
    };
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      assert.ok(Object.hasOwn(document.components.schemas, name!), name ?? "");
    }
    const patches = Object.values(document.paths).flatMap((item) => item.patch ?? []);
    assert.ok(patches.length > 0);
    for (const patch of patches) assert.ok(patch.parameters?.some((parameter) => parameter.name === "fieldValidation"));
    const kinds = Object.values(document.components.schemas).flatMap((schema) =>
      (schema["x-kubernetes-group-version-kind"] ?? []) as { kind: string }[]
    );
    for (const type of TYPES.filter((one) => `${one.group ? `${one.group}/` : ""}${one.version}` === groupVersion)) {
      assert.ok(kinds.some((gvk) => gvk.kind === type.kind), type.kind);
    }
  }
  assert.equal(openApiDocument(TYPES, "nothing/v1"), undefined);
});

Deno.test("the OpenAPI index changes its hash exactly when what is served changes", () => {
  const hash = (types: readonly ResourceType[]) => {
    const { paths } = openApiIndex(types) as { paths: Record<string, { serverRelativeURL: string }> };
    return paths["apis/shop.example.com/v1"]?.serverRelativeURL;
  };
  const other = structuredClone(WIDGET_CRD);
  other.spec.versions[0]!.schema.openAPIV3Schema.properties.spec.properties.size.maximum = 11;
  assert.equal(hash(TYPES), hash(TYPES));
  assert.notEqual(hash(TYPES), hash([...builtinResourceTypes(), ...resourceTypesOf(other).types]));
  assert.ok(isObject(openApiIndex(TYPES).paths));
});
