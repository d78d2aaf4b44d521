/**
 * Preloaded into an operator's process (`deno run --preload`): SIGUSR2 sets its time of day an hour forward, SIGWINCH
 * an hour back, as a machine whose clock is set does. Elapsed time goes on. SIGUSR1 would open Deno's inspector.
 *
 * @module
 */
const HOUR_MS = 3_600_000;
const now = Date.now.bind(Date);
let offsetMs = 0;

function step(byMs: number): void {
  offsetMs += byMs;
  Deno.stderr.writeSync(new TextEncoder().encode(`the time of day is ${offsetMs / HOUR_MS} h off\n`));
}

Date.now = () => now() + offsetMs;
Deno.addSignalListener("SIGUSR2", () => step(HOUR_MS));
Deno.addSignalListener("SIGWINCH", () => step(-HOUR_MS));
