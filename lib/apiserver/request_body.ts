import { isObject, narrowIntegers, parseJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { badRequest, bodyTooLarge, unsupportedMediaType } from "./api_error.ts";

export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]!.trim().toLowerCase();
}

/** YAML 1.1 types without a JSON form; Kubernetes' parser keeps their text. */
const FOREIGN_TAGS = ["timestamp", "binary", "set", "omap", "pairs"].map((name) => `tag:yaml.org,2002:${name}`);

type Tag = import("yaml").Tags[number];

function isKnownTag(tag: Tag): boolean {
  return typeof tag === "string" || !FOREIGN_TAGS.includes(tag.tag);
}

/**
 * Parses one JSON or YAML 1.1 value (`yes` is true), as Kubernetes does. Tries JSON first, and loads the YAML parser
 * when needed.
 *
 * @throws {ApiError} 400 where it cannot be read.
 */
export async function parseBody(given: string, mediaType: string): Promise<unknown> {
  const body = mediaType.endsWith("yaml") ? adaptToYaml(given) : given;
  if (mediaType.endsWith("json") || mediaType === "" || /^\s*[{[]/.test(body)) {
    checkDepth(body);
    try {
      return parseJson(body);
    } catch (error) {
      if (!mediaType.endsWith("yaml")) throw badRequest(`couldn't parse the body as JSON: ${(error as Error).message}`);
    }
  }
  const { parse } = await import("../base/yaml.ts");
  try {
    const customTags = (tags: import("yaml").Tags) => tags.filter(isKnownTag);
    // The alias bound limits expansion. Narrowing copies, so no value is shared.
    return narrowIntegers(parse(body, { version: "1.1", maxAliasCount: 100, customTags, intAsBigInt: true }));
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message.split("\n")[0]}`);
  }
}

/** As in Go's encoding/json. */
const DEPTH_MAX = 10_000;

/** Texts that are too short to be deep are not read. @throws {ApiError} 400 for a deeper text. */
function checkDepth(body: string): void {
  if (body.length <= DEPTH_MAX) return;
  let depth = 0;
  for (const [token] of body.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    if (depth > DEPTH_MAX) throw badRequest("couldn't parse the body as JSON: exceeded max depth");
  }
}

/** Kubernetes parses JSON as YAML, which reads these characters differently. */
function adaptToYaml(body: string): string {
  if (/[\x7f-\x84\x86-\x9f\ufffe\uffff]/.test(body)) {
    throw badRequest("error decoding YAML: yaml: control characters are not allowed");
  }
  return body.replaceAll("\x85", " ");
}

const OBJECT_MEDIA_TYPES = ["application/json", "application/yaml"];

/** @throws {ApiError} 400 where it is no object, 415 for an unknown media type. */
export async function parseObjectBody(body: string, contentType: string | undefined): Promise<DynamicObject> {
  const mediaType = mediaTypeOf(contentType);
  const isKnown = contentType === undefined || contentType === "" || OBJECT_MEDIA_TYPES.includes(mediaType);
  if (!isKnown) throw unsupportedMediaType([...OBJECT_MEDIA_TYPES, "application/vnd.kubernetes.protobuf"]);
  return asObject(await parseBody(body, mediaType));
}

/** @throws {ApiError} 400 where `value` is not an object. */
export function asObject(value: unknown): DynamicObject {
  if (!isObject(value)) throw badRequest("the body is not an object: it must have apiVersion, kind and metadata");
  value.metadata ??= {};
  return value as DynamicObject;
}

/**
 * Sockets are also checked while reading.
 *
 * @throws {ApiError} 413 above `limitBytes`.
 */
export function checkBodySize(body: string, limitBytes: number): void {
  // At most three UTF-8 bytes per UTF-16 unit: most bodies need no count.
  if (body.length * 3 <= limitBytes) return;
  if (new TextEncoder().encode(body).byteLength > limitBytes) throw bodyTooLarge(limitBytes);
}
