import { isObject, truncate } from "../base/mod.ts";
import {
  type FieldRequirement,
  type LabelRequirement,
  parseFieldSelector,
  parseLabelSelector,
  type StatusCause,
} from "../apimachinery/mod.ts";
import { badRequest, forbiddenField, invalid, invalidValue, notSupported, requiredValue } from "./api_error.ts";
import { isTrue } from "./request_info.ts";

/** metav1.ListOptions. */
export interface ListOptions {
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken?: string;
  readonly resourceVersion?: number;
  readonly match?: "Exact" | "NotOlderThan";
  readonly bookmarks: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly force: boolean;
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  readonly uid?: string;
  readonly resourceVersion?: string;
}

const META_GROUP = "meta.k8s.io";
const FIELD_MANAGER_LENGTH_MAX = 128;

/** @throws {ApiError} 400 or 422 as kube-apiserver. */
export function listOptions(query: URLSearchParams, watch: boolean): ListOptions {
  const causes: StatusCause[] = [];
  const version = query.get("resourceVersion") || undefined;
  const match = query.get("resourceVersionMatch") || undefined;
  const continueToken = query.get("continue") || undefined;
  const sendInitialEvents = query.has("sendInitialEvents") ? isTrue(query.get("sendInitialEvents")) : undefined;
  const field = "resourceVersionMatch";
  if (match !== undefined && !watch && version === undefined) {
    causes.push(forbiddenField(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
  }
  if (match !== undefined && continueToken !== undefined) {
    causes.push(forbiddenField(field, "resourceVersionMatch is forbidden when continue is provided"));
  }
  if (match !== undefined && match !== "Exact" && match !== "NotOlderThan") {
    causes.push(notSupported(field, match, ["Exact", "NotOlderThan", ""]));
  }
  if (match === "Exact" && version === "0") {
    causes.push(forbiddenField(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (watch && sendInitialEvents !== undefined && match !== "NotOlderThan") {
    causes.push(forbiddenField(
      field,
      "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ));
  }
  if (watch && match !== undefined && sendInitialEvents === undefined) {
    causes.push(
      forbiddenField(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    );
  }
  if (!watch && sendInitialEvents !== undefined) {
    causes.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  if (causes.length > 0) throw invalid({ group: META_GROUP, kind: "ListOptions" }, "", causes);
  if (continueToken !== undefined && version !== undefined && version !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  return {
    labels: parsed("labelSelector", query, parseLabelSelector),
    fields: parsed("fieldSelector", query, parseFieldSelector),
    limit: wholeNumber(query, "limit") ?? 0,
    continueToken,
    resourceVersion: wholeNumber(query, "resourceVersion"),
    match: match as ListOptions["match"],
    bookmarks: isTrue(query.get("allowWatchBookmarks")),
    sendInitialEvents,
    timeoutSeconds: wholeNumber(query, "timeoutSeconds"),
  };
}

function parsed<T>(parameter: string, query: URLSearchParams, parse: (text: string) => T[]): T[] {
  const text = query.get(parameter);
  if (!text) return [];
  try {
    return parse(text);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(query: URLSearchParams, parameter: string): number | undefined {
  const text = query.get(parameter);
  if (text === null || text === "") return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (parameter === "resourceVersion") {
    throw badRequest(`invalid resource version "${text}": it is not an unsigned integer`);
  }
  throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
}

/** @throws {ApiError} 422 as kube-apiserver. */
export function writeOptions(
  query: URLSearchParams,
  verb: "Create" | "Update" | "Patch" | "Apply",
  userAgent: string | undefined,
): WriteOptions {
  const causes: StatusCause[] = [];
  const manager = query.get("fieldManager") ?? "";
  const force = query.get("force");
  const validation = query.get("fieldValidation") || "Warn";
  if (verb === "Apply" && manager === "") {
    causes.push(requiredValue("fieldManager", "is required for apply patch"));
  }
  if (verb !== "Apply" && force !== null) {
    causes.push(forbiddenField("force", "may not be specified for non-apply patch"));
  }
  if (manager.length > FIELD_MANAGER_LENGTH_MAX) {
    causes.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${FIELD_MANAGER_LENGTH_MAX} bytes`,
      field: "fieldManager",
    });
  }
  if (!isPrintable(manager)) {
    causes.push(invalidValue("fieldManager", manager, "should only contain printable characters"));
  }
  if (validation !== "Strict" && validation !== "Warn" && validation !== "Ignore") {
    causes.push(notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  }
  causes.push(...dryRunCauses(query.getAll("dryRun")));
  const kind = verb === "Apply" ? "PatchOptions" : `${verb}Options`;
  if (causes.length > 0) throw invalid({ group: META_GROUP, kind }, "", causes);
  return {
    dryRun: query.getAll("dryRun").includes("All"),
    fieldManager: manager || managerFromUserAgent(userAgent),
    force: isTrue(force),
    fieldValidation: validation as WriteOptions["fieldValidation"],
  };
}

function isPrintable(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}]/u.test(text);
}

function dryRunCauses(values: readonly unknown[]): StatusCause[] {
  return values.filter((value) => value !== "All" && value !== "").map((value) =>
    notSupported("dryRun", value, ["All"])
  );
}

/** `kubectl/v1.37.2 (linux)` writes as `kubectl`. */
function managerFromUserAgent(userAgent: string | undefined): string {
  const prefix = truncate((userAgent ?? "").split("/")[0]!, FIELD_MANAGER_LENGTH_MAX);
  return prefix === "" || !isPrintable(prefix) ? "unknown" : prefix;
}

/**
 * From the body, else from the query.
 *
 * @throws {ApiError} 422 as kube-apiserver.
 */
export function deleteOptions(query: URLSearchParams, body: Record<string, unknown> | undefined): DeleteOptions {
  const given = body ?? Object.fromEntries(query);
  const dryRun = body ? (Array.isArray(body.dryRun) ? body.dryRun : []) : query.getAll("dryRun");
  const preconditions = isObject(given.preconditions) ? given.preconditions : {};
  const policy = given.propagationPolicy || undefined;
  const orphan = given.orphanDependents === undefined ? undefined : String(given.orphanDependents) === "true";
  const causes = dryRunCauses(dryRun);
  if (policy !== undefined && orphan !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    causes.push(invalidValue("propagationPolicy", policy, why));
  }
  if (policy !== undefined && policy !== "Foreground" && policy !== "Background" && policy !== "Orphan") {
    causes.push(notSupported("propagationPolicy", policy, ["Background", "Foreground", "Orphan", "nil"]));
  }
  if (causes.length > 0) throw invalid({ group: META_GROUP, kind: "DeleteOptions" }, "", causes);
  const byOrphan = orphan === undefined ? undefined : orphan ? "Orphan" : "Background";
  return {
    dryRun: dryRun.includes("All"),
    propagationPolicy: (policy ?? byOrphan) as DeleteOptions["propagationPolicy"],
    uid: typeof preconditions.uid === "string" ? preconditions.uid : undefined,
    resourceVersion: typeof preconditions.resourceVersion === "string" ? preconditions.resourceVersion : undefined,
  };
}
