import type { ResourceRequestInfo } from "./request_info.ts";
import type { ResourceType } from "./resource_type.ts";
import type { UserInfo } from "./user_info.ts";

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Authenticated by the transport. */
  readonly user: UserInfo;
}

export interface ResourceRequest {
  readonly info: ResourceRequestInfo;
  readonly type: ResourceType;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal?: AbortSignal;
  readonly user: UserInfo;
  readonly warnings: string[];
}
