import { Buffer } from "node:buffer";
import { formatJson, isObject, type JsonValue, parseJson } from "../base/mod.ts";
import type { DynamicObject, JsonPatchOperation } from "../apimachinery/mod.ts";
import type { AdmissionOperation, AdmissionUser } from "./context.ts";

export interface AdmissionRequest {
  /** Repeated in the response. */
  readonly uid: string;
  readonly operation: AdmissionOperation;
  readonly name: string;
  readonly namespace: string;
  readonly subresource: string | undefined;
  /** Absent for a deletion. */
  readonly object: DynamicObject | undefined;
  /** Absent for a creation. */
  readonly oldObject: DynamicObject | undefined;
  readonly dryRun: boolean;
  readonly user: AdmissionUser;
}

export interface AdmissionVerdict {
  readonly allowed: boolean;
  /** Of a denial. */
  readonly status?: { readonly code: number; readonly message: string };
  readonly warnings?: readonly string[];
  readonly patch?: readonly JsonPatchOperation[];
}

/** A body that is not a supported review. */
export class MalformedReviewError extends Error {
  override readonly name = "MalformedReviewError";
}

const REVIEW = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" } as const;
const OPERATIONS: readonly string[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"] satisfies AdmissionOperation[];

/**
 * `admission.k8s.io/v1`; unknown fields are ignored.
 *
 * @throws {MalformedReviewError} naming the field. It quotes no value: the body may hold any data.
 */
export function parseReview(text: string): AdmissionRequest {
  const request = requestOf(text, REVIEW), { uid, operation } = request;
  if (typeof operation !== "string" || !OPERATIONS.includes(operation)) {
    throw new MalformedReviewError(`request.operation must be one of ${OPERATIONS.join(", ")}`);
  }
  const object = objectAt(request, "object"), oldObject = objectAt(request, "oldObject");
  if (operation === "DELETE" ? !oldObject : !object) {
    throw new MalformedReviewError(`request.${operation === "DELETE" ? "oldObject" : "object"} is missing`);
  }
  return {
    uid,
    operation: operation as AdmissionOperation,
    name: textAt(request, "name"),
    namespace: textAt(request, "namespace"),
    subresource: textAt(request, "subResource") || undefined,
    object,
    oldObject,
    dryRun: request.dryRun === true,
    user: userAt(request),
  };
}

/**
 * The `request` of a review of a kind, with its uid.
 *
 * @throws {MalformedReviewError} where the text is not such a review.
 */
export function requestOf(
  text: string,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): Record<string, unknown> & { readonly uid: string } {
  let review: JsonValue;
  try {
    review = parseJson(text);
  } catch {
    throw new MalformedReviewError("the body is not JSON");
  }
  if (!isObject(review) || review.apiVersion !== apiVersion || review.kind !== kind) {
    throw new MalformedReviewError(`the body is not of kind ${kind}, apiVersion ${apiVersion}`);
  }
  const { request } = review;
  if (!isObject(request)) throw new MalformedReviewError("request is missing");
  const { uid } = request;
  if (typeof uid !== "string" || uid === "") throw new MalformedReviewError("request.uid is missing");
  return { ...request, uid };
}

function objectAt(request: Record<string, unknown>, field: string): DynamicObject | undefined {
  const value = request[field] ?? undefined;
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new MalformedReviewError(`request.${field} is not an object`);
  return value as DynamicObject;
}

function textAt(request: Record<string, unknown>, field: string): string {
  const value = request[field] ?? "";
  if (typeof value !== "string") throw new MalformedReviewError(`request.${field} is not a string`);
  return value;
}

function userAt({ userInfo }: Record<string, unknown>): AdmissionUser {
  if (!isObject(userInfo)) throw new MalformedReviewError("request.userInfo is missing");
  const { username = "", uid, groups = [], extra = {} } = userInfo;
  const texts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((item) => typeof item === "string");
  if (typeof username !== "string" || !texts(groups) || !isObject(extra) || !Object.values(extra).every(texts)) {
    throw new MalformedReviewError("request.userInfo is malformed");
  }
  return {
    username,
    ...(typeof uid === "string" && uid !== "" && { uid }),
    groups,
    extra: extra as Record<string, string[]>,
  };
}

export function reviewResponse(uid: string, { allowed, status, warnings = [], patch = [] }: AdmissionVerdict): string {
  const response = {
    uid,
    allowed,
    ...(status && { status }),
    ...(warnings.length > 0 && { warnings }),
    ...(patch.length > 0 && {
      patchType: "JSONPatch",
      patch: Buffer.from(formatJson(patch)).toString("base64"),
    }),
  };
  return formatJson({ ...REVIEW, response });
}
