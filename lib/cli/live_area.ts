import process from "node:process";
import type { LiveArea } from "../harness/mod.ts";
import { isReaderGone } from "./terminal.ts";

/** The terminal's last lines, which can be redrawn. */
export async function openLiveArea(): Promise<LiveArea> {
  const { createLogUpdate } = await import("log-update");
  process.stdout.on("error", (error) => {
    if (!isReaderGone(error)) throw error;
  });
  // Hiding the cursor would load a package that sends SIGINT again: a first Ctrl-C would count as the second.
  const update = createLogUpdate(process.stdout, { showCursor: true });
  return {
    draw: (picture) => update(picture),
    print: (lines) => update.persist(lines),
    clear: () => update.clear(),
    end: () => update.done(),
  };
}
