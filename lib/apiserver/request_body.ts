import { isObject, narrowIntegers, parseJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { badRequest, bodyTooLarge, unsupportedMediaType } from "./api_error.ts";

/** How a body is written, by its Content-Type without parameters. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]!.trim().toLowerCase();
}

/** YAML 1.1 types that have no JSON form; Kubernetes' parser keeps their texts. */
const FOREIGN_TAGS = ["timestamp", "binary", "set", "omap", "pairs"].map((name) => `tag:yaml.org,2002:${name}`);

type Tag = import("yaml").Tags[number];

function isKnownTag(tag: Tag): boolean {
  return typeof tag === "string" || !FOREIGN_TAGS.includes(tag.tag);
}

/**
 * Parses a body that holds one JSON or YAML value. YAML is 1.1 (`yes` is true), as Kubernetes reads it; JSON is tried
 * first because almost every client sends it, and the parser for the rest is loaded when it is needed.
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
    // The alias bound keeps a small text from growing into gigabytes; narrowing copies, so that no value stands at two
    // places.
    return narrowIntegers(parse(body, { version: "1.1", maxAliasCount: 100, customTags, intAsBigInt: true }));
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message.split("\n")[0]}`);
  }
}

/**
 * What Kubernetes' YAML parser makes of characters that JSON allows in texts as they are: a body of JSON is YAML to it.
 */
function asYamlReads(body: string): string {
  if (/[\x7f-\x84\x86-\x9f\ufffe\uffff]/.test(body)) {
    throw badRequest("error decoding YAML: yaml: control characters are not allowed");
  }
  return body.replaceAll("\x85", " ");
}

/** Media types of objects in create and update bodies. */
const OBJECT_MEDIA_TYPES = ["application/json", "application/yaml"];

/**
 * The object in a create or update body.
 *
 * @throws {ApiError} 400 where it is no object, 415 for a media type that is not read.
 */
export async function parseObjectBody(body: string, contentType: string | undefined): Promise<DynamicObject> {
  const mediaType = mediaTypeOf(contentType);
  if (mediaType !== "" && !OBJECT_MEDIA_TYPES.includes(mediaType)) throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
  return asObject(await parseBody(body, mediaType));
}

/** @throws {ApiError} 400 where `value` is no object or its metadata is none. */
export function asObject(value: unknown): DynamicObject {
  if (!isObject(value)) throw badRequest("the body is no object: it must have apiVersion, kind and metadata");
  const metadata = value.metadata;
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) {
    throw badRequest("metadata is no object");
  }
  if (metadata === null || metadata === undefined) value.metadata = {};
  return value as DynamicObject;
}

/**
 * Checks a body against the bound; reading from a socket checks while reading, too.
 *
 * @throws {ApiError} 413 where it is longer than `limitBytes`.
 */
export function checkBodySize(body: string, limitBytes: number): void {
  // A UTF-16 unit is at most three bytes of UTF-8: most bodies need no exact count.
  if (body.length * 3 <= limitBytes) return;
  if (new TextEncoder().encode(body).byteLength > limitBytes) throw bodyTooLarge(limitBytes);
}
