import { formatJson } from "../base/mod.ts";
import {
  type ApiResource,
  type ApiStatus,
  formatGroupResource,
  formatKey,
  type ObjectKey,
  type StatusCause,
} from "../apimachinery/mod.ts";

/** The subject of a request, for errors, metrics and spans. */
export interface RequestSubject {
  /** RBAC's verb: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  /** Absent for requests to plain paths, such as `/version`. */
  readonly resource?: Pick<ApiResource, "group" | "plural">;
  /** As `status` or `scale`; absent for the object itself. */
  readonly subresource?: string;
  /** The object; all objects of a namespace without a name; absent for those of the whole cluster. */
  readonly key?: Partial<ObjectKey>;
  /** The path of a request without a resource. */
  readonly path?: string;
}

/** `get secrets shop/login`: the subject as text for people. */
export function describeSubject(subject: RequestSubject): string {
  if (!subject.resource) return `${subject.verb} ${subject.path ?? ""}`.trim();
  const resource = formatGroupResource(subject.resource) + (subject.subresource ? `/${subject.subresource}` : "");
  const { name, namespace } = subject.key ?? {};
  const where = name ? ` ${formatKey({ name, namespace })}` : namespace ? ` in namespace ${namespace}` : "";
  return `${subject.verb} ${resource}${where}`;
}

/** Options of an {@linkcode ApiError}. */
interface ApiErrorOptions {
  /** Milliseconds that the server requested to wait. */
  readonly retryAfterMs?: number;
  /** What to do, at the end of the message. */
  readonly hint?: string;
}

/** A server's refusal or failure: the base of classes that tell the caller what to do. Never holds Secret data. */
export class ApiError extends Error {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "ApiError";
  /** The server's response; made from the HTTP status where it has none. */
  readonly status: ApiStatus;
  /** HTTP status code. */
  readonly code: number;
  /** Machine-readable reason, as `NotFound`; empty where the server gave none. */
  readonly reason: string;
  /** RBAC's verb of the request; the HTTP method in lower case for plain paths. */
  readonly verb: string;
  /** The requested resource; undefined for plain paths. */
  readonly resource: Pick<ApiResource, "group" | "plural"> | undefined;
  /** The requested object or namespace; undefined for the whole cluster. */
  readonly key: Partial<ObjectKey> | undefined;
  /** The delay that the server requested before another attempt; undefined where it did not. */
  readonly retryAfterMs: number | undefined;

  /** The message consists of subject, status and `hint`; `retryAfterMs` overrides the seconds of the status. */
  constructor(status: ApiStatus, readonly subject: RequestSubject, { retryAfterMs, hint }: ApiErrorOptions = {}) {
    const problem = status.message || status.reason || "no reason given";
    super(`cannot ${describeSubject(subject)}: ${problem} (${status.code})${hint ? `; ${hint}` : ""}`);
    this.status = status;
    this.code = status.code;
    this.reason = status.reason ?? "";
    this.verb = subject.verb;
    this.resource = subject.resource;
    this.key = subject.key;
    this.retryAfterMs = retryAfterMs ?? secondsToMs(status.details?.retryAfterSeconds);
  }
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : undefined;
}

/** The object or the resource does not exist. For a resource: its CRD is not installed. */
export class NotFoundError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "NotFoundError";
}

/** An object of this name exists already: read it and decide. */
export class AlreadyExistsError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "AlreadyExistsError";
}

/** The object changed meanwhile, or another field manager owns a field: read it again and decide again. */
export class ConflictError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "ConflictError";
}

/** The resourceVersion or continue token is too old: list again. */
export class GoneError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "GoneError";
}

/** The server refuses the content: sending it again cannot help. */
export class InvalidError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "InvalidError";

  /** The invalid fields, with their problems. */
  get causes(): readonly StatusCause[] {
    return this.status.details?.causes ?? [];
  }
}

/** The RBAC rule that would have allowed a request. */
export interface RbacRule {
  /** The core group is the empty string. */
  readonly apiGroups: readonly string[];
  /** Plurals, `plural/subresource` for a subresource; empty for a plain path. */
  readonly resources: readonly string[];
  /** RBAC's verbs: get, list, watch, create, update, patch, delete. */
  readonly verbs: readonly string[];
}

