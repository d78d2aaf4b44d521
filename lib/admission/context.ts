import type { Clock, Logger } from "../base/mod.ts";
import type { DiffItem, KubeObject } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import type { IndexReader, ObjectIndex } from "../handling/mod.ts";

/** What a request wants to do. */
export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** Who makes a request, as the API server knows them. */
export interface AdmissionUser {
  /** User name, as RBAC knows it. */
  readonly username: string;
  /** Identity beyond the name; absent for most. */
  readonly uid?: string;
  /** Groups, as RBAC knows them. */
  readonly groups: readonly string[];
  /** What the authenticator added. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * What of the cluster an admission handler may ask. It writes nothing: a request that is refused must leave no trace.
 */
export type AdmissionReader = Pick<Client, "get" | "find" | "list">;

/** What an admission handler gets, to be destructured. */
export interface AdmissionContext<T extends KubeObject, Spec> {
  /** What the request wants to do. */
  readonly operation: AdmissionOperation;
  /**
   * The object as the request would leave it; of a deletion, as it is. Frozen. Of a subresource with a kind of its own,
   * that.
   */
  readonly object: T;
  /** The object as it is; undefined for a creation. Frozen. */
  readonly old: T | undefined;
  /**
   * The spec of `object`, parsed when it is read, with defaults. One that the schema refuses ends the handler there,
   * and the request with 422 and the fields: so what only the program can check (refinements of the schema) is checked
   * by reading it.
   */
  readonly spec: Spec;
  /** The spec of `old`; undefined for a creation, and where it is not what the schema says today. */
  readonly oldSpec: Spec | undefined;
  /** From `old` to `object`, field by field; empty for creations and deletions. */
  readonly diff: readonly DiffItem[];
  /** Empty where the API server has yet to make one up (`generateName`). */
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  /** Labels of `object`; an empty record where it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of `object`; an empty record where it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** As `status`; undefined for the object itself. */
  readonly subresource: string | undefined;
  /** Whether nothing will be stored: a handler with side effects must leave them out then. */
  readonly dryRun: boolean;
  /** Who makes the request. */
  readonly user: AdmissionUser;
  /**
   * HTTP headers of the review by their names in lower case, without those that hold credentials. Whoever reaches the
   * port can send any: they tell of the caller (`user-agent`, `traceparent`) and prove nothing.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Tells whoever makes the request something, whether it is allowed or not. Holds no secret. At most 16 of 256
   * characters.
   */
  warn(message: string): void;
  /** Reads of the cluster as the operator, with the handler's signal. */
  readonly client: AdmissionReader;
  /** The entries of an index, of whichever kind of this operator. */
  index<I extends KubeObject, V>(of: ObjectIndex<I, V>): IndexReader<V>;
  /**
   * What this process remembers of the object that is stored, the same as for its other handlers: made by `create` at
   * the first call. Where nothing is stored yet, or nothing of this operator watches it here, it is made anew for each
   * review. The function is its key.
   */
  memo<M>(create: () => M): M;
  /** The same for the operator: one for all objects, handlers and activities, as long as it runs. */
  shared<M>(create: () => M): M;
  /** As declared. */
  readonly param: unknown;
  /** Its lines name the handler and the object. */
  readonly log: Logger;
  /** Aborts on timeout, and when the operator stops. */
  readonly signal: AbortSignal;
  /** The operator's time: with it a handler can be tested on a virtual clock. */
  readonly clock: Clock;
}

/** What a mutating handler gets. The schema is checked after it, so `spec` may not be readable yet where `draft` is. */
export interface MutationContext<T extends KubeObject, Spec> extends AdmissionContext<T, Spec> {
  /** A copy of `object` to be edited in place: what differs when the handler returns is what it changes. */
  readonly draft: T;
}
