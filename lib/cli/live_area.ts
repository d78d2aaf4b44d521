import process from "node:process";
import type { LiveArea } from "../harness/mod.ts";
import { isReaderGone } from "./terminal.ts";

/** The last lines of this process's terminal, to be drawn anew. */
export async function openLiveArea(): Promise<LiveArea> {
  const { createLogUpdate } = await import("log-update");
  process.stdout.on("error", (error) => {
    if (!isReaderGone(error)) throw error;
  });
  // Hiding the cursor would bring in a package that answers SIGINT by sending it once more: a first Ctrl-C would count
  // as the second, which ends the process without cleaning up.
  const update = createLogUpdate(process.stdout, { showCursor: true });
  return {
    draw: (picture) => update(picture),
    print: (lines) => update.persist(lines),
    clear: () => update.clear(),
    end: () => update.done(),
  };
}
