import { truncate } from "./text_width.ts";
import { type Duration, durationMs } from "./duration.ts";

/**
 * Thrown by a handler for a transient failure; the object is requeued after `delay`.
 *
 * @example
 * ```ts
 * import { TemporaryError } from "@pintle/pintle";
 * const error = new TemporaryError("the database restarts", { delay: "30s" });
 * if (error.delayMs !== 30_000) throw new Error("half a minute");
 * ```
 */
export class TemporaryError extends Error {
  /** For logs, where `instanceof` does not work. */
  override readonly name: string = "TemporaryError";
  /** Until the next attempt; undefined for the queue's own backoff. */
  readonly delayMs: number | undefined;
  /** CamelCase, for conditions and metrics. */
  readonly reason: string;

  /**
   * `message` is for people, maybe in a condition; `reason` is `TemporaryError` where absent.
   *
   * @throws {RangeError} for an unreadable delay.
   */
  constructor(message: string, options: ErrorOptions & { delay?: Duration; reason?: string } = {}) {
    super(message, options);
    this.delayMs = options.delay === undefined ? undefined : durationMs(options.delay);
    this.reason = options.reason ?? "TemporaryError";
  }
}

/** Thrown by a handler where only a change of the object helps: no retry until then. Becomes a condition. */
export class PermanentError extends Error {
  /** For logs, where `instanceof` does not work. */
  override readonly name: string = "PermanentError";
  /** CamelCase, for conditions and metrics. */
  readonly reason: string;

  /** The condition's `message` states what to correct; `reason` is `PermanentError` where absent. */
  constructor(message: string, options: ErrorOptions & { reason?: string } = {}) {
    super(message, options);
    this.reason = options.reason ?? "PermanentError";
  }
}

/** Work exceeded its time limit; its late result is discarded. */
export class TimeoutError extends Error {
  /** In logs; its retry's reason is `Timeout`. */
  override readonly name: string = "TimeoutError";
}

/** A person's wrong input or configuration; `hint` states what to do. Exit code 2. */
export class UsageError extends Error {
  /** For logs, where `instanceof` does not work. */
  override readonly name: string = "UsageError";

  /** `message` states the problem; `hint` goes on its own line and does not repeat it. */
  constructor(message: string, readonly hint?: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** A bug here, never bad input. */
export class InvariantError extends Error {
  override readonly name: string = "InvariantError";
}

/**
 * For what the code itself guarantees, never for what a server or person sent.
 *
 * @throws {InvariantError} where `condition` is false.
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** A condition's message may have 32,768 characters, and a log line should stay readable. */
const DESCRIPTION_LENGTH_MAX = 4_096;

/** One bounded line for people, of any thrown value: its message and those of its causes. */
export function describeError(error: unknown): string {
  // A SuppressedError: cleaning up failed too. The first error comes first.
  if (error instanceof SuppressedError) {
    return cutText(`${describeError(error.suppressed)}; then ${describeError(error.error)}`, DESCRIPTION_LENGTH_MAX);
  }
  const messages: string[] = [];
  for (let current = error, depth = 0; depth < 5; depth++) {
    const message = cutText(messageOf(current), DESCRIPTION_LENGTH_MAX);
    if (message && !messages.some((known) => known.includes(message))) messages.push(message);
    if (!(current instanceof Error) || current.cause === undefined || current.cause === null) break;
    current = current.cause;
  }
  return cutText(messages.join(": "), DESCRIPTION_LENGTH_MAX);
}

export function stackOf(error: unknown): string | undefined {
  const onPurpose = [TemporaryError, PermanentError, TimeoutError].some((known) => error instanceof known);
  if (!(error instanceof Error) || onPurpose) return undefined;
  return error.stack === undefined ? undefined : cutText(error.stack, DESCRIPTION_LENGTH_MAX);
}

/** Cuts no character in two, and appends the full length. */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const whole = /… \((\d+) characters\)$/.exec(text)?.[1] ?? text.length; // it was cut before
  const note = `… (${whole} characters)`;
  return truncate(text, lengthMax - note.length) + note;
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return `${thrown.message}` || thrown.name || "Error";
  if (typeof thrown === "string") return thrown || "an empty text was thrown";
  if (thrown === undefined || thrown === null) return `${thrown} was thrown`;
  if (typeof thrown !== "object") return String(thrown);
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown); // circular, or its toJSON throws
  }
}
