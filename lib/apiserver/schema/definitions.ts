import { formatApiVersion } from "../../apimachinery/mod.ts";
import builtin from "../data/builtin.json" with { type: "json" };
import type { ResourceType, Schema } from "../resource_type.ts";
import { builtinColumns } from "./builtin_columns.ts";

export const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** The built-in kinds' Kubernetes release. */
export const BUILTIN_ORIGIN: string = builtin.origin;

const definitions = builtin.definitions as unknown as Readonly<Record<string, Schema>>;
const resolved = new WeakMap<Schema, Schema>();
let types: readonly ResourceType[] | undefined;

/** Beyond name and namespace (kubernetes, ToSelectableFields). */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  "v1/Namespace": ["status.phase"],
  "v1/Secret": ["type"],
  "v1/Service": ["spec.clusterIP", "spec.type"],
  "v1/Node": ["spec.unschedulable"],
  "v1/ReplicationController": ["status.replicas"],
  "v1/Pod": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
  ],
  "v1/Event": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  "events.k8s.io/v1/Event": [
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
  ],
  "batch/v1/Job": ["status.successful"],
};

/** Those that need a kubelet; they are answered with 501. */
const KUBELET_SUBRESOURCES: Readonly<Record<string, readonly string[]>> = {
  nodes: ["proxy"],
  pods: ["attach", "ephemeralcontainers", "exec", "log", "portforward", "proxy", "resize"],
  services: ["proxy"],
};

/** In discovery order. */
export function builtinResourceTypes(): readonly ResourceType[] {
  types ??= builtin.resources.map((row) => {
    const { schema, ...rest } = row;
    const scalable = row.subresources.includes("scale");
    return {
      ...rest,
      subresources: [...row.subresources, ...KUBELET_SUBRESOURCES[row.plural] ?? []].sort(),
      listKind: `${row.kind}List`,
      schema: { $ref: schema },
      columns: builtinColumns(row.group, row.kind),
      builtin: true,
      selectableFields: SELECTABLE[`${formatApiVersion(row)}/${row.kind}`] ?? [],
      ...(scalable ? { scale: { ...SCALE_PATHS, labelSelectorPath: ".status.selector" } } : {}),
    };
  });
  return types;
}

const SCALE_PATHS = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };

/** Such as `io.k8s.api.core.v1.Pod`. */
export function definition(name: string): Schema | undefined {
  return Object.hasOwn(definitions, name) ? definitions[name] : undefined;
}

/** Siblings of `$ref` (default, description) win over its target. */
export function resolveSchema(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  let target = resolved.get(schema);
  if (!target) {
    const { $ref, ...beside } = schema;
    target = { ...resolveSchema(definition($ref) ?? {}), ...beside };
    resolved.set(schema, target);
  }
  return target;
}

const OBJECT_META_SCHEMA: Schema = { $ref: OBJECT_META };
const TEXT: Schema = { type: "string" };

/** `metadata` of a whole object (the root or an embedded resource) is ObjectMeta, whatever a CRD declares. */
export function fieldSchema(parent: Schema, field: string, isWholeObject: boolean): Schema | undefined {
  if (isWholeObject && field === "metadata") return resolveSchema(OBJECT_META_SCHEMA);
  const properties = parent.properties;
  if (properties && Object.hasOwn(properties, field)) return resolveSchema(properties[field]!);
  if (isWholeObject && (field === "apiVersion" || field === "kind")) return TEXT;
  if (typeof parent.additionalProperties === "object") return resolveSchema(parent.additionalProperties);
  return undefined;
}
