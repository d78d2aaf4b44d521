import { formatJson } from "../../base/mod.ts";
import type { DynamicObject } from "../../apimachinery/mod.ts";
import type { PrinterColumn, ResourceType } from "../resource_type.ts";
import { type BuiltinColumn, builtinColumns } from "./builtin_columns.ts";
import { definition, OBJECT_META } from "./definitions.ts";
import { parseJsonPath, valuesAt } from "./json_path.ts";

const NAME: PrinterColumn = { name: "Name", type: "string", format: "name", jsonPath: ".metadata.name" };

interface TableOptions {
  nowMs: number;
  includeObject: "None" | "Metadata" | "Object";
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

/**
 * A `meta.k8s.io/v1` Table with kubectl's cells: `5m12s`, `<none>`, `<unknown>`. A custom resource's missing value is
 * an empty cell.
 */
export function toTable(
  items: readonly DynamicObject[],
  type: ResourceType,
  options: TableOptions,
): Record<string, unknown> {
  const columns = columnsOf(type);
  const { resourceVersion, continue: token, remainingItemCount } = options;
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(token ? { continue: token } : {}),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    },
    columnDefinitions: columns.map((column) => ({
      name: column.name,
      type: type.builtin && column.type === "date" && !column.cell ? "string" : column.type,
      format: column.format ?? "",
      description: column.description ?? describe(column),
      priority: column.priority ?? 0,
    })),
    rows: items.map((item) => ({
      cells: columns.map((column) => cell(item, column, options.nowMs, type.builtin)),
      ...rowObject(item, options.includeObject),
    })),
  };
}

function columnsOf(type: ResourceType): readonly BuiltinColumn[] {
  if (type.builtin) return builtinColumns(type.group, type.kind);
  return [NAME, ...type.columns];
}

function describe(column: PrinterColumn): string {
  const meta = definition(OBJECT_META)?.properties;
  const field = /^\.metadata\.(\w+)$/.exec(column.jsonPath)?.[1];
  return (field && meta?.[field]?.description) ?? "";
}

function rowObject(item: DynamicObject, include: TableOptions["includeObject"]): Record<string, unknown> {
  switch (include) {
    case "None":
      return {};
    case "Metadata":
      return { object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: item.metadata } };
    case "Object":
      return { object: item };
    default:
      return include satisfies never;
  }
}

function cell(item: DynamicObject, column: BuiltinColumn, nowMs: number, builtin: boolean): unknown {
  if (column.cell) return column.cell(item);
  const [value, ...more] = valuesAt(item, parseJsonPath(column.jsonPath));
  if (column.type === "date") return age(value, nowMs);
  if (value === undefined || value === null) return builtin ? "<none>" : null;
  if (more.length > 0) return [value, ...more].map(text).join(",");
  switch (column.type) {
    case "integer":
      return typeof value === "bigint"
        ? value
        : typeof value === "number"
        ? Math.trunc(value)
        : Number.parseInt(String(value), 10) || null;
    case "number":
    case "boolean":
      return value;
    default:
      return text(value);
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : formatJson(value);
}

function age(value: unknown, nowMs: number): string {
  if (value === undefined || value === null || value === "") return "<unknown>";
  const at = Date.parse(String(value));
  return Number.isNaN(at) ? "<invalid>" : humanDuration(nowMs - at);
}

/** As k8s.io/apimachinery duration.HumanDuration. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${twoUnits(seconds % 60, "s")}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${twoUnits(minutes % 60, "m")}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return `${days}d${twoUnits(hours % 24, "h")}`;
  if (days < 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? `${years}y${twoUnits(days % 365, "d")}` : `${years}y`;
}

function twoUnits(rest: number, unit: string): string {
  return rest === 0 ? "" : `${rest}${unit}`;
}
