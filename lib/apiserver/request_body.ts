import { isObject, narrowIntegers, parseJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { badRequest, bodyTooLarge, unsupportedMediaType } from "./api_error.ts";

export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]!.trim().toLowerCase();
}

/** YAML 1.1 types without a JSON form; Kubernetes' parser keeps their texts. */
const FOREIGN_TAGS = ["timestamp", "binary", "set", "omap", "pairs"].map((name) => `tag:yaml.org,2002:${name}`);

type Tag = import("yaml").Tags[number];

function isKnownTag(tag: Tag): boolean {
  return typeof tag === "string" || !FOREIGN_TAGS.includes(tag.tag);
}

/**
 * Parses one JSON or YAML value. YAML is 1.1 (`yes` is true), as in Kubernetes. JSON is tried first, because almost
 * every client sends it; the YAML parser is loaded when needed.
 *
 * @throws {ApiError} 400 where it cannot be read.
 */
export async function parseBody(given: string, mediaType: string): Promise<unknown> {
  const body = mediaType.endsWith("yaml") ? asYamlReads(given) : given;
  if (mediaType.endsWith("json") || mediaType === "" || /^\s*[{[]/.test(body)) {
    try {
      return parseJson(body);
    } catch (error) {
      if (!mediaType.endsWith("yaml")) throw badRequest(`couldn't parse the body as JSON: ${(error as Error).message}`);
    }
  }
  const { parse } = await import("../base/yaml.ts");
  try {
    const customTags = (tags: import("yaml").Tags) => tags.filter(isKnownTag);
    // The alias bound keeps a small text from growing into gigabytes. Narrowing copies, so no value stands at two
    // places.
    return narrowIntegers(parse(body, { version: "1.1", maxAliasCount: 100, customTags, intAsBigInt: true }));
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message.split("\n")[0]}`);
  }
}

/** Reads characters that JSON allows as Kubernetes' YAML parser does: it parses JSON bodies as YAML. */
function asYamlReads(body: string): string {
  if (/[\x7f-\x84\x86-\x9f\ufffe\uffff]/.test(body)) {
    throw badRequest("error decoding YAML: yaml: control characters are not allowed");
  }
  return body.replaceAll("\x85", " ");
}

const OBJECT_MEDIA_TYPES = ["application/json", "application/yaml"];

/** @throws {ApiError} 400 where it is not an object, 415 for an unknown media type. */
export async function parseObjectBody(body: string, contentType: string | undefined): Promise<DynamicObject> {
  const mediaType = mediaTypeOf(contentType);
  if (mediaType !== "" && !OBJECT_MEDIA_TYPES.includes(mediaType)) throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
  return asObject(await parseBody(body, mediaType));
}

/** @throws {ApiError} 400 where `value` is not an object or its metadata is none. */
export function asObject(value: unknown): DynamicObject {
  if (!isObject(value)) throw badRequest("the body is not an object: it must have apiVersion, kind and metadata");
  const metadata = value.metadata;
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) {
    throw badRequest("metadata is not an object");
  }
  if (metadata === null || metadata === undefined) value.metadata = {};
  return value as DynamicObject;
}

/**
 * Checks a body's size; a socket is checked while reading, too.
 *
 * @throws {ApiError} 413 where it is longer than `limitBytes`.
 */
export function checkBodySize(body: string, limitBytes: number): void {
  // A UTF-16 unit is at most three bytes of UTF-8: most bodies need no exact count.
  if (body.length * 3 <= limitBytes) return;
  if (new TextEncoder().encode(body).byteLength > limitBytes) throw bodyTooLarge(limitBytes);
}
