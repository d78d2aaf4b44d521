import { type Clock, SystemClock, type TimerHandle, UsageError } from "../base/mod.ts";
import type { Suite } from "../harness/mod.ts";
import { withPlace } from "./error_place.ts";

/** After so long without another module, one that imports the main module counts as waiting for it. */
const STALLED_MS = 5_000;

/**
 * Loads a program's suites. What one of their modules throws names its place.
 *
 * @throws {UsageError} if one of their modules imports the main module while that awaits `cli`: a deadlock. Deno does
 *   not tell such a module from one that still loads, so silence counts.
 */
export async function loadSuites(
  load: () => Promise<readonly Suite[]>,
  clock: Clock = new SystemClock(),
): Promise<readonly Suite[]> {
  const { registerHooks } = await import("node:module");
  const stalled = Promise.withResolvers<never>();
  let resolvedMs = clock.elapsed(), timer: TimerHandle | undefined;
  // Only after a module imports the main one: a timer keeps a finished process alive.
  const watch = (importer: string): TimerHandle =>
    clock.schedule(() => {
      if (clock.elapsed() - resolvedMs >= STALLED_MS) stalled.reject(refusal(importer));
      else timer = watch(importer);
    }, STALLED_MS);
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context), { parentURL } = context;
      resolvedMs = clock.elapsed();
      if (resolved.url === Deno.mainModule && parentURL && parentURL !== resolved.url) timer ??= watch(parentURL);
      return resolved;
    },
  });
  try {
    return await Promise.race([load(), stalled.promise]);
  } catch (error) {
    throw withPlace(error);
  } finally {
    if (timer) clock.clear(timer);
    hooks.deregister();
  }
}

function refusal(importer: string): UsageError {
  const [suites, main] = [importer, Deno.mainModule].map((url) => url.split("/").at(-1));
  return new UsageError(
    `${suites} imports ${main}, which awaits cli() and so cannot end before the suites are loaded`,
    "do not await it: `cli(…).then((code) => Deno.exitCode = code)`; or put what both need in a module of its own",
  );
}
