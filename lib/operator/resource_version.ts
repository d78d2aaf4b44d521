import type * as z from "zod";
import { isObject, jsonClone, ownValue, setKey } from "../base/mod.ts";
import type { ObjectParts, PartsSchema, SpokeVersion } from "../admission/mod.ts";
import type { Column, ColumnPath, Schema, SchemaInput, SchemaOutput } from "./resource_options.ts";

/**
 * What a converting function gets: defaults are filled in, and nothing of it can be changed. `status` has no
 * `conditions` and no `observedGeneration`.
 */
export interface VersionParts<Spec, Status> {
  /** What is desired. */
  readonly spec: Spec;
  /** What an operator last wrote; absent before its first pass. */
  readonly status?: Partial<Status>;
}

/** Another version of a kind, and how it becomes the version of the handlers and comes of it. */
export interface VersionOptions<
  HubSpec extends Schema,
  HubStatus extends Schema,
  Spec extends Schema,
  Status extends Schema,
> {
  /** As `v1beta1`. */
  readonly version: string;
  /** Schema of its `spec`. */
  readonly spec: Spec;
  /** Schema of its `status`; that of the handlers' version where absent. */
  readonly status?: Status;
  /**
   * The object in the handlers' version. It must be pure, and must not fail for an object that the schema takes: one
   * that fails keeps a whole list from being read. A `status` that it leaves out stays as it is, where this version has
   * no schema for it. Other common fields (metadata, conditions) are copied.
   */
  readonly toHub: (
    object: VersionParts<SchemaOutput<Spec>, SchemaOutput<Status>>,
  ) => VersionParts<SchemaInput<HubSpec>, SchemaInput<HubStatus>>;
  /** The reverse of `toHub`, with the same rules. */
  readonly fromHub: (
    object: VersionParts<SchemaOutput<HubSpec>, SchemaOutput<HubStatus>>,
  ) => VersionParts<SchemaInput<Spec>, SchemaInput<Status>>;
  /** Clients that use it get a warning, with this text where given. True where absent. */
  readonly deprecated?: boolean | string;
  /** Whether API servers answer in it. One that is not served can still be what is stored. True where absent. */
  readonly served?: boolean;
  /** Columns of `kubectl get` in it; Ready's status where absent. */
  readonly columns?: readonly Column<ColumnPath<SchemaOutput<Spec>, SchemaOutput<Status>>>[];
  /**
   * Whether fields that one version lacks are kept in an annotation, so that a round trip loses nothing: up to 32 KiB
   * of JSON. True where absent.
   */
  readonly keep?: boolean;
}

/** Another version as it is stored in a definition: a name for one of the same fields. */
export type DeclaredVersion = string | VersionOptions<Schema, Schema, Schema, Schema>;

/** A version as conversion takes it. */
export function spokeOf(declared: DeclaredVersion, hubStatus: Schema | undefined): SpokeVersion {
  if (typeof declared === "string") return { version: declared };
  const { version, spec, status, toHub, fromHub, keep = true } = declared;
  return {
    version,
    converts: {
      schema: partsSchema(spec, status ?? hubStatus),
      toHub: toHub as (parts: ObjectParts) => ObjectParts,
      fromHub: fromHub as (parts: ObjectParts) => ObjectParts,
      keeps: keep,
      ownStatus: status !== undefined,
    },
  };
}

/** How conversion reads a version by its schemas. */
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

/**
 * What a schema makes of a value that a server sent. An int64 is a bigint to `z.int64()` and its like, also where it is
 * small; to `z.number()` a large one is the nearest float.
 */
export function parseExact<Of extends z.ZodType>(schema: Of, value: unknown): z.ZodSafeParseResult<z.output<Of>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed;
  const root = { value: jsonClone(value) };
  return fitNumbers(root, ["value"], parsed.error.issues) ? schema.safeParse(root.value) : parsed;
}

/** Converts numbers where a schema complained of their type, in place; whether there were any. */
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

/** At most five of a schema's complaints, each with the field that it is about. */
export function fieldIssues(root: string, issues: readonly z.core.$ZodIssue[] = []): string[] {
  return issues.slice(0, 5).map((issue) => {
    const path = issue.path.reduce<string>(
      (at, part) => typeof part === "number" ? `${at}[${part}]` : `${at}.${String(part)}`,
      root,
    );
    return `${path}: ${issue.message}`;
  });
}
