import { type Duration, durationMs, UsageError } from "../base/mod.ts";
import { type ApiResource, isDnsSubdomain, type KubeObject } from "../apimachinery/mod.ts";
import { fieldPath, type ObjectFilter } from "../handling/mod.ts";
import type { AdmissionContext, AdmissionOperation, MutationContext } from "./context.ts";

/** The resource of a kind, with its schema. */
export interface AdmittedKind<T extends KubeObject, Spec> extends ApiResource {
  /** With defaults. @throws {PermanentError} naming the field. */
  parseSpec(object: T): Spec;
}

/** Validates a request: throws to refuse it. Its result is ignored. */
export type ValidateHandler<T extends KubeObject, Spec> = (
  context: AdmissionContext<T, Spec>,
) => Promise<unknown> | unknown;

/** Edits a request's `draft`, or throws to refuse it. Its result is ignored. */
export type MutateHandler<T extends KubeObject, Spec> = (
  context: MutationContext<T, Spec>,
) => Promise<unknown> | unknown;

/** Options of an admission handler. Filters apply to the object as the request would leave it. */
export interface ValidateOptions<T extends KubeObject> extends ObjectFilter<T> {
  /** Part of its webhook's name; by default the function's name, in lower case with dashes. */
  readonly id?: string;
  /** Creations and updates by default, so that deletions never wait for it. */
  readonly operations?: readonly AdmissionOperation[];
  /** Requests to this subresource, as `status`, instead of the object itself. */
  readonly subresource?: string;
  /** Requests pass where the handler fails or is unreachable; by default they are refused. A denial always holds. */
  readonly ignoreFailures?: boolean;
  /** Whether it has side effects beyond the response, and so respects `dryRun`. False by default. */
  readonly sideEffects?: boolean;
  /** How long the API server waits, 1 to 30 seconds; ten by default. The handler ends a little before. */
  readonly timeout?: Duration;
  /** Passed to the handler, for several declarations of one function. */
  readonly param?: unknown;
}

/** Options of a mutating handler. */
export interface MutateOptions<T extends KubeObject> extends ValidateOptions<T> {
  /** A deletion has nothing to change. */
  readonly operations?: readonly ("CREATE" | "UPDATE")[];
  /** Called again where a later webhook changed the object; it must then be idempotent. True by default. */
  readonly reinvoke?: boolean;
}

/** One admission handler: a webhook of its own. */
export interface AdmissionDeclaration<T extends KubeObject = KubeObject, Spec = unknown> extends ObjectFilter<T> {
  /** Whether it may change the object. */
  readonly type: "validate" | "mutate";
  /** Unique among the kind's admission handlers. */
  readonly id: string;
  /** A domain name, unique in the operator. */
  readonly webhook: string;
  readonly kind: AdmittedKind<T, Spec>;
  readonly handler: MutateHandler<T, Spec>;
  /** At least one. */
  readonly operations: readonly AdmissionOperation[];
  /** Undefined for the object itself. */
  readonly subresource: string | undefined;
  readonly ignoreFailures: boolean;
  readonly sideEffects: boolean;
  readonly reinvoke: boolean;
  /** A whole number of seconds. */
  readonly timeoutMs: number;
  readonly param: unknown;
}

const TIMEOUT = { default: "10s", minMs: 1_000, maxMs: 30_000 } as const;

/**
 * @throws {UsageError} for an id, operations or a timeout that a webhook cannot have; {RangeError} for an unreadable
 *   duration or path.
 */
export function admissionDeclaration<T extends KubeObject, Spec>(
  type: "validate" | "mutate",
  kind: AdmittedKind<T, Spec>,
  handler: MutateHandler<T, Spec>,
  options: MutateOptions<T> | ValidateOptions<T>,
): AdmissionDeclaration<T, Spec> {
  const { labels, annotations, field, value, when, subresource, param, timeout = TIMEOUT.default } = options;
  const id = options.id ?? (kebab(handler.name) || type);
  const where = `the ${type} handler "${id}" of ${kind.kind}`;
  const webhook = `${id}.${kind.plural}.${kind.group || "core"}`;
  if (!isDnsSubdomain(webhook)) {
    throw new UsageError(`"${id}" is not a valid id of ${where}`, "lower-case letters, digits, - and .");
  }
  if (field !== undefined) fieldPath(field);
  const operations: readonly AdmissionOperation[] = options.operations ?? ["CREATE", "UPDATE"];
  if (operations.length === 0) {
    throw new UsageError(`${where} has no operations`, "leave `operations` out for CREATE and UPDATE");
  }
  const timeoutMs = durationMs(timeout);
  if (timeoutMs < TIMEOUT.minMs || timeoutMs > TIMEOUT.maxMs || timeoutMs % 1_000 !== 0) {
    throw new UsageError(`the timeout of ${where} must be 1 to 30 whole seconds`, "API servers accept no other");
  }
  return {
    type,
    id,
    webhook,
    kind,
    handler,
    operations: [...new Set(operations)],
    subresource,
    ignoreFailures: options.ignoreFailures ?? false,
    sideEffects: options.sideEffects ?? false,
    reinvoke: type === "mutate" && ((options as MutateOptions<T>).reinvoke ?? true),
    timeoutMs,
    param,
    labels,
    annotations,
    field,
    value,
    when,
  };
}

function kebab(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2").replaceAll("_", "-").toLowerCase();
}
