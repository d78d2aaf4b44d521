import type { Clock, Logger } from "../base/mod.ts";
import type { DiffItem, KubeObject } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import type { IndexReader, ObjectIndex } from "../handling/mod.ts";

export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** The requesting user, authenticated by the API server. */
export interface AdmissionUser {
  /** As in RBAC. */
  readonly username: string;
  /** Absent for most. */
  readonly uid?: string;
  /** As in RBAC. */
  readonly groups: readonly string[];
  /** Added by the authenticator. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** No writes: a refused request must leave no trace. */
export type AdmissionReader = Pick<Client, "get" | "find" | "list">;

/** The argument of an admission handler, to be destructured. */
export interface AdmissionContext<T extends KubeObject, Spec> {
  /** The request's operation. */
  readonly operation: AdmissionOperation;
  /**
   * The object as the request would leave it; for a deletion, as it is. Frozen. Of the subresource's kind, where that
   * has its own.
   */
  readonly object: T;
  /** The present object; undefined for a creation. Frozen. */
  readonly old: T | undefined;
  /**
   * The spec of `object`, parsed on access, with defaults. A refused spec ends the handler there, and the request with
   * 422 and the fields: this checks refinements, which only the program can check.
   */
  readonly spec: Spec;
  /** The spec of `old`; undefined for a creation, and where today's schema refuses it. */
  readonly oldSpec: Spec | undefined;
  /** From `old` to `object`; empty for creations and deletions. */
  readonly diff: readonly DiffItem[];
  /** Empty until the API server generates it (`generateName`). */
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  /** Labels of `object`; empty where it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of `object`; empty where it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** As `status`; undefined for the object itself. */
  readonly subresource: string | undefined;
  /** Nothing will be stored: a handler must skip side effects. */
  readonly dryRun: boolean;
  /** The requesting user. */
  readonly user: AdmissionUser;
  /**
   * Headers of the review by lower-case name, without credentials. They describe the caller (`user-agent`,
   * `traceparent`) and prove nothing: any client that reaches the port can send any.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** Warns the request's user, allowed or not. Holds no secret. At most 16 of 256 characters. */
  warn(message: string): void;
  /** Reads as the operator, with the handler's signal. */
  readonly client: AdmissionReader;
  /** The entries of any index of this operator. */
  index<I extends KubeObject, V>(of: ObjectIndex<I, V>): IndexReader<V>;
  /**
   * In-memory state of the stored object, shared with its other handlers; `create` makes it once and is its key. A
   * review has its own where nothing is stored yet, or the operator does not watch the object.
   */
  memo<M>(create: () => M): M;
  /** In-memory state of the operator, shared by all. */
  shared<M>(create: () => M): M;
  /** As declared. */
  readonly param: unknown;
  /** Its lines name the handler and the object. */
  readonly log: Logger;
  /** Aborts on timeout, and when the operator stops. */
  readonly signal: AbortSignal;
  /** The operator's clock, which a test can replace. */
  readonly clock: Clock;
}

/**
 * The argument of a mutating handler. The schema is checked after it, so `draft` may be readable where `spec` is not.
 */
export interface MutationContext<T extends KubeObject, Spec> extends AdmissionContext<T, Spec> {
  /** A copy of `object` to edit in place: the difference is the patch. */
  readonly draft: T;
}
