/**
 * `client`: requests to an API server: credentials, connections, typed verbs, watches, errors that tell the caller what
 * to do. It caches no objects. `cache/` and higher layers call it; only this folder imports \@kubernetes/client-node,
 * and only for credentials.
 *
 * @module
 */
export type { AccessOptions, AccessRequest, AccessSubject } from "./access.ts";
export * from "./api_error.ts";
export * from "./client.ts";
export type { ListOptions } from "./list.ts";
export type { RequestRecord } from "./requester.ts";
export * from "./retry.ts";
export { MalformedAnswerError, UnreachableError, type UnreachableKind } from "./unreachable.ts";
export { IDLE_MS_MAX, type WatchEvent, type WatchOptions } from "./watch.ts";
export * from "./connect.ts";
export * from "./credentials.ts";
export * from "./discovery.ts";
export { FetchTransport, type SocketTransportOptions } from "./fetch_transport.ts";
export {
  InClusterCredentials,
  type InClusterOptions,
  inClusterServer,
  SERVICE_ACCOUNT_DIRECTORY,
} from "./in_cluster.ts";
export type { KubeconfigOptions, KubeContext } from "./kubeconfig.ts";
export { type Login, LoginCredentials, type LoginHook } from "./login.ts";
export { NodeTransport } from "./node_transport.ts";
export { connectVariables, openClient, type OpenClientOptions, type OpenedClient } from "./open_client.ts";
export * from "./proxy.ts";
