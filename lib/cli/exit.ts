import { describeError, UsageError } from "../base/errors.ts";
import { UnauthorizedError, UnreachableError } from "../client/mod.ts";
import { InterruptedError } from "./interrupts.ts";
import { paint, type Terminal } from "./terminal.ts";

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** The exit code that an error asks for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof UnreachableError) return EXIT.unreachable;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  return EXIT.failed;
}

/** Says what went wrong in one line, and what to do in another. A stack trace is for debugging only. */
export function reportError(terminal: Terminal, program: string, error: unknown, debug: boolean): void {
  const [first = "", ...more] = describeError(error).split("\n");
  terminal.err(`${paint({ color: terminal.errorColor }, "red", `${program}:`)} ${first}`);
  for (const line of more) terminal.err(`${program}: ${line}`);
  const hint = hintOf(error);
  if (hint) terminal.err(`  fix: ${hint}`);
  if (debug && error instanceof Error && error.stack) terminal.err(error.stack);
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof UsageError) return error.hint;
  if (error instanceof UnauthorizedError) {
    return "the credentials are not accepted: renew them, or choose another --context";
  }
  return undefined;
}
