import { isObject, jsonClone, jsonEqual } from "../base/json.ts";
import { diff, type DiffItem } from "../apimachinery/diff.ts";
import type { Condition } from "../apimachinery/condition.ts";
import { type KubeObject, LAST_APPLIED_ANNOTATION } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import { isSecretResource } from "../apimachinery/secret.ts";

/** One field that a write would change; values of Secrets are masked, and told apart only as before and after. */
export interface PlannedChange {
  /** Whether the field appears, changes or goes. */
  readonly operation: "add" | "change" | "remove";
  /** Keys from the root of the object to the field. */
  readonly path: readonly string[];
  /** Its value now; absent where it appears. */
  readonly old?: unknown;
  /** Its value after the write; absent where it goes. */
  readonly next?: unknown;
}

type Fields = Record<string, unknown>;

/** What a server counts and books by itself with every write. */
const BOOKKEEPING = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];
const MASK = "********";

/** The fields in which an object differs after a write, leaf by leaf; `before` is undefined where the write makes it. */
export function plannedChanges(
  resource: Pick<ApiResource, "group" | "plural">,
  before: KubeObject | undefined,
  after: KubeObject,
): PlannedChange[] {
  const old = withoutBookkeeping(before ?? {}), next = withoutBookkeeping(after);
  if (isSecretResource(resource)) maskSecret(old, next);
  const changes = diff(told(old), told(next));
  // A condition whose times alone differ is told as it is: no write may look as if it changed nothing.
  return (changes.length > 0 ? changes : diff(old, next)).flatMap(leaves);
}

/** The object with its conditions by type, as `True Reconciled: message`: a list of them is more than anybody wants to read. */
function told(object: Fields): Fields {
  const { status } = object;
  if (!isObject(status) || !Array.isArray(status.conditions)) return object;
  const conditions = (status.conditions as Condition[]).map(({ type, status, reason, message }) =>
    [type, `${status} ${reason}${message ? `: ${message}` : ""}`] as const
  );
  return { ...object, status: { ...status, conditions: Object.fromEntries(conditions) } };
}

/** A copy that may be edited. */
function withoutBookkeeping({ apiVersion: _, kind: __, metadata, ...rest }: KubeObject): Fields {
  const kept = Object.entries(metadata ?? {}).filter(([field]) => !BOOKKEEPING.includes(field));
  return jsonClone({ ...rest, metadata: Object.fromEntries(kept) });
}

/** Edits both states of a Secret: equal values stay equal, and others tell nothing but their side. */
function maskSecret(old: Fields, next: Fields): void {
  for (const field of ["data", "stringData"]) maskValues(old[field], next[field], () => true);
  const annotations = ({ metadata }: Fields) => (metadata as Fields).annotations;
  // What kubectl applied stands there once more, data and all.
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

/** An object that appears or goes is told field by field; lists are one value, as in a diff. */
function leaves({ operation, path, old, next }: DiffItem): PlannedChange[] {
  const value = operation === "add" ? next : old;
  if (operation === "change" || !isObject(value) || Object.keys(value).length === 0) {
    return [{ operation, path, old, next }];
  }
  return Object.keys(value).sort().flatMap((key) => {
    const side = operation === "add" ? { next: value[key] } : { old: value[key] };
    return leaves({ operation, path: [...path, key], ...side });
  });
}
