/**
 * `client`: requests to an API server: credentials, connections, typed verbs, watches, errors that tell the caller what
 * to do. It caches no objects. `cache/` and higher layers call it; only this folder imports \@kubernetes/client-node,
 * and only for credentials.
 *
 * @module
 */
export type { AccessOptions, AccessRequest, AccessSubject } from "./access.ts";
export {
  AlreadyExistsError,
  ApiError,
  apiErrorOf,
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidError,
  isNotFound,
  NamespaceTerminatingError,
  NotFoundError,
  ServerError,
  UnauthorizedError,
} from "./api_error.ts";
export {
  Client,
  type ClientOptions,
  type DeleteOptions,
  type GetOptions,
  type PatchOptions,
  type RawOptions,
  type WriteOptions,
  type WriteRecord,
} from "./client.ts";
export { connect, type Connection, type ConnectOptions, openTransport } from "./connect.ts";
export { bearer, impersonating, type Impersonation, StaticCredentials } from "./credentials.ts";
export { errorOfResponse } from "./error_response.ts";
export {
  discover,
  discoverAll,
  type DiscoveredResource,
  type Discovery,
  findResource,
  serverVersion,
} from "./discovery.ts";
export type { InClusterOptions } from "./in_cluster.ts";
export type { KubeContext } from "./kubeconfig.ts";
export type { ListOptions } from "./list.ts";
export type { Login, LoginHook } from "./login.ts";
export { connectVariables, openClient, type OpenClientOptions, type OpenedClient } from "./open_client.ts";
export { type ProxyVariables, proxyVariables } from "./proxy.ts";
export type { RequestRecord } from "./requester.ts";
export { RETRY_POLICY, startDelayMs, withRetries } from "./retry.ts";
export { MalformedAnswerError, UnreachableError, type UnreachableKind } from "./unreachable.ts";
export type { WatchEvent, WatchOptions } from "./watch.ts";
