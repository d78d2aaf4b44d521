import { formatApiVersion } from "../../apimachinery/mod.ts";
import { canonicalJson } from "../../base/mod.ts";
import type { ResourceType, Schema } from "../resource_type.ts";
import { BUILTIN_ORIGIN, definition, OBJECT_META } from "./definitions.ts";

type Json = Record<string, unknown>;

const REFERENCE = "#/components/schemas/";
const LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
const DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const PATCH_TYPES = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

/** `GET /openapi/v3`: each document's path, with a hash of its content. */
export function openApiIndex(types: readonly ResourceType[]): Json {
  const paths: Record<string, Json> = {};
  for (const groupVersion of new Set(types.map(formatApiVersion))) {
    const root = rootOf(groupVersion);
    paths[root] = { serverRelativeURL: `/openapi/v3/${root}?hash=${openApiHash(types, groupVersion)}` };
  }
  return { paths };
}

/** The hash of a document's content, which is part of its path. */
export function openApiHash(types: readonly ResourceType[], groupVersion: string): string {
  return fingerprint(types.filter((type) => formatApiVersion(type) === groupVersion));
}

/** `GET /openapi/v3/api/v1`, `/openapi/v3/apis/<group>/<version>`; undefined where not served. */
export function openApiDocument(types: readonly ResourceType[], groupVersion: string): Json | undefined {
  const served = types.filter((type) => formatApiVersion(type) === groupVersion);
  if (served.length === 0) return undefined;
  const schemas: Record<string, Json> = {}, paths: Record<string, Json> = {};
  addDefinition(DELETE_OPTIONS, schemas);
  for (const type of served) {
    const name = schemaName(type);
    addKind(type, name, schemas);
    const names = type.namespaced ? "namespaces/{namespace}/" : "";
    const collection = `/${rootOf(groupVersion)}/${names}${type.plural}`;
    paths[collection] = pathItem(type, name, { get: "list", post: "post", delete: "deletecollection" });
    paths[`${collection}/{name}`] = pathItem(type, name, { get: "get", put: "put", patch: "patch", delete: "delete" });
    for (const subresource of type.subresources.filter((one) => one === "status" || one === "scale")) {
      paths[`${collection}/{name}/${subresource}`] = pathItem(type, name, { get: "get", put: "put", patch: "patch" });
    }
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: BUILTIN_ORIGIN },
    paths,
    components: { schemas },
  };
}

function rootOf(groupVersion: string): string {
  return groupVersion.includes("/") ? `apis/${groupVersion}` : `api/${groupVersion}`;
}

/** Custom kinds use the reversed group, as in kube-apiserver. */
function schemaName(type: ResourceType): string {
  return type.schema.$ref ?? `${type.group.split(".").reverse().join(".")}.${type.version}.${type.kind}`;
}

function addKind(type: ResourceType, name: string, schemas: Record<string, Json>): void {
  const { group, version, kind, listKind } = type;
  if (type.schema.$ref !== undefined) addDefinition(name, schemas);
  else {
    addDefinition(OBJECT_META, schemas);
    schemas[name] = customSchema(type.schema, schemas);
  }
  schemas[name] = { ...schemas[name], "x-kubernetes-group-version-kind": [{ group, version, kind }] };
  if (!type.verbs.includes("list")) return;
  addDefinition(LIST_META, schemas);
  schemas[`${name}List`] = {
    type: "object",
    required: ["items"],
    description: `${listKind} is a list of ${kind}`,
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      items: { type: "array", items: { allOf: [{ $ref: `${REFERENCE}${name}` }] } },
      metadata: { allOf: [{ $ref: `${REFERENCE}${LIST_META}` }] },
    },
    "x-kubernetes-group-version-kind": [{ group, version, kind: listKind }],
  };
}

function customSchema(schema: Schema, schemas: Record<string, Json>): Json {
  return publish({
    ...schema,
    properties: {
      apiVersion: { type: "string", description: fieldDescription("apiVersion") },
      kind: { type: "string", description: fieldDescription("kind") },
      ...schema.properties,
      metadata: { $ref: OBJECT_META, description: "Standard object's metadata." },
    },
  }, schemas);
}

function fieldDescription(field: string): string {
  return definition("io.k8s.api.core.v1.ConfigMap")?.properties?.[field]?.description ?? "";
}