/**
 * The server refuses the caller (403). `refusedBy` is `authorization`, where granting `rule` helps, or `admission` (a
 * policy, a quota, an escalation check), where it does not.
 */
export class ForbiddenError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "ForbiddenError";
  /** The missing rule where authorization refused; otherwise the rule that the request needed and had. */
  readonly rule: RbacRule;
  /** `authorization`: grant the rule. `admission`: a policy, a quota or an escalation check must be satisfied. */
  readonly refusedBy: "authorization" | "admission";

  /** Reads the missing rule from the server's message, and appends how to grant it. */
  constructor(status: ApiStatus, subject: RequestSubject) {
    const missing = missingRule(status.message ?? "");
    const rule = missing ?? ruleOf(subject);
    super(status, subject, { hint: missing && grantHint(missing, subject) });
    this.rule = rule;
    this.refusedBy = missing ? "authorization" : "admission";
  }
}

/** The namespace is being deleted, so nothing can be created in it until it exists again. */
export class NamespaceTerminatingError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "NamespaceTerminatingError";
}

/** The server does not know the caller (401): the credentials are missing, wrong or expired. */
export class UnauthorizedError extends ApiError {
  /** The class, in logs and as the reason of a retry. */
  override readonly name: string = "UnauthorizedError";
}

/** The server is overloaded (429): wait `retryAfterMs`. */
export class TooManyRequestsError extends ApiError {
  override readonly name: string = "TooManyRequestsError";
}

/** The server failed (5xx): retry later. */
export class ServerError extends ApiError {
  override readonly name: string = "ServerError";
}

/** Whether `error` means that the server has no such object or resource. */
export function isNotFound(error: unknown): error is NotFoundError {
  return error instanceof NotFoundError;
}

/** The error of the class for `status`. */
export function apiErrorOf(status: ApiStatus, subject: RequestSubject, retryAfterMs?: number): ApiError {
  if (status.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating")) {
    return new NamespaceTerminatingError(status, subject);
  }
  switch (status.code) {
    case 401:
      return new UnauthorizedError(status, subject, { hint: "check the token, certificate or exec plugin in use" });
    case 403:
      return new ForbiddenError(status, subject);
    case 404:
      return new NotFoundError(status, subject);
    case 409:
      return status.reason === "AlreadyExists"
        ? new AlreadyExistsError(status, subject)
        : new ConflictError(status, subject);
    case 410:
      return new GoneError(status, subject);
    case 422:
      return new InvalidError(status, subject);
    case 429:
      return new TooManyRequestsError(status, subject, { retryAfterMs });
  }
  return status.code >= 500 ? new ServerError(status, subject, { retryAfterMs }) : new ApiError(status, subject);
}

// The authorizer names the missing rule only in its message, whose wording is that of k8s.io/apiserver's
// forbiddenMessage since 1.6. An apply of an absent object needs "create" beside "patch", so the request alone is not
// enough. The wording of admission ("exceeded quota") differs, and there no rule helps.
const REFUSAL = /^(?:.* is forbidden: )?User "[^"]*" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"/;

function missingRule(message: string): RbacRule | undefined {
  const found = REFUSAL.exec(message);
  return found ? { apiGroups: [found[3]!], resources: [found[2]!], verbs: [found[1]!] } : undefined;
}

function ruleOf({ verb, resource, subresource }: RequestSubject): RbacRule {
  if (!resource) return { apiGroups: [], resources: [], verbs: [verb] };
  return {
    apiGroups: [resource.group],
    resources: [subresource ? `${resource.plural}/${subresource}` : resource.plural],
    verbs: [verb],
  };
}

function grantHint(rule: RbacRule, subject: RequestSubject): string {
  const kind = subject.key?.namespace ? "Role or ClusterRole" : "ClusterRole";
  const list = (items: readonly string[]) => `[${items.map((item) => formatJson(item)).join(", ")}]`;
  return `grant it with this rule in a ${kind} that is bound to the caller: ` +
    `{apiGroups: ${list(rule.apiGroups)}, resources: ${list(rule.resources)}, verbs: ${list(rule.verbs)}}`;
}
