import { formatJson, parseJson } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion } from "../apimachinery/mod.ts";
import { asVersion, membersAsVersion } from "./conversion.ts";
import type { ListPage } from "./list_objects.ts";
import { badRequest } from "./api_error.ts";
import type { Negotiated, Shape } from "./negotiation.ts";
import type { ResourceType } from "./resource_type.ts";
import { toTable } from "./schema/table.ts";
import type { StoredObject } from "./stored_object.ts";
import type { EventWriter } from "./watch_objects.ts";

type IncludeObject = "None" | "Metadata" | "Object";

/** Shape, media type, and what a Table includes. */
export interface ObjectFormat extends Negotiated {
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
}

/** `Metadata` where absent. @throws {ApiError} 400 for another value, where a Table is asked for. */
export function includeObjectOf(query: URLSearchParams, shape: Shape): IncludeObject {
  const value = query.get("includeObject") || "Metadata";
  if (value === "None" || value === "Object" || value === "Metadata") return value;
  if (shape === "table") throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
  return "Metadata";
}

function head(type: ResourceType): string {
  return `"kind":${formatJson(type.kind)},"apiVersion":${formatJson(formatApiVersion(type))}`;
}

function partial(object: DynamicObject, version: string): object {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

export function objectText(stored: StoredObject, type: ResourceType, format: ObjectFormat): string {
  switch (format.shape) {
    case "object":
      return `{${head(type)},${membersAsVersion(stored, type)}`;
    case "metadata":
      return formatJson(partial(asVersion(stored, type), format.shapeVersion));
    case "table":
      return formatJson(toTable([asVersion(stored, type)], type, {
        nowMs: format.nowMs,
        includeObject: format.includeObject,
        resourceVersion: stored.object.metadata?.resourceVersion,
        version: format.shapeVersion,
      }));
    default:
      return format.shape satisfies never;
  }
}

/** Items of built-in kinds omit kind and apiVersion, as typed lists do. */
export function listText(page: ListPage, type: ResourceType, format: ObjectFormat): string {
  const metadata = {
    resourceVersion: String(page.revision),
    continue: page.continueToken,
    remainingItemCount: page.remaining,
  };
  switch (format.shape) {
    case "object": {
      const start = type.builtin ? "{" : `{${head(type)},`;
      const items = page.items.map((stored) => start + membersAsVersion(stored, type)).join(",");
      const apiVersion = formatJson(formatApiVersion(type));
      return `{"kind":${formatJson(type.listKind)},"apiVersion":${apiVersion},"metadata":${
        formatJson(metadata)
      },"items":[${items}]}`;
    }
    case "metadata": {
      const items = page.items.map((stored) => partial(asVersion(stored, type), format.shapeVersion));
      const apiVersion = `meta.k8s.io/${format.shapeVersion}`;
      return formatJson({ kind: "PartialObjectMetadataList", apiVersion, metadata, items });
    }
    case "table":
      return formatJson(toTable(page.items.map((stored) => asVersion(stored, type)), type, {
        nowMs: format.nowMs,
        includeObject: format.includeObject,
        resourceVersion: metadata.resourceVersion,
        continue: metadata.continue,
        remainingItemCount: metadata.remainingItemCount,
        version: format.shapeVersion,
      }));
    default:
      return format.shape satisfies never;
  }
}

/** Only a watch's first Table has column definitions, as kubectl expects. */
export function eventWriter(type: ResourceType, format: ObjectFormat, nowMs: () => number): EventWriter {
  let first = true;
  return (event, stored) => {
    let text = objectText(stored, type, { ...format, nowMs: nowMs() });
    if (format.shape === "table" && !first) {
      text = formatJson({ ...parseJson(text) as object, columnDefinitions: null });
    }
    first = false;
    return `{"type":"${event}","object":${text}}\n`;
  };
}
