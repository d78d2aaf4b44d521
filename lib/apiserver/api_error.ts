import { formatJson } from "../base/mod.ts";
import { type ApiStatus, formatGroupResource, type StatusCause, type StatusReason } from "../apimachinery/mod.ts";

interface Resource {
  readonly group: string;
  readonly plural: string;
}

/** Thrown anywhere on the request path and rendered as `metav1.Status`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: ApiStatus;

  constructor(code: number, reason: StatusReason, message: string, details?: ApiStatus["details"]) {
    super(message);
    const fields = { message, reason: reason || undefined, details, code };
    this.status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", ...fields };
  }
}

function detailsOf(resource: Resource, name: string): NonNullable<ApiStatus["details"]> {
  return { name: name || undefined, group: resource.group || undefined, kind: resource.plural };
}

export function notFound(resource: Resource, name: string): ApiError {
  return new ApiError(
    404,
    "NotFound",
    `${formatGroupResource(resource)} "${name}" not found`,
    detailsOf(resource, name),
  );
}

export function resourceNotFound(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource", {});
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  const message = `${formatGroupResource(resource)} "${name}" already exists`;
  return new ApiError(409, "AlreadyExists", message, detailsOf(resource, name));
}

const STALE_WRITE = "the object has been modified; please apply your changes to the latest version and try again";

export function conflict(resource: Resource, name: string, why: string = STALE_WRITE): ApiError {
  const message = `Operation cannot be fulfilled on ${formatGroupResource(resource)} "${name}": ${why}`;
  return new ApiError(409, "Conflict", message, detailsOf(resource, name));
}

export function invalid(type: { group: string; kind: string }, name: string, causes: StatusCause[]): ApiError {
  const qualified = type.group === "" ? type.kind : `${type.kind}.${type.group}`;
  const texts = causes.map((cause) => cause.field ? `${cause.field}: ${cause.message}` : `${cause.message}`);
  const message = `${qualified} "${name}" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`}`;
  const details = { name: name || undefined, group: type.group || undefined, kind: type.kind || undefined, causes };
  return new ApiError(422, "Invalid", message, details);
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** 403 by an API rule, not by RBAC. */
export function forbidden(resource: Resource, name: string, why: string, causes?: StatusCause[]): ApiError {
  const subject = name === "" ? formatGroupResource(resource) : `${formatGroupResource(resource)} "${name}"`;
  const details = { ...detailsOf(resource, name), causes };
  return new ApiError(403, "Forbidden", `${subject} is forbidden: ${why}`, details);
}

export function methodNotAllowed(message?: string): ApiError {
  return new ApiError(
    405,
    "MethodNotAllowed",
    message ?? "the server does not allow this method on the requested resource",
    {},
  );
}

export function expired(message: string): ApiError {
  return new ApiError(410, "Expired", message);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${
    accepted.join(", ")
  }`;
  return new ApiError(415, "UnsupportedMediaType", message);
}

export function bodyTooLarge(limitBytes: number): ApiError {
  return new ApiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}

export function unauthorized(): ApiError {
  return new ApiError(401, "Unauthorized", "Unauthorized");
}

/** 501: only kube-apiserver supports it. */
export function notImplemented(what: string): ApiError {
  return new ApiError(501, "NotImplemented", `the embedded API server does not implement ${what}`);
}

/** 500 with the bare message, for a write whose conversion webhook fails. */
export function conversionFailed(message: string): ApiError {
  return new ApiError(500, "", message);
}

function corruptObject(key: string, revision: number, why: string): string {
  return `StorageError: corrupt object, Code: 7, Key: ${key}, ResourceVersion: 0, ` +
    `AdditionalErrorMsg: object not decodable revision=${revision}: ${why}`;
}

/** 500: a stored object cannot be converted. */
export function unreadableObject(resource: Resource, key: string, revision: number, why: string): ApiError {
  const message = corruptObject(`/${resource.group}/${resource.plural}/${key}`, revision, why);
  return new ApiError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** As in kube-apiserver. */
const UNREADABLE_CAUSES_MAX = 100;

/** 500: at least one object of a list cannot be converted. */
export function unreadableList(
  resource: Resource,
  faults: readonly { readonly key: string; readonly revision: number; readonly why: string }[],
): ApiError {
  const causes = faults.slice(0, UNREADABLE_CAUSES_MAX).map(({ key, revision, why }) => {
    const field = `/registry/${resource.group}/${resource.plural}/${key}`;
    return { reason: "UnexpectedServerResponse", message: corruptObject(field, revision, why), field };
  });
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  const message = `failed to read one or more ${formatGroupResource(resource)} from the storage: ${
    causes[0]!.message
  }${more}`;
  return new ApiError(500, "StorageReadError", message, { ...detailsOf(resource, "list"), causes });
}

export function resourceVersionTooLarge(requested: number, current: number): ApiError {
  const message = `Timeout: Too large resource version: ${requested}, current: ${current}`;
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new ApiError(504, "Timeout", message, { causes, retryAfterSeconds: 1 });
}

/** An unknown error becomes 500 with its message. */
export function statusOf(error: unknown): ApiStatus {
  if (error instanceof ApiError) return error.status;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] }).status;
}

export function invalidValue(field: string, value: unknown, why: string): StatusCause {
  const shown = value === undefined ? "null" : formatJson(value);
  return { reason: "FieldValueInvalid", message: `Invalid value: ${shown}: ${why}`, field };
}

export function requiredValue(field: string, why: string = ""): StatusCause {
  return { reason: "FieldValueRequired", message: why === "" ? "Required value" : `Required value: ${why}`, field };
}

export function forbiddenField(field: string, why: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

export function tooLong(field: string, limit: number): StatusCause {
  return { reason: "FieldValueTooLong", message: `Too long: may not be more than ${limit} bytes`, field };
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): StatusCause {
  const list = supported.map((item) => formatJson(item)).join(", ");
  return {
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${formatJson(value)}: supported values: ${list}`,
    field,
  };
}
