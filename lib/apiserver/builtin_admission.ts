import { isObject } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { forbidden } from "./api_error.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import type { ServerContext } from "./server_context.ts";

type Fields = Record<string, unknown>;

/** Changes an object that is written. What it adds has no field manager. */
type Plugin = (server: ServerContext, object: DynamicObject, type: ResourceType) => void;

/** kube-apiserver's admission plugins that change objects of built-in kinds, by resource. */
const PLUGINS: Readonly<Record<string, readonly Plugin[]>> = {
  pods: [priority, tolerations],
  nodes: [notReady],
  persistentvolumeclaims: [addFinalizer],
  persistentvolumes: [addFinalizer],
};
const ON_UPDATE: typeof PLUGINS = { pods: [tolerations] };

/** Runs the plugins for a new object of a built-in kind. @throws {ApiError} 403 where one refuses the object. */
export function admitNew(server: ServerContext, type: ResourceType, object: DynamicObject): void {
  run(PLUGINS, server, type, object);
}

/** Runs the plugins for an update. */
export function admitChanged(
  server: ServerContext,
  type: ResourceType,
  { object, live }: { readonly object: DynamicObject; readonly live: DynamicObject },
): void {
  // What admission gave stays where the client leaves it out.
  if (storageResource(type) === "pods") keepFields(specOf(object), live.spec, ["priority", "preemptionPolicy"]);
  run(ON_UPDATE, server, type, object);
}

function keepFields(spec: Fields, live: unknown, fields: readonly string[]): void {
  for (const field of fields) if (isObject(live) && live[field] !== undefined) spec[field] ??= live[field];
}

function run(plugins: typeof PLUGINS, server: ServerContext, type: ResourceType, object: DynamicObject): void {
  const resource = storageResource(type);
  if (!type.builtin || !Object.hasOwn(plugins, resource)) return;
  for (const plugin of plugins[resource]!) plugin(server, object, type);
}

function specOf(object: DynamicObject): Fields {
  const spec: Fields = isObject(object.spec) ? object.spec : {};
  object.spec = spec;
  return spec;
}

/** Classes that every cluster has. */
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};
const DEFAULT_POLICY = "PreemptLowerPriority";

/** The Priority plugin. */
function priority(server: ServerContext, object: DynamicObject, type: ResourceType): void {
  const spec = specOf(object), name = object.metadata?.name ?? "";
  const { value, policy, className } = priorityOf(server, spec, (why) => forbidden(type, name, why));
  if (className !== undefined) spec.priorityClassName = className;
  if (spec.priority !== undefined && spec.priority !== value) {
    const why = "the integer value of priority (" + String(spec.priority) + ") must not be provided in pod spec; " +
      `priority admission controller computed ${value} from the given PriorityClass name`;
    throw forbidden(type, name, why);
  }
  spec.priority = value;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const why = "the string value of PreemptionPolicy (" + String(spec.preemptionPolicy) +
      ") must not be provided in " +
      `pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw forbidden(type, name, why);
  }
  spec.preemptionPolicy = policy;
}

function priorityOf(server: ServerContext, spec: Fields, refuse: (why: string) => Error) {
  const name = spec.priorityClassName;
  if (typeof name !== "string" || name === "") {
    const fallback = server.storage.scan("priorityclasses.scheduling.k8s.io")
      .map(([, stored]) => stored).find(({ object }) => object.globalDefault);
    if (!fallback) return { value: 0, policy: DEFAULT_POLICY, className: undefined };
    const { value, preemptionPolicy, metadata } = fallback.object;
    return { value: Number(value), policy: String(preemptionPolicy), className: metadata!.name };
  }
  if (Object.hasOwn(SYSTEM_PRIORITIES, name)) {
    return { value: SYSTEM_PRIORITIES[name]!, policy: DEFAULT_POLICY, className: undefined };
  }
  const found = server.storage.get("priorityclasses.scheduling.k8s.io", name)?.object;
  if (!found) throw refuse(`no PriorityClass with name ${name} was found`);
  return { value: Number(found.value), policy: String(found.preemptionPolicy), className: undefined };
}

const TOLERATED_SECONDS = 300;

/** The DefaultTolerationSeconds plugin. */
function tolerations(_server: ServerContext, object: DynamicObject): void {
  const spec = specOf(object), given = Array.isArray(spec.tolerations) ? spec.tolerations.filter(isObject) : [];
  const added = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    .filter((key) => !given.some((one) => (one.key === key || !one.key) && (one.effect === "NoExecute" || !one.effect)))
    .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: TOLERATED_SECONDS }));
  if (added.length > 0) spec.tolerations = [...given, ...added];
}

/** The TaintNodesByCondition plugin. */
function notReady(_server: ServerContext, object: DynamicObject): void {
  const spec = specOf(object), taints = Array.isArray(spec.taints) ? spec.taints : [];
  spec.taints = [...taints, { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }];
}

/** By resource: what holds an object that is in use. */
export const PROTECTION_FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};

/** The StorageObjectInUseProtection plugin. */
function addFinalizer(_server: ServerContext, { metadata }: DynamicObject, type: ResourceType): void {
  const finalizer = PROTECTION_FINALIZERS[storageResource(type)]!;
  if (!metadata!.finalizers?.includes(finalizer)) metadata!.finalizers = [...metadata!.finalizers ?? [], finalizer];
}
