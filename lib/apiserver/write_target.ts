import type { WriteOptions } from "./request_options.ts";
import type { ResourceType } from "./resource_type.ts";

/** Where a write goes and how. */
export interface WriteTarget {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly options: WriteOptions;
  /** The candidate comes from server-side apply, with its managedFields already settled. */
  readonly applied?: boolean;
  /** Filled with what becomes `Warning` headers. */
  readonly warnings: string[];
}
