import { describeError, type Mask, UsageError } from "../base/mod.ts";
import { MalformedAnswerError, UnauthorizedError, UnreachableError, type UnreachableKind } from "../client/mod.ts";
import { InterruptedError } from "./interrupts.ts";
import { paint, type Terminal, writeBlock } from "./terminal.ts";

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  // Another program that answers is no API server.
  if (error instanceof UnreachableError || error instanceof MalformedAnswerError) return EXIT.unreachable;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  return EXIT.failed;
}

/** Prints the failure in one line and the fix in another. A stack trace appears only at debug level. */
export function reportError(
  terminal: Pick<Terminal, "err" | "errorColor">,
  program: string,
  error: unknown,
  { debug, mask }: { readonly debug: boolean; readonly mask: Mask },
): void {
  const label = paint({ color: terminal.errorColor }, "red", `${program}:`);
  // An indented line belongs to the one above.
  for (const line of mask.text(problemOf(error)).split("\n")) {
    terminal.err(line.startsWith("  ") ? line : `${label} ${line}`);
  }
  const hint = hintOf(error);
  if (hint) terminal.err(`  fix: ${mask.text(hint)}`);
  if (!debug) return;
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    writeBlock(
      (line) => terminal.err(line),
      `${depth === 0 ? "" : "caused by "}${mask.text(`${cause.stack ?? cause}`)}`,
    );
  }
}

/** Failures whose cause adds information; other causes repeat the problem in a library's words. */
const VAGUE: ReadonlySet<UnreachableKind> = new Set<UnreachableKind>(["tls", "reset", "other"]);

function problemOf(error: unknown): string {
  if (!(error instanceof UnreachableError)) return describeError(error);
  return VAGUE.has(error.kind) && error.cause ? `${error.problem}: ${describeError(error.cause)}` : error.problem;
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof UsageError || error instanceof UnreachableError) return error.hint;
  if (error instanceof UnauthorizedError) {
    return "renew the credentials, or choose others with --context or --kubeconfig";
  }
  return undefined;
}
