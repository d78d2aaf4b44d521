import type { KubeObject } from "../apimachinery/mod.ts";

/** What an object's state requires in this pass. */
export type Cause =
  /** Converge it. `add` and `remove` first change our finalizer, and remove those that we take over. */
  | { readonly kind: "reconcile"; readonly finalizer: "keep" | "add" | "remove" }
  /** It is being deleted and waits for our finalizer: clean up, then remove it. */
  | { readonly kind: "delete" }
  /** It is being deleted and no longer ours. */
  | { readonly kind: "gone" };

interface CauseDeclaration {
  /** The operator's own. Others count only as legacy finalizers. */
  readonly finalizer: string;
  /** Of operators that this one replaces: each holds an object as our own does, until ours replaces it. */
  readonly legacyFinalizers?: readonly string[];
  /** Whether something must run before a deletion. */
  readonly needsFinalizer: boolean;
}

/** Pure and level-triggered: the same state gives the same cause, whatever events came or were lost. */
export function detectCause(object: KubeObject, declaration: CauseDeclaration): Cause {
  const { finalizer, legacyFinalizers = [], needsFinalizer } = declaration,
    finalizers = object.metadata?.finalizers ?? [];
  const held = finalizers.includes(finalizer), inherited = legacyFinalizers.some((each) => finalizers.includes(each));
  if (object.metadata?.deletionTimestamp !== undefined) return { kind: held || inherited ? "delete" : "gone" };
  if (needsFinalizer === held && !inherited) return { kind: "reconcile", finalizer: "keep" };
  return { kind: "reconcile", finalizer: needsFinalizer ? "add" : "remove" };
}
