import { isObject, jsonClone, jsonEqual } from "../base/mod.ts";
import {
  type ApiResource,
  type Condition,
  diff,
  type DiffItem,
  isSecretResource,
  type KubeObject,
  LAST_APPLIED_ANNOTATION,
} from "../apimachinery/mod.ts";

/** One field that a write changes. Values of Secrets are masked; only their difference shows. */
export interface ObjectChange {
  readonly operation: "add" | "change" | "remove";
  /** Keys from the root of the object. */
  readonly path: readonly string[];
  /** Absent for `add`. */
  readonly old?: unknown;
  /** Absent for `remove`. */
  readonly next?: unknown;
}

type Fields = Record<string, unknown>;

/** Metadata that the server sets. */
const SERVER_SET = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];
const MASK = "********";

/** The changed fields of an object, leaf by leaf; `before` is undefined for a creation. */
export function objectChanges(
  resource: Pick<ApiResource, "group" | "plural">,
  before: KubeObject | undefined,
  after: KubeObject,
): ObjectChange[] {
  let old = withoutServerSet(before ?? {}), next = withoutServerSet(after);
  if (isSecretResource(resource)) {
    [old, next] = [jsonClone(old), jsonClone(next)];
    maskSecret(old, next);
  }
  const changes = diff(readable(old), readable(next));
  // A condition whose times alone differ is shown in full: a write must never appear to change nothing.
  return (changes.length > 0 ? changes : diff(old, next)).flatMap(leaves);
}

/** Conditions by type, as `True Reconciled: message`: shorter than a list. */
function readable(object: Fields): Fields {
  const { status } = object;
  if (!isObject(status) || !Array.isArray(status.conditions)) return object;
  const conditions = (status.conditions as Condition[]).map(({ type, status, reason, message }) =>
    [type, `${status} ${reason}${message ? `: ${message}` : ""}`] as const
  );
  return { ...object, status: { ...status, conditions: Object.fromEntries(conditions) } };
}

function withoutServerSet({ apiVersion: _, kind: __, metadata, ...rest }: KubeObject): Fields {
  const kept = Object.entries(metadata ?? {}).filter(([field]) => !SERVER_SET.includes(field));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** Edits both states of a Secret: equal values stay equal, others show only their side. */
function maskSecret(old: Fields, next: Fields): void {
  for (const field of ["data", "stringData"]) maskValues(old[field], next[field], () => true);
  const annotations = ({ metadata }: Fields) => (metadata as Fields).annotations;
  // kubectl's annotation repeats the manifest, data included.
  maskValues(annotations(old), annotations(next), (key) => key === LAST_APPLIED_ANNOTATION);
}

function maskValues(old: unknown, next: unknown, isSecret: (key: string) => boolean): void {
  const one = isObject(old) ? old : {}, other = isObject(next) ? next : {};
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)].filter(isSecret))) {
    const same = jsonEqual(one[key], other[key]);
    if (Object.hasOwn(one, key)) one[key] = same ? MASK : `${MASK} (before)`;
    if (Object.hasOwn(other, key)) other[key] = same ? MASK : `${MASK} (after)`;
  }
}

/** Lists an added or removed object field by field; a list is one value, as in a diff. */
function leaves({ operation, path, old, next }: DiffItem): ObjectChange[] {
  const value = operation === "add" ? next : old;
  if (operation === "change" || !isObject(value) || Object.keys(value).length === 0) {
    return [{ operation, path, old, next }];
  }
  return Object.keys(value).filter((key) => value[key] !== undefined).sort().flatMap((key) => {
    const side = operation === "add" ? { next: value[key] } : { old: value[key] };
    return leaves({ operation, path: [...path, key], ...side });
  });
}
