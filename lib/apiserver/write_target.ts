import type { DynamicObject } from "../apimachinery/mod.ts";
import type { AdmissionAttributes } from "./admission/attributes.ts";
import type { WriteOptions } from "./request_options.ts";
import type { ResourceType } from "./resource_type.ts";
import { ADMIN, type UserInfo } from "./user_info.ts";

export interface WriteTarget {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Absent for the server's own writes, without webhooks. */
  readonly user?: UserInfo;
  readonly options: WriteOptions;
  /** From server-side apply: managedFields are final. */
  readonly applied?: boolean;
  readonly warnings: string[];
  /** Paths of keys that the sent JSON repeats. */
  readonly repeated?: readonly string[];
}

export function admissionAttributes(
  target: WriteTarget,
  operation: "CREATE" | "UPDATE",
  objects: { readonly object: DynamicObject; readonly old?: DynamicObject },
): AdmissionAttributes {
  const { type, namespace, name, subresource, options, warnings, user = ADMIN } = target;
  return {
    ...objects,
    operation,
    type,
    subresource,
    namespace: type.namespaced ? namespace : undefined,
    name: name ?? objects.object.metadata?.name ?? "",
    user,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    warnings,
  };
}
