import { isObject, truncate } from "../base/mod.ts";
import {
  type FieldRequirement,
  type LabelRequirement,
  parseFieldSelector,
  parseLabelSelector,
  type StatusCause,
} from "../apimachinery/mod.ts";
import {
  ApiError,
  badRequest,
  forbiddenField,
  invalid,
  invalidValue,
  notSupported,
  requiredValue,
} from "./api_error.ts";
import { isTrue } from "./request_info.ts";
import { labelValueFaults, qualifiedNameFaults } from "./validation/names.ts";

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
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

const FAULTS = { key: qualifiedNameFaults, value: labelValueFaults };
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
  if (!watch && match !== undefined && match !== "Exact" && match !== "NotOlderThan") {
    causes.push(notSupported(field, match, ["Exact", "NotOlderThan", ""]));
  }
  if (!watch && match === "Exact" && version === "0") {
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
  if (watch && match !== undefined && match !== "NotOlderThan") {
    causes.push(notSupported(field, match, ["NotOlderThan"]));
  }
  if (watch && continueToken !== undefined && match === undefined) {
    causes.push(forbiddenField(field, "resourceVersionMatch is forbidden when continue is provided"));
  }
  if (!watch && sendInitialEvents !== undefined) {
    causes.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  if (causes.length > 0) throw invalid({ group: META_GROUP, kind: "ListOptions" }, "", causes);
  return {
    labels: parsed("labelSelector", query, (text) => parseLabelSelector(text, FAULTS)),
    fields: parsed("fieldSelector", query, parseFieldSelector),
    // A limit below one is no limit.
    limit: Math.max(0, wholeNumber(query, "limit") ?? 0),
    continueToken,
    resourceVersion: resourceVersionOf(version, watch),
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

const INT64_MAX = 2n ** 63n - 1n;

function wholeNumber(query: URLSearchParams, parameter: string): number | undefined {
  const text = query.get(parameter);
  if (text === null || text === "") return undefined;
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  if (BigInt(text) > INT64_MAX) throw badRequest(`strconv.ParseInt: parsing "${text}": value out of range`);
  return Number(text);
}

/** @throws {ApiError} 400 where it is no number; 500 for a watch or one object, as kube-apiserver. */
export function resourceVersionOf(text: string | undefined, isPlain: boolean): number | undefined {
  if (!text) return undefined;
  if (/^\d{1,20}$/.test(text)) return Number(text);
  const why = `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ` +
    `${JSON.stringify(text)}: invalid syntax`;
  if (isPlain) throw new ApiError(500, "", why);
  throw badRequest(`invalid resource version: ${why}`);
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
  if (verb === "Patch" && force !== null) {
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
    const position = [...manager].findIndex((character) => !isPrintable(character));
    const code = [...manager][position]!.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    causes.push(invalidValue("fieldManager", manager, `invalid character U+${code} (at position ${position})`));
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
  return values.every((value) => value === "All") ? [] : [notSupported("dryRun", values, ["All"])];
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
  const policy = given.propagationPolicy ?? undefined;
  const orphan = given.orphanDependents === undefined ? undefined : isTrue(String(given.orphanDependents));
  const causes = dryRunCauses(dryRun);
  if (policy !== undefined && orphan !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    causes.push(invalidValue("propagationPolicy", policy, why));
  }
  if (policy !== undefined && policy !== "Foreground" && policy !== "Background" && policy !== "Orphan") {
    causes.push(notSupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]));
  }
  if (causes.length > 0) throw invalid({ group: META_GROUP, kind: "DeleteOptions" }, "", causes);
  const byOrphan = orphan === undefined ? undefined : orphan ? "Orphan" : "Background";
  return {
    dryRun: dryRun.includes("All"),
    propagationPolicy: (policy ?? byOrphan) as DeleteOptions["propagationPolicy"],
    gracePeriodSeconds: body ? graceOf(body.gracePeriodSeconds) : wholeNumber(query, "gracePeriodSeconds"),
    uid: typeof preconditions.uid === "string" ? preconditions.uid : undefined,
    resourceVersion: typeof preconditions.resourceVersion === "string" ? preconditions.resourceVersion : undefined,
  };
}

function graceOf(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}
