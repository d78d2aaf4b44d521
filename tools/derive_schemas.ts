/**
 * Derives lib/apiserver/data/builtin.json from a real kube-apiserver: what `/openapi/v3` and discovery say of the
 * built-in kinds that operators use, without what the embedded server does not act on.
 *
 *     KUBEBUILDER_ASSETS=… deno run -q -A tools/derive_schemas.ts "$(go env GOMODCACHE)/k8s.io" v0.37.2
 *
 * @module
 */
import { readGoStructs } from "./go_structs.ts";
import { type RealServer, startRealServer } from "./real_server.ts";

const GROUP_VERSIONS = [
  "v1",
  "apps/v1",
  "batch/v1",
  "rbac.authorization.k8s.io/v1",
  "coordination.k8s.io/v1",
  "admissionregistration.k8s.io/v1",
  "apiextensions.k8s.io/v1",
  "events.k8s.io/v1",
  "policy/v1",
  "networking.k8s.io/v1",
  "authentication.k8s.io/v1",
  "authorization.k8s.io/v1",
  "discovery.k8s.io/v1",
  "storage.k8s.io/v1",
  "scheduling.k8s.io/v1",
  "autoscaling/v1",
  "autoscaling/v2",
  "certificates.k8s.io/v1",
  "flowcontrol.apiserver.k8s.io/v1",
  "node.k8s.io/v1",
  "apiregistration.k8s.io/v1",
  "resource.k8s.io/v1",
  "storagemigration.k8s.io/v1",
];

/**
 * Subresources that need a kubelet, and kinds that only a kubelet or scheduler fills, are not for the embedded server.
 */
const SUBRESOURCES_LEFT_OUT = new Set([
  "attach",
  "exec",
  "log",
  "portforward",
  "proxy",
  "resize",
  "ephemeralcontainers",
]);
const RESOURCES_LEFT_OUT = new Set(["componentstatuses", "bindings"]);

/** Kinds that are used beside those of the resources: subresources, lists' and deletion's bodies. */
const ALSO_NEEDED = [
  "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
  "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
  "io.k8s.api.autoscaling.v1.Scale",
  "io.k8s.api.policy.v1.Eviction",
  "io.k8s.api.authentication.v1.TokenRequest",
  "io.k8s.api.core.v1.Binding",
];

const REFERENCE = "#/components/schemas/";
const KEPT = new Set([
  "type",
  "format",
  "required",
  "enum",
  "additionalProperties",
  "items",
  "properties",
  "oneOf",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-patch-merge-key",
]);

type Json = Record<string, unknown>;

/** One resource as the data file holds it. */
interface ResourceRow {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: string[];
  categories: string[];
  namespaced: boolean;
  verbs: string[];
  subresources: string[];
  schema: string;
}

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
}

/**
 * The schema without what the embedded server ignores. Defaults of `{}`, `0`, `""` tell what Go writes for an absent
 * value.
 */
function trim(schema: Json, named: boolean): Json {
  const trimmed: Json = {};
  const all = schema.allOf as Json[] | undefined;
  const reference = (schema.$ref ?? all?.[0]?.$ref) as string | undefined;
  if (reference) trimmed.$ref = reference.slice(REFERENCE.length);
  const description = typeof schema.description === "string" ? firstSentence(schema.description) : "";
  if (description) trimmed.description = description;
  if (schema.default !== undefined) trimmed.default = schema.default;
  for (const key of KEPT) {
    if (schema[key] === undefined) continue;
    if (key === "properties") {
      trimmed.properties = Object.fromEntries(
        Object.entries(schema.properties as Json).map(([name, child]) => [name, trim(child as Json, false)]),
      );
    } else if (key === "items" || (key === "additionalProperties" && typeof schema[key] === "object")) {
      trimmed[key] = trim(schema[key] as Json, false);
    } else trimmed[key] = schema[key];
  }
  if (named && schema.format === "int-or-string") return intOrString(trimmed);
  // Raw JSON, such as a CRD's defaults: Go decodes it whole, where a CRD's schema would prune it.
  const open = !reference && !schema.properties && !schema.additionalProperties;
  return open && (!schema.type || schema.type === "object")
    ? { ...trimmed, "x-kubernetes-preserve-unknown-fields": true }
    : trimmed;
}

