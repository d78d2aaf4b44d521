/**
 * Preloaded into an operator's process (`deno run --preload`): SIGUSR1 sets its time of day an hour forward, SIGUSR2 an hour back, as a
 * machine whose clock is set does. Elapsed time goes on.
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
Deno.addSignalListener("SIGUSR1", () => step(HOUR_MS));
Deno.addSignalListener("SIGUSR2", () => step(-HOUR_MS));
