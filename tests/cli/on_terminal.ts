import { findProgram, testWith } from "../outside_program.ts";
import { Binary, type BinaryOptions, DEMO_PERMISSIONS } from "./binary.ts";

const missing = await findProgram("python3") ? undefined : "there is no python3, whose pty module is the terminal";
/** A line for {@linkcode Binary.send} that types Ctrl-C. */
export const CTRL_C = "type 03";

/** Starts the program on a pseudo-terminal. */
export function onTerminal(columns: number, args: readonly string[], options: BinaryOptions = {}): Promise<Binary> {
  const pty = new URL("terminal.py", import.meta.url).pathname;
  return Binary.start(args, {
    permissions: DEMO_PERMISSIONS,
    ...options,
    wrapper: ["python3", pty, `${columns}`, "50"],
    input: true,
  });
}

/** Registers a test that needs a pseudo-terminal. */
export function terminalTest(claim: string, run: () => Promise<void>): void {
  testWith(missing, claim, run);
}
