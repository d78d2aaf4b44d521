import { notAcceptable } from "./api_error.ts";

export type Shape =
  | "object"
  /** `PartialObjectMetadata`. */
  | "metadata"
  /** As `kubectl get` prints. */
  | "table";

export interface Negotiated {
  readonly shape: Shape;
  readonly mediaType: "application/json" | "application/yaml";
  readonly shapeVersion: string;
}

const WRITTEN_MEDIA_TYPES: readonly string[] = ["application/json", "application/yaml"];

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Media ranges of an Accept header (RFC 9110 §12.5.1), best first. */
function mediaRanges(accept: string): MediaRange[] {
  const ranges = accept.split(",").map((part) => {
    const [type = "", ...rest] = part.split(";").map((item) => item.trim());
    const parameters = new Map(rest.map((item) => {
      const equals = item.indexOf("=");
      return equals < 0 ? [item, ""] as const : [item.slice(0, equals), item.slice(equals + 1)] as const;
    }));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get("q") ?? 1) };
  }).filter((range) => range.type !== "" && range.quality > 0);
  return ranges.sort((a, b) => b.quality - a.quality);
}

function shapeOf(range: MediaRange): Shape | undefined {
  const as = range.parameters.get("as");
  if (as === undefined) return "object";
  if (range.parameters.get("g") !== "meta.k8s.io") return undefined;
  if (as === "Table") return "table";
  return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? "metadata" : undefined;
}

/**
 * The first media range that this server can write. Skips protobuf and CBOR, so that a client that also takes JSON gets
 * JSON.
 *
 * @throws {ApiError} 406 where none fits.
 */
export function negotiate(accept: string | undefined): Negotiated {
  if (!accept) return { shape: "object", mediaType: "application/json", shapeVersion: "v1" };
  for (const range of mediaRanges(accept)) {
    const mediaType = range.type === "application/yaml"
      ? "application/yaml"
      : range.type === "application/json" || range.type === "*/*" || range.type === "application/*"
      ? "application/json"
      : undefined;
    const shape = shapeOf(range);
    if (mediaType && shape) return { shape, mediaType, shapeVersion: range.parameters.get("v") ?? "v1" };
  }
  throw notAcceptable(WRITTEN_MEDIA_TYPES);
}

/** `v2` and `v2beta1` are aggregated (KEP-3352). */
export function negotiateDiscovery(accept: string | undefined): "v2" | "v2beta1" | "plain" {
  for (const range of mediaRanges(accept ?? "")) {
    if (range.type !== "application/json") continue;
    const version = range.parameters.get("v");
    const aggregated = range.parameters.get("as") === "APIGroupDiscoveryList" &&
      range.parameters.get("g") === "apidiscovery.k8s.io";
    if (aggregated && (version === "v2" || version === "v2beta1")) return version;
    if (!aggregated && !range.parameters.has("as")) return "plain";
  }
  return "plain";
}
