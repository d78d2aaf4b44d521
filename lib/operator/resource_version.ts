import type * as z from "zod";
import { isObject, jsonClone, ownValue, setKey } from "../base/mod.ts";
import type { ObjectParts, PartsSchema, SpokeVersion } from "../admission/mod.ts";
import type { Column, ColumnPath, Schema, SchemaInput, SchemaOutput } from "./resource_options.ts";

/** A conversion's input: frozen, with defaults. `status` has no `conditions` and no `observedGeneration`. */
export interface VersionParts<Spec, Status> {
  readonly spec: Spec;
  /** Absent before the first pass. */
  readonly status?: Partial<Status>;
}

/** Another version, and its conversion to and from the handlers'. */
export interface VersionOptions<
  HubSpec extends Schema,
  HubStatus extends Schema,
  Spec extends Schema,
  Status extends Schema,
> {
  /** As `v1beta1`. */
  readonly version: string;
  readonly spec: Spec;
  /** The handlers' version's by default. */
  readonly status?: Status;
  /**
   * Converts to the handlers' version. Must be pure, and must not fail for a valid object: one failure makes a whole
   * list unreadable. An omitted `status` stays, if this version has no schema for it. Other common fields (metadata,
   * conditions) are copied.
   */
  readonly toHub: (
    object: VersionParts<SchemaOutput<Spec>, SchemaOutput<Status>>,
  ) => VersionParts<SchemaInput<HubSpec>, SchemaInput<HubStatus>>;
  /** The reverse of `toHub`, with the same rules. */
  readonly fromHub: (
    object: VersionParts<SchemaOutput<HubSpec>, SchemaOutput<HubStatus>>,
  ) => VersionParts<SchemaInput<Spec>, SchemaInput<Status>>;
  /** Clients get a warning, with this text if given. True by default. */
  readonly deprecated?: boolean | string;
  /** An unserved version can still be stored. True by default. */
  readonly served?: boolean;
  /** Columns of `kubectl get`; Ready's status by default. */
  readonly columns?: readonly Column<ColumnPath<SchemaOutput<Spec>, SchemaOutput<Status>>>[];
  /** Annotates fields that one version lacks, up to 32 KiB of JSON: round trips lose nothing. True by default. */
  readonly keep?: boolean;
}

/** A version in a definition: only a name if its fields are the same. */
export type DeclaredVersion = string | VersionOptions<Schema, Schema, Schema, Schema>;

export function spokeOf(declared: DeclaredVersion, hubStatus: Schema | undefined): SpokeVersion {
  if (typeof declared === "string") return { version: declared };
  const { version, spec, status, toHub, fromHub, keep = true } = declared;
  return {
    version,
    converts: {
      schema: partsSchema(spec, status ?? hubStatus),
      toHub: toHub as (parts: ObjectParts) => ObjectParts,
      fromHub: fromHub as (parts: ObjectParts) => ObjectParts,
      preserves: keep,
      ownStatus: status !== undefined,
    },
  };
}

export function partsSchema(specSchema: Schema, statusSchema: Schema | undefined): PartsSchema {
  const partial = (statusSchema as { partial?: () => Schema } | undefined)?.partial?.() ?? statusSchema;
  return {
    read: ({ spec, status }) => {
      const parsed = parseExact(specSchema, spec ?? {});
      const parsedStatus = status === undefined || !partial ? undefined : parseExact(partial, status);
      const issues = [
        ...fieldIssues("spec", parsed.error?.issues),
        ...fieldIssues("status", parsedStatus?.error?.issues),
      ];
      const parts = {
        spec: parsed.success ? parsed.data : spec,
        ...(status !== undefined && { status: parsedStatus?.success ? parsedStatus.data : status }),
      };
      return { parts, ...(issues.length > 0 && { problem: issues.join("; ") }) };
    },
  };
}

/** An int64 is a bigint for `z.int64()` and similar, even if small; for `z.number()`, large ones are rounded. */
export function parseExact<Of extends z.ZodType>(schema: Of, value: unknown): z.ZodSafeParseResult<z.output<Of>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed;
  const root = { value: jsonClone(value) };
  return fitNumbers(root, ["value"], parsed.error.issues) ? schema.safeParse(root.value) : parsed;
}

/** Converts numbers of the wrong type in place; returns whether there were any. */
function fitNumbers(root: object, above: readonly PropertyKey[], issues: readonly z.core.$ZodIssue[]): boolean {
  let fitted = false;
  for (const issue of issues) {
    const path = [...above, ...issue.path];
    if (issue.code === "invalid_union") {
      for (const branch of issue.errors) fitted = fitNumbers(root, path, branch) || fitted;
    } else if (issue.code === "invalid_type") fitted = fitNumber(root, path, issue.expected) || fitted;
  }
  return fitted;
}

function fitNumber(root: object, path: readonly PropertyKey[], expected: string): boolean {
  let at: unknown = root;
  for (const key of path.slice(0, -1)) at = typeof at === "object" && at ? ownValue(at, String(key)) : undefined;
  if (!isObject(at) && !Array.isArray(at)) return false;
  const last = String(path.at(-1)), value = ownValue(at, last);
  const isSmall = expected === "bigint" && Number.isSafeInteger(value);
  if (!isSmall && !(expected === "number" && typeof value === "bigint")) return false;
  setKey(at as Record<string, unknown>, last, isSmall ? BigInt(value as number) : Number(value));
  return true;
}

/** At most five issues, each with its field. */
export function fieldIssues(root: string, issues: readonly z.core.$ZodIssue[] = []): string[] {
  return issues.slice(0, 5).map((issue) => {
    const path = issue.path.reduce<string>(
      (at, part) => typeof part === "number" ? `${at}[${part}]` : `${at}.${String(part)}`,
      root,
    );
    return `${path}: ${issue.message}`;
  });
}
