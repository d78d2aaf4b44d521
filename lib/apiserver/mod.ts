/**
 * `apiserver`: an in-memory Kubernetes API, in-process and over HTTPS, for the harness and the CLI. It behaves as
 * kube-apiserver 1.37 and kube-controller-manager's garbage collector, namespace and service account controllers. It
 * runs no pods, keeps nothing on disk, is never for production; it calls base and apimachinery only.
 *
 * @module
 */
export { ApiError } from "./api_error.ts";
export type { ApiRequest } from "./api_request.ts";
export type { EventLog, StorageEvent } from "./event_log.ts";
export { CertificateAuthority, type Identity } from "../base/certificates.ts";
export { type HttpsOptions, HttpsServer } from "./https_server.ts";
export { requestInfo, type ResourceRequestInfo } from "./request_info.ts";
export { ruleAllows } from "./authorizer.ts";
export { EmbeddedApiServer, type EmbeddedApiServerOptions } from "./server.ts";
export { DEFAULT_LIMITS, type ServerLimits } from "./server_limits.ts";
export { Storage, type StorageSnapshot } from "./storage.ts";
export type { StoredObject } from "./stored_object.ts";
export { ADMIN, AUTHENTICATED_GROUP, MASTERS_GROUP, serviceAccountUser, type UserInfo } from "./user_info.ts";
