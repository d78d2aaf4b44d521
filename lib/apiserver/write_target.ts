import type { DynamicObject } from "../apimachinery/mod.ts";
import type { AdmissionAttributes } from "./admission/admission_chain.ts";
import type { WriteOptions } from "./request_options.ts";
import type { ResourceType } from "./resource_type.ts";
import { ADMIN, type UserInfo } from "./user_info.ts";

/** Where a write goes and how. */
export interface WriteTarget {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Who writes; absent where the server itself does, which calls no webhook. */
  readonly user?: UserInfo;
  readonly options: WriteOptions;
  /** The candidate comes from server-side apply, with its managedFields already settled. */
  readonly applied?: boolean;
  /** Filled with what becomes `Warning` headers. */
  readonly warnings: string[];
}

/** A write as webhooks get it. */
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
