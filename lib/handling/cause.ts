import type { KubeObject } from "../apimachinery/mod.ts";

/** What an object's state asks of its operator in this pass. */
export type Cause =
  /**
   * It is not being deleted: converge it. `add` and `remove` first see to our finalizer, and remove those that we take
   * over.
   */
  | { readonly kind: "reconcile"; readonly finalizer: "keep" | "add" | "remove" }
  /** It is being deleted and waits for our finalizer: clean up, then remove it. */
  | { readonly kind: "delete" }
  /** It is being deleted and none of our business any more. */
  | { readonly kind: "gone" };

/** What the operator declares, as far as causes depend on it. */
interface CauseDeclaration {
  /** The operator's own finalizer. Finalizers of others count only where they are legacy finalizers. */
  readonly finalizer: string;
  /**
   * Finalizers of operators that this one replaces: each holds an object as our own does, until ours replaces it.
   */
  readonly legacyFinalizers?: readonly string[];
  /** Whether something must happen before an object may go. */
  readonly needsFinalizer: boolean;
}

/**
 * Detects the cause from an object's present state. Pure, level-triggered: the same state gives the same cause, no
 * matter which events led to it or were lost.
 */
export function detectCause(object: KubeObject, declaration: CauseDeclaration): Cause {
  const { finalizer, legacyFinalizers = [], needsFinalizer } = declaration,
    finalizers = object.metadata?.finalizers ?? [];
  const held = finalizers.includes(finalizer), inherited = legacyFinalizers.some((each) => finalizers.includes(each));
  if (object.metadata?.deletionTimestamp !== undefined) return { kind: held || inherited ? "delete" : "gone" };
  if (needsFinalizer === held && !inherited) return { kind: "reconcile", finalizer: "keep" };
  return { kind: "reconcile", finalizer: needsFinalizer ? "add" : "remove" };
}
