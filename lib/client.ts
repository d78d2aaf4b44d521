/**
 * The API client of Pintle: connections, typed verbs, watches and errors, and what goes with them: keys, names,
 * selectors, JSON without loss. Handlers have a client already; this is for programs of their own. It runs in Deno and
 * in Node.
 *
 * @example
 * ```ts
 * import { Client } from "@pintle/pintle/client";
 *
 * const transport = { fetch: () => Promise.resolve(Response.json({ metadata: { name: "a" } })), close() {} };
 * const client = new Client(transport, { fieldManager: "example" });
 * const pods = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };
 * const pod = await client.get(pods, { namespace: "default", name: "a" });
 * if (pod.metadata?.name !== "a") throw new Error("the object is the answer");
 * ```
 *
 * @module
 */
export {
  type AccessOptions,
  type AccessRequest,
  type AccessSubject,
  Client,
  type ClientOptions,
  connect,
  type Connection,
  type ConnectOptions,
  type DeleteOptions,
  type GetOptions,
  type Impersonation,
  type InClusterOptions,
  type ListOptions,
  type Login,
  type LoginHook,
  MalformedAnswerError,
  openClient,
  type OpenClientOptions,
  type OpenedClient,
  type PatchOptions,
  type ProxyVariables,
  proxyVariables,
  type RawOptions,
  type RequestRecord,
  UnauthorizedError,
  UnreachableError,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
  type WriteRecord,
} from "./client/mod.ts";
export {
  type ApiResource,
  type ApiStatus,
  controllerOf,
  formatKey,
  globProblem,
  isDnsSubdomain,
  isLabelValue,
  isQualifiedName,
  joinedName,
  keyOf,
  type KubeList,
  type KubeObject,
  LABEL_VALUE_LENGTH_MAX,
  type LabelSelector,
  LAST_APPLIED_ANNOTATION,
  type ManagedFieldsEntry,
  matchesGlobs,
  matchesLabels,
  type ObjectKey,
  type ObjectMeta,
  requirementsOf,
} from "./apimachinery/mod.ts";
export {
  type Clock,
  describeError,
  durationMs,
  formatJson,
  type JsonObject,
  type JsonValue,
  mapConcurrent,
  parseJson,
  SystemClock,
  type Transport,
  type TransportRequest,
  truncate,
} from "./base/mod.ts";
export {
  AlreadyExistsError,
  ApiError,
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidError,
  NamespaceTerminatingError,
  NotFoundError,
} from "./client/mod.ts";
export type { CachedReader } from "./controller/mod.ts";
