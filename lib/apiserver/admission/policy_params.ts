import { type DynamicObject, formatKey, matchesLabels, requirementsOf } from "../../apimachinery/mod.ts";
import { storageResource } from "../resource_registry.ts";
import type { AdmissionServer } from "./attributes.ts";
import type { ParamRef, PolicySpec } from "./policy.ts";

/** A policy or binding that cannot be applied; `failurePolicy` decides. */
export class ConfigurationError extends Error {}

/** The parameters with which a binding runs its policy, once for each; undefined stands for a run without any. */
export function paramsOf(
  { paramKind }: PolicySpec,
  paramRef: ParamRef | undefined,
  namespace: string | undefined,
  { registry, storage }: Pick<AdmissionServer, "registry" | "storage">,
): readonly (DynamicObject | undefined)[] {
  if (!paramKind || !paramRef) return [undefined];
  const [version, group = ""] = paramKind.apiVersion.split("/").reverse() as [string, string?];
  const type = registry.findKind(group, version, paramKind.kind);
  if (!type) throw unknownKind(group, version, paramKind.kind);
  if (paramRef.namespace && !type.namespaced) {
    throw new ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  const within = type.namespaced ? paramRef.namespace || namespace : undefined;
  if (type.namespaced && within === undefined) {
    throw new ConfigurationError(
      "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
    );
  }
  const resource = storageResource(type), found: DynamicObject[] = [];
  if (paramRef.name) {
    const named = storage.get(
      resource,
      formatKey({ name: paramRef.name, ...(within !== undefined && { namespace: within }) }),
    );
    if (named) found.push(named.object);
  } else {
    const wanted = requirementsOf(paramRef.selector ?? {});
    for (const [, { object }] of storage.scan(resource, within === undefined ? {} : { namespace: within })) {
      if (matchesLabels(wanted, object.metadata?.labels)) found.push(object);
    }
  }
  if (found.length === 0 && paramRef.parameterNotFoundAction === "Deny") {
    throw new ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found.map((object) => ({ apiVersion: paramKind.apiVersion, kind: paramKind.kind, ...object }));
}

/** @throws {ConfigurationError} if no kind of this name is served. */
export function checkParamKind({ paramKind }: PolicySpec, { registry }: Pick<AdmissionServer, "registry">): void {
  if (!paramKind) return;
  const [version, group = ""] = paramKind.apiVersion.split("/").reverse() as [string, string?];
  if (!registry.findKind(group, version, paramKind.kind)) throw unknownKind(group, version, paramKind.kind);
}

function unknownKind(group: string, version: string, kind: string): ConfigurationError {
  const named = `${group}/${version}, Kind=${kind}`;
  return new ConfigurationError(`failed to find resource referenced by paramKind: '${named}'`);
}
