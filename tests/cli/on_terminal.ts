import { findProgram, testWith } from "../outside_program.ts";
import { Binary, type BinaryOptions, DEMO_PERMISSIONS } from "./binary.ts";

const missing = await findProgram("python3") ? undefined : "there is no python3, whose pty module is the terminal";
/** A line for {@linkcode Binary.send} that types Ctrl-C. */
export const CTRL_C = "type 03";
/** One that closes the terminal. */
export const CLOSE = "close";

/** Starts the program on a pseudo-terminal; its errors go into the file `errors` where one is given. */
export function onTerminal(
  columns: number,
  args: readonly string[],
  { errors, ...options }: BinaryOptions & { errors?: string } = {},
): Promise<Binary> {
  const pty = new URL("terminal.py", import.meta.url).pathname;
  const redirected = errors === undefined ? [] : ["bash", "-c", `exec "$@" 2> "${errors}"`, "bash"];
  return Binary.start(args, {
    permissions: DEMO_PERMISSIONS,
    ...options,
    wrapper: ["python3", pty, `${columns}`, "50", ...redirected],
    input: true,
  });
}

/** The lines of each picture that was drawn after the terminal had another size. */
export function picturesAfterResize(out: string): string[][] {
  const [, after] = out.split("<resized>") as [string, string];
  // The first one may have been drawn before the terminal changed, and read after it.
  const frames = after.split("\x1b[?2026h").slice(2);
  // deno-lint-ignore no-control-regex -- control sequences are what is taken out
  return frames.map((frame) => frame.replace(/\x1b\[[?\d;]*[A-Za-z]/g, "").split(/[\r\n]+/));
}

/** Registers a test that needs a pseudo-terminal. */
export function terminalTest(claim: string, run: () => Promise<void>): void {
  testWith(missing, claim, run);
}
