import { ApiError } from "./api_error.ts";

export type Shape =
  | "object"
  /** `PartialObjectMetadata`. */
  | "metadata"
  /** As `kubectl get` prints. */
  | "table";

/** One object, a list, or the events of a watch. */
export type Answered = "one" | "list" | "watch";

export interface Negotiated {
  readonly shape: Shape;
  readonly mediaType: "application/json" | "application/yaml";
  readonly shapeVersion: string;
}

/** What kube-apiserver writes. This server leaves protobuf out: a client that also takes JSON gets JSON. */
const OBJECT_TYPES: readonly string[] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const STREAM_TYPES: readonly string[] = [
  "application/json;stream=watch",
  "application/vnd.kubernetes.protobuf;stream=watch",
];
const SHAPE_VERSIONS: readonly (string | undefined)[] = ["v1", "v1beta1"];

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Media ranges of an Accept header (RFC 9110 §12.5.1), best first. A quality that cannot be read counts as 1. */
function mediaRanges(accept: string): MediaRange[] {
  const ranges = accept.split(",").map((part) => {
    const [type = "", ...rest] = part.split(";").map((item) => item.trim());
    const parameters = new Map(rest.map((item) => {
      const equals = item.indexOf("=");
      return equals < 0 ? [item, ""] as const : [item.slice(0, equals), item.slice(equals + 1)] as const;
    }));
    const quality = Number(parameters.get("q") ?? 1);
    return { type, parameters, quality: Number.isNaN(quality) ? 1 : quality };
  }).filter((range) => range.type !== "");
  return ranges.sort((a, b) => b.quality - a.quality);
}

/**
 * Checks the header as the router of kube-apiserver does, before any handler: types are compared as they are written.
 *
 * @throws {ApiError} 406 where no type of `produces` is accepted.
 */
export function checkAccept(accept: string | undefined, produces: readonly string[] = OBJECT_TYPES): void {
  if (!accept) return;
  const fits = accept.split(",").map((part) => part.split(";")[0]!.trim())
    .some((type) => type === "*/*" || produces.includes(type));
  if (fits) return;
  const message = `406: Not Acceptable\n\nAvailable representations: ${produces.join(", ")}`;
  throw new ApiError(406, "NotAcceptable", message, {});
}

/** {@linkcode checkAccept} for objects; a collection can also be watched. */
export function checkObjectAccept(accept: string | undefined, isCollection: boolean): void {
  if (accept) checkAccept(accept, isCollection ? [...OBJECT_TYPES, ...STREAM_TYPES] : OBJECT_TYPES);
}

function notAcceptable(accepted: readonly string[]): ApiError {
  return new ApiError(406, "NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`);
}

type ShapeName = "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";

function shapeOf({ parameters }: MediaRange): "object" | ShapeName | undefined {
  const as = parameters.get("as");
  if (as === undefined) return "object";
  if (parameters.get("g") !== "meta.k8s.io" || !SHAPE_VERSIONS.includes(parameters.get("v"))) return undefined;
  return as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? as : undefined;
}

function mediaTypeOf({ type }: MediaRange, answered: Answered): Negotiated["mediaType"] | undefined {
  if (type === "application/yaml") return answered === "watch" ? undefined : type;
  return ["application/json", "*/*", "application/*"].includes(type) ? "application/json" : undefined;
}

/**
 * The first media range that this server can write.
 *
 * @throws {ApiError} 406 where none fits.
 */
export function negotiate(accept: string | undefined, answered: Answered): Negotiated {
  if (!accept) return { shape: "object", mediaType: "application/json", shapeVersion: "v1" };
  for (const range of mediaRanges(accept)) {
    const mediaType = mediaTypeOf(range, answered), name = shapeOf(range);
    if (!mediaType || !name) continue;
    const shape = name === "object" ? "object" : name === "Table" ? "table" : "metadata";
    if (shape === "metadata") checkMetadataShape(name, answered);
    return { shape, mediaType, shapeVersion: range.parameters.get("v") ?? "v1" };
  }
  throw notAcceptable(answered === "watch" ? STREAM_TYPES : OBJECT_TYPES);
}

function checkMetadataShape(name: string, answered: Answered): void {
  if (answered === "list" && name === "PartialObjectMetadata") {
    throw new ApiError(406, "NotAcceptable", `you requested ${name}, but the requested object is a list`);
  }
  if (answered === "one" && name === "PartialObjectMetadataList") {
    throw new ApiError(406, "NotAcceptable", `you requested ${name}, but the requested object is not a list`);
  }
}

/** The media type of a document that is no object of an API: discovery of groups and resources. */
export type DocumentType = "application/json" | "application/yaml";

/** @throws {ApiError} 406 where no media range is a plain document. */
export function negotiateDocument(accept: string | undefined): DocumentType {
  const found = documentRange(accept, false);
  if (found === "aggregated") throw notAcceptable(OBJECT_TYPES);
  return found;
}

/**
 * As {@linkcode negotiateDocument}, or `aggregated` for `apidiscovery.k8s.io/v2` (KEP-3352), which wins over a plain
 * document of the same quality.
 *
 * @throws {ApiError} 406 where none fits.
 */
export function negotiateDiscovery(accept: string | undefined): DocumentType | "aggregated" {
  return documentRange(accept, true);
}

function documentRange(accept: string | undefined, canAggregate: boolean): DocumentType | "aggregated" {
  if (!accept) return "application/json";
  const ranges = mediaRanges(accept);
  if (canAggregate && ranges.some(isAggregated)) return "aggregated";
  for (const range of ranges) {
    const mediaType = mediaTypeOf(range, "one");
    if (mediaType && !range.parameters.has("as")) return mediaType;
  }
  throw notAcceptable(OBJECT_TYPES);
}

function isAggregated({ type, parameters }: MediaRange): boolean {
  return type === "application/json" && parameters.get("as") === "APIGroupDiscoveryList" &&
    parameters.get("g") === "apidiscovery.k8s.io" && parameters.get("v") === "v2";
}

/** Whether the client takes JSON, for documents that have no other form here. */
export function takesJson(accept: string | undefined): boolean {
  return !accept || mediaRanges(accept).some(({ type }) => ["application/json", "application/*", "*/*"].includes(type));
}
