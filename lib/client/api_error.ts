import { formatJson } from "../base/mod.ts";
import {
  type ApiResource,
  type ApiStatus,
  formatGroupResource,
  formatKey,
  type ObjectKey,
  type StatusCause,
} from "../apimachinery/mod.ts";

export interface RequestTarget {
  readonly verb: string;
  /** Absent for plain paths, such as `/version`. */
  readonly resource?: Pick<ApiResource, "group" | "plural">;
  readonly subresource?: string;
  /** Without a name: all objects of a namespace. Absent: the whole cluster. */
  readonly key?: Partial<ObjectKey>;
  readonly path?: string;
}

/** For people: `get secrets shop/login`. */
export function describeTarget(subject: RequestTarget): string {
  if (!subject.resource) return `${subject.verb} ${subject.path ?? ""}`.trim();
  const resource = formatGroupResource(subject.resource) + (subject.subresource ? `/${subject.subresource}` : "");
  const { name, namespace } = subject.key ?? {};
  const where = name ? ` ${formatKey({ name, namespace })}` : namespace ? ` in namespace ${namespace}` : "";
  return `${subject.verb} ${resource}${where}`;
}

interface ApiErrorOptions {
  readonly retryAfterMs?: number;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A server's refusal or failure. Subclasses tell the caller what to do. Never holds Secret data. */
export class ApiError extends Error {
  /** In logs and retries. */
  override readonly name: string = "ApiError";
  /** The server's response; made from the HTTP status where it has none. */
  readonly status: ApiStatus;
  /** HTTP status code. */
  readonly code: number;
  /** For programs, as `NotFound`; empty where absent. */
  readonly reason: string;
  /** RBAC's verb; the HTTP method in lower case for plain paths. */
  readonly verb: string;
  /** Undefined for plain paths. */
  readonly resource: Pick<ApiResource, "group" | "plural"> | undefined;
  /** The object or namespace; undefined for the whole cluster. */
  readonly key: Partial<ObjectKey> | undefined;
  /** The requested wait, if any. */
  readonly retryAfterMs: number | undefined;

  /** The message holds subject, status and `hint`; `retryAfterMs` overrides the status. */
  constructor(
    status: ApiStatus,
    readonly subject: RequestTarget,
    { retryAfterMs, hint, cause }: ApiErrorOptions = {},
  ) {
    const problem = status.message || status.reason || "no reason given";
    super(
      `cannot ${describeTarget(subject)}: ${problem} (${status.code})${hint ? `; ${hint}` : ""}`,
      cause === undefined ? undefined : { cause },
    );
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

/** No such object, or no such resource: its CRD is not installed. */
export class NotFoundError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "NotFoundError";
}

/** The object exists: read it and decide. */
export class AlreadyExistsError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "AlreadyExistsError";
}

/** The object changed, or another field manager owns a field: read and decide again. */
export class ConflictError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "ConflictError";
}

/** The resourceVersion or continue token is too old: list again. */
export class GoneError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "GoneError";
}

/** The content is refused: sending it again cannot help. */
export class InvalidError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "InvalidError";

  /** The invalid fields, with their problems. */
  get causes(): readonly StatusCause[] {
    return this.status.details?.causes ?? [];
  }
}

export interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * The server refuses the caller (403). `refusedBy` is `authorization`, where granting `rule` helps, or `admission` (a
 * policy, a quota, an escalation check), where it does not.
 */
export class ForbiddenError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "ForbiddenError";
  /** The missing rule; for `admission` the rule that the request needed and had. */
  readonly rule: RbacRule;
  /** `authorization`: grant the rule. `admission`: satisfy a policy, quota or escalation check. */
  readonly refusedBy: "authorization" | "admission";

  /** Reads the missing rule from the message, and appends how to grant it, and `hint`. */
  constructor(status: ApiStatus, subject: RequestTarget, { hint, cause }: Omit<ApiErrorOptions, "retryAfterMs"> = {}) {
    const missing = missingRule(status.message ?? "");
    const rule = missing ?? ruleOf(subject);
    const hints = [missing && grantHint(missing, subject), hint].filter((each) => each !== undefined);
    super(status, subject, { hint: hints.join("; "), cause });
    this.rule = rule;
    this.refusedBy = missing ? "authorization" : "admission";
  }
}

/** The namespace is terminating: nothing can be created in it until it exists again. */
export class NamespaceTerminatingError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "NamespaceTerminatingError";
}

/** Unknown caller (401): the credentials are missing, wrong or expired. */
export class UnauthorizedError extends ApiError {
  /** In logs and retries. */
  override readonly name: string = "UnauthorizedError";
}

/** Overloaded (429): wait `retryAfterMs`. */
export class TooManyRequestsError extends ApiError {
  override readonly name: string = "TooManyRequestsError";
}

/** Failed (5xx): retry later. */
export class ServerError extends ApiError {
  override readonly name: string = "ServerError";
}

export function isNotFound(error: unknown): error is NotFoundError {
  return error instanceof NotFoundError;
}

export function apiErrorOf(status: ApiStatus, subject: RequestTarget, retryAfterMs?: number): ApiError {
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

// Only the message names the missing rule, in k8s.io/apiserver's words since 1.6 (forbiddenMessage). The request does
// not tell: an apply of an absent object also needs "create". Admission's words differ ("exceeded quota"), and no rule
// helps.
const REFUSAL = /^(?:.* is forbidden: )?User "[^"]*" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"/;

function missingRule(message: string): RbacRule | undefined {
  const found = REFUSAL.exec(message);
  return found ? { apiGroups: [found[3]!], resources: [found[2]!], verbs: [found[1]!] } : undefined;
}

function ruleOf({ verb, resource, subresource }: RequestTarget): RbacRule {
  if (!resource) return { apiGroups: [], resources: [], verbs: [verb] };
  return {
    apiGroups: [resource.group],
    resources: [subresource ? `${resource.plural}/${subresource}` : resource.plural],
    verbs: [verb],
  };
}

function grantHint(rule: RbacRule, subject: RequestTarget): string {
  const kind = subject.key?.namespace ? "Role or ClusterRole" : "ClusterRole";
  const list = (items: readonly string[]) => `[${items.map((item) => formatJson(item)).join(", ")}]`;
  return `grant it with this rule in a ${kind} that is bound to the caller: ` +
    `{apiGroups: ${list(rule.apiGroups)}, resources: ${list(rule.resources)}, verbs: ${list(rule.verbs)}}`;
}