function addDefinition(name: string, schemas: Record<string, Json>): void {
  if (Object.hasOwn(schemas, name)) return;
  schemas[name] = {}; // before its references are followed: definitions refer to themselves
  schemas[name] = publish(definition(name) ?? {}, schemas);
}

/** A reference with siblings becomes an allOf, int-or-string a oneOf. */
function publish(schema: Schema, schemas: Record<string, Json>): Json {
  const { $ref, properties, items, additionalProperties, ...rest } = schema;
  const published: Json = { ...rest };
  if ($ref !== undefined) {
    addDefinition($ref, schemas);
    published.allOf = [{ $ref: `${REFERENCE}${$ref}` }];
  }
  if (properties) {
    published.properties = Object.fromEntries(
      Object.entries(properties).map(([field, child]) => [field, publish(child, schemas)]),
    );
  }
  if (items) published.items = publish(items, schemas);
  if (typeof additionalProperties === "object") published.additionalProperties = publish(additionalProperties, schemas);
  else if (additionalProperties !== undefined) published.additionalProperties = additionalProperties;
  if (schema["x-kubernetes-int-or-string"] && schema.type === undefined) {
    published.oneOf = [{ type: "integer" }, { type: "string" }];
  }
  return published;
}

function pathItem(type: ResourceType, name: string, methods: Record<string, string>): Json {
  const item: Json = {};
  const { group, version, kind } = type;
  const verbs: Record<string, string> = { post: "create", put: "update" };
  for (const [method, action] of Object.entries(methods)) {
    if (!type.verbs.includes(verbs[action] ?? action)) continue;
    const schema = { $ref: `${REFERENCE}${action === "list" ? `${name}List` : name}` };
    const content = { "application/json": { schema } };
    item[method] = {
      description: `${action} ${kind}`,
      operationId: operationId(type, action),
      parameters: parametersOf(action),
      ...(method === "patch" ? { requestBody: patchBody(type) } : {}),
      ...(method === "post" || method === "put"
        ? { requestBody: { content: { "*/*": { schema } }, required: true } }
        : {}),
      responses: { "200": { description: "OK", content }, "401": { description: "Unauthorized" } },
      "x-kubernetes-action": action,
      "x-kubernetes-group-version-kind": { group, version, kind },
    };
  }
  item.parameters = [
    ...(type.namespaced ? [{ name: "namespace", in: "path", required: true, schema: { type: "string" } }] : []),
  ];
  return item;
}

function patchBody(type: ResourceType): Json {
  const served = PATCH_TYPES.filter((one) => type.builtin || !one.includes("strategic"));
  return { content: Object.fromEntries(served.map((one) => [one, { schema: { type: "object" } }])), required: true };
}

function parametersOf(action: string): Json[] {
  const query = (name: string, type: string) => ({ name, in: "query", schema: { type, uniqueItems: true } });
  switch (action) {
    case "post":
    case "put":
    case "patch":
      return [
        query("dryRun", "string"),
        query("fieldManager", "string"),
        query("fieldValidation", "string"),
        ...(action === "patch" ? [query("force", "boolean")] : []),
      ];
    case "list":
      return ["labelSelector", "fieldSelector", "continue", "resourceVersion"].map((name) => query(name, "string"));
    default:
      return [];
  }
}

/** 64-bit FNV-1a identifies a version; it protects nothing. */
function fingerprint(types: readonly ResourceType[]): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(canonicalJson([BUILTIN_ORIGIN, types]))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).toUpperCase().padStart(16, "0");
}

const OPERATIONS: Readonly<Record<string, string>> = { get: "read", post: "create", put: "replace" };

/** Such as `listCoreV1NamespacedConfigMap`: generators name their methods by it. */
function operationId({ group, version, namespaced, kind }: ResourceType, action: string): string {
  const title = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  const groupName = group === "" ? "Core" : group.replace(/\.k8s\.io$/, "").split(".").map(title).join("");
  const isCollection = action === "deletecollection";
  const verb = isCollection ? "delete" : OPERATIONS[action] ?? action;
  const scope = `${isCollection ? "Collection" : ""}${namespaced ? "Namespaced" : ""}`;
  return `${verb}${groupName}${title(version)}${scope}${kind}`;
}
