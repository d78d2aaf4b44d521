import { jsonEqual } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import { digestOf } from "../handling/mod.ts";
import { ownFields, sameInput } from "./managed_fields.ts";

/** Children of one object that are remembered; the oldest is forgotten beyond. */
const REMEMBERED_MAX = 1_000;

/**
 * Applies of one object's children that changed nothing. Fields alone do not always show that an apply would change
 * nothing: a list that is owned as one value, and to whose entries the server adds defaults, never equals what was
 * applied.
 */
export class UnchangedApplies {
  readonly #applies = new Map<string, { readonly digest: string; readonly child: KubeObject }>();

  /**
   * Whether the last apply to `target` was this one, and `live` differs from the child of then in nothing but its
   * status.
   */
  has(target: string, desired: KubeObject, live: KubeObject, fieldManager: string): boolean {
    const last = this.#applies.get(target);
    return last !== undefined && isUnchanged(last.child, live, fieldManager) && digestOf(desired) === last.digest;
  }

  /** Forgets the last apply to `target`. */
  forget(target: string): void {
    this.#applies.delete(target);
  }

  /** Remembers that `child` is what the apply of `desired` leaves: to apply it again changes nothing. */
  enter(target: string, desired: KubeObject, child: KubeObject, fieldManager: string): void {
    this.#applies.delete(target);
    const managedFields = child.metadata?.managedFields?.filter(({ manager }) => manager === fieldManager);
    this.#applies.set(target, { digest: digestOf(desired), child: { metadata: { ...child.metadata, managedFields } } });
    if (this.#applies.size > REMEMBERED_MAX) this.#applies.delete(this.#applies.keys().next().value!);
  }
}

/** Whether nothing happened to a child since but changes of its status. Kinds without a generation do not show that. */
function isUnchanged(before: KubeObject, now: KubeObject, fieldManager: string): boolean {
  if (before.metadata?.resourceVersion === now.metadata?.resourceVersion) return true;
  return sameInput(before, now) && jsonEqual(ownFields(before, fieldManager), ownFields(now, fieldManager));
}