function intOrString(schema: Json): Json {
  const { oneOf: _types, ...rest } = schema;
  return { ...rest, "x-kubernetes-int-or-string": true };
}

function firstSentence(text: string): string {
  const line = text.split("\n")[0]!.trim();
  const end = line.search(/\.(\s|$)/);
  return end < 0 ? line : line.slice(0, end + 1);
}

function reachable(from: string[], schemas: Record<string, Json>): Record<string, Json> {
  const kept = new Map<string, Json>();
  const pending = [...from];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (kept.has(name)) continue;
    const schema = schemas[name];
    if (!schema) throw new Error(`no schema ${name}`);
    kept.set(name, schema);
    for (const [, other] of JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)) pending.push(other!);
  }
  return Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function derive(server: RealServer) {
  const schemas: Record<string, Json> = {}, resources: ResourceRow[] = [];
  for (const groupVersion of GROUP_VERSIONS) {
    const root = groupVersion === "v1" ? "api/v1" : `apis/${groupVersion}`;
    const document = (await server.request("GET", `/openapi/v3/${root}`)).body as { components: { schemas: Json } };
    const kinds = new Map<string, string>();
    for (const [name, schema] of Object.entries(document.components.schemas) as [string, Json][]) {
      schemas[name] ??= trim(schema, true);
      for (const gvk of (schema["x-kubernetes-group-version-kind"] ?? []) as Record<string, string>[]) {
        if ((gvk.group ? `${gvk.group}/${gvk.version}` : gvk.version) === groupVersion) kinds.set(gvk.kind!, name);
      }
    }
    const discovery = (await server.request("GET", `/${root}`)).body as { resources: ApiResource[] };
    const slash = groupVersion.indexOf("/");
    for (const resource of discovery.resources) {
      if (resource.name.includes("/") || RESOURCES_LEFT_OUT.has(resource.name)) continue;
      const subresources = discovery.resources.filter((other) => other.name.startsWith(`${resource.name}/`))
        .map((other) => other.name.slice(resource.name.length + 1)).filter((name) => !SUBRESOURCES_LEFT_OUT.has(name));
      resources.push({
        group: slash < 0 ? "" : groupVersion.slice(0, slash),
        version: groupVersion.slice(slash + 1),
        kind: resource.kind,
        plural: resource.name,
        singular: resource.singularName,
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        namespaced: resource.namespaced,
        verbs: resource.verbs,
        subresources,
        schema: kinds.get(resource.kind)!,
      });
    }
  }
  return { resources, definitions: reachable([...resources.map((row) => row.schema), ...ALSO_NEEDED], schemas) };
}

/** What is in front of the type in `go`. */
const OMITS = { none: "", empty: "?", zero: "??" };

/** Adds what encoding/json does with each field: which zero values it omits, `*` for a pointer, and Go's type. */
function addGoFields(definitions: Record<string, Json>): void {
  const [modules, version] = Deno.args;
  if (!modules || !version) throw new Error("name the folder of the k8s.io modules and their version");
  const structs = readGoStructs(modules, version);
  for (const [name, { properties }] of Object.entries(definitions)) {
    const fields = structs.get(name) ?? [];
    for (const [field, schema] of Object.entries(properties as Record<string, Json> | undefined ?? {})) {
      const go = fields.find((one) => one.name === field);
      if (go) schema.go = `${OMITS[go.omits]}${go.isPointer ? "*" : ""}${go.type}`;
    }
  }
}

if (import.meta.main) {
  await using server = await startRealServer();
  const { gitVersion } = (await server.request("GET", "/version")).body as { gitVersion: string };
  const derived = await derive(server);
  addGoFields(derived.definitions);
  const text = JSON.stringify({ origin: `kubernetes ${gitVersion}`, ...derived });
  await Deno.writeTextFile(new URL("../lib/apiserver/data/builtin.json", import.meta.url), `${text}\n`);
  const report = `builtin.json: ${Math.round(text.length / 1024)} KiB from kubernetes ${gitVersion}\n`;
  await Deno.stdout.write(new TextEncoder().encode(report));
}
