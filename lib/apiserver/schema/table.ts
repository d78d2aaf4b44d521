import { formatJson, isObject } from "../../base/mod.ts";
import type { DynamicObject } from "../../apimachinery/mod.ts";
import type { PrinterColumn, ResourceType } from "../resource_type.ts";
import { type BuiltinColumn, builtinColumns } from "./builtin_columns.ts";
import { ageOf } from "./duration_text.ts";
import { definition, OBJECT_META } from "./definitions.ts";
import { parseJsonPath, valuesAt } from "./json_path.ts";

const NAME: PrinterColumn = { name: "Name", type: "string", format: "name", jsonPath: ".metadata.name" };

interface TableOptions {
  nowMs: number;
  includeObject: "None" | "Metadata" | "Object";
  /** Of `meta.k8s.io`; v1 where absent. */
  version?: string;
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
    apiVersion: `meta.k8s.io/${options.version ?? "v1"}`,
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(token ? { continue: token } : {}),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    },
    columnDefinitions: columns.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.format ?? "",
      description: column.description ?? describe(column),
      priority: column.priority ?? 0,
    })),
    rows: items.map((item) => ({
      cells: columns.map((column) => cell(item, column, options.nowMs)),
      ...rowConditions(item, type),
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

/** kubectl leaves out finished Pods of a list by this condition. */
function rowConditions(item: DynamicObject, { builtin, kind }: ResourceType): Record<string, unknown> {
  const phase = builtin && kind === "Pod" && isObject(item.status) ? item.status.phase : undefined;
  if (phase !== "Succeeded" && phase !== "Failed") return {};
  const message = phase === "Failed" ? "The pod failed." : "The pod has completed successfully.";
  return { conditions: [{ type: "Completed", status: "True", reason: phase, message }] };
}

function rowObject(item: DynamicObject, include: TableOptions["includeObject"]): Record<string, unknown> {
  switch (include) {
    case "None":
      return { object: null };
    case "Metadata":
      return { object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: item.metadata } };
    case "Object":
      return { object: item };
    default:
      return include satisfies never;
  }
}

/** Of a path with several values the first is shown. A value of another type is no cell. */
function cell(item: DynamicObject, column: BuiltinColumn, nowMs: number): unknown {
  if (column.cell) return column.cell(item, nowMs);
  const [value] = valuesAt(item, parseJsonPath(column.jsonPath));
  if (value === undefined) return column === NAME || column.format === "name" ? "" : null;
  const isNumber = typeof value === "number" || typeof value === "bigint";
  switch (column.type) {
    case "integer":
      return isNumber ? Math.trunc(Number(value)) : null;
    case "number":
      return isNumber ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageOf(value, nowMs) : null;
    default:
      return value === null ? "<no value>" : typeof value === "string" ? value : formatJson(value);
  }
}
