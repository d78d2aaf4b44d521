import type { Clock, Logger } from "../base/mod.ts";
import type { DiffItem, KubeObject } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import type { IndexReader, ObjectIndex } from "../handling/mod.ts";

/** The operation of a request. */
export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** The user of a request, as authenticated by the API server. */
export interface AdmissionUser {
  /** User name, as in RBAC. */
  readonly username: string;
  /** Identity beyond the name; absent for most. */
  readonly uid?: string;
  /** Groups, as in RBAC. */
  readonly groups: readonly string[];
  /** Added by the authenticator. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Reads of the cluster for admission handlers. No writes: a refused request must leave no trace. */
export type AdmissionReader = Pick<Client, "get" | "find" | "list">;

/** The argument of an admission handler, to be destructured. */
export interface AdmissionContext<T extends KubeObject, Spec> {
  /** The operation of the request. */
  readonly operation: AdmissionOperation;
  /**
   * The object as the request would leave it; for a deletion, as it is. Frozen. For a subresource with its own kind, an
   * object of that kind.
   */
  readonly object: T;
  /** The object as it is; undefined for a creation. Frozen. */
  readonly old: T | undefined;
  /**
   * The spec of `object`, parsed on access, with defaults. A spec that the schema refuses ends the handler there, and
   * the request with 422 and the fields: reading it checks what only the program can check (refinements).
   */
  readonly spec: Spec;
  /** The spec of `old`; undefined for a creation, and where today's schema refuses it. */
  readonly oldSpec: Spec | undefined;
  /** From `old` to `object`, field by field; empty for creations and deletions. */
  readonly diff: readonly DiffItem[];
  /** Empty where the API server has not generated one yet (`generateName`). */
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  /** Labels of `object`; an empty record where it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of `object`; an empty record where it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** As `status`; undefined for the object itself. */
  readonly subresource: string | undefined;
  /** Whether nothing will be stored: a handler with side effects must skip them. */
  readonly dryRun: boolean;
  /** The user of the request. */
  readonly user: AdmissionUser;
  /**
   * HTTP headers of the review by lower-case name, without credentials. Any client that reaches the port can send any:
   * they describe the caller (`user-agent`, `traceparent`) and prove nothing.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** Adds a warning for the user of the request, allowed or not. Holds no secret. At most 16 of 256 characters. */
  warn(message: string): void;
  /** Reads the cluster as the operator, with the handler's signal. */
  readonly client: AdmissionReader;
  /** The entries of an index of any kind of this operator. */
  index<I extends KubeObject, V>(of: ObjectIndex<I, V>): IndexReader<V>;
  /**
   * In-memory state of the stored object, shared with its other handlers; `create` makes it at the first call and is
   * its key. Where nothing is stored yet, or the operator does not watch the object, each review has its own.
   */
  memo<M>(create: () => M): M;
  /** In-memory state of the operator, shared by all objects, handlers and activities. */
  shared<M>(create: () => M): M;
  /** As declared. */
  readonly param: unknown;
  /** Its lines name the handler and the object. */
  readonly log: Logger;
  /** Aborts on timeout, and when the operator stops. */
  readonly signal: AbortSignal;
  /** The operator's clock, so that a handler can be tested on a virtual one. */
  readonly clock: Clock;
}

/**
 * The argument of a mutating handler. The schema is checked after it, so `spec` may not be readable yet where `draft`
 * is.
 */
export interface MutationContext<T extends KubeObject, Spec> extends AdmissionContext<T, Spec> {
  /** A copy of `object` to edit in place: its difference when the handler returns is the patch. */
  readonly draft: T;
}
