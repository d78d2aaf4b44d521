import type { ResourceRequestInfo } from "./request_info.ts";
import type { ResourceType } from "./resource_type.ts";
import type { UserInfo } from "./user_info.ts";

/** One request, from HTTPS or in-process. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** The user whose credential the transport checked. */
  readonly user: UserInfo;
}

export interface ResourceRequest {
  readonly info: ResourceRequestInfo;
  readonly type: ResourceType;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal?: AbortSignal;
  readonly user: UserInfo;
  /** Collected warnings; they become Warning headers. */
  readonly warnings: string[];
}
