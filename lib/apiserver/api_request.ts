import type { ResourceRequestInfo } from "./request_info.ts";
import type { ResourceType } from "./resource_type.ts";
import type { UserInfo } from "./user_info.ts";

/** One request as both doors hand it in. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query, starting with `/`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends a watch. */
  readonly signal?: AbortSignal;
  /** The user, by the credential that the transport checked. */
  readonly user: UserInfo;
}

/** A request for a resource that is served, authorized. */
export interface ResourceRequest {
  readonly info: ResourceRequestInfo;
  readonly type: ResourceType;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal?: AbortSignal;
  readonly user: UserInfo;
  /** Filled on the way; become Warning headers. */
  readonly warnings: string[];
}
