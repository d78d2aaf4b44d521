/** One cause of an {@linkcode ApiStatus}. */
export interface StatusCause {
  /** For programs, as `FieldValueRequired`. */
  reason?: string;
  message?: string;
  /** As `spec.replicas`. */
  field?: string;
}

/** `metav1.Status`: an API server's response without an object. */
export interface ApiStatus {
  /** Distinguishes it from objects. */
  kind: "Status";
  /** The core group's only version. */
  apiVersion: "v1";
  /** That of a list; usually empty. */
  metadata?: Record<string, unknown>;
  /** How the request ended. */
  status: "Success" | "Failure";
  /** For people. */
  message?: string;
  /** For programs; finer than the code. */
  reason?: StatusReason;
  /** The object (`kind` holds the plural where a request failed), the causes, and how long to wait. */
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  /** HTTP status code. */
  code: number;
}

/** k8s.io/apimachinery metav1.StatusReason. */
export type StatusReason =
  | ""
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Gone"
  | "Invalid"
  | "ServerTimeout"
  | "StorageReadError"
  | "Timeout"
  | "TooManyRequests"
  | "BadRequest"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "RequestEntityTooLarge"
  | "UnsupportedMediaType"
  | "InternalError"
  | "Expired"
  | "ServiceUnavailable"
  | "NotImplemented";

export function isApiStatus(value: unknown): value is ApiStatus {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "Status" &&
    (value as { apiVersion?: unknown }).apiVersion === "v1";
}
