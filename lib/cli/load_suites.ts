import { SystemClock } from "../base/clock.ts";
import { UsageError } from "../base/errors.ts";
import type { Suite } from "../harness/suite.ts";

/**
 * Loads the suites of a program.
 *
 * @throws {UsageError} where one of their modules imports the program's main module while that one awaits `cli`: each would wait for the
 * other for ever.
 */
export async function loadSuites(load: () => Promise<readonly Suite[]>): Promise<readonly Suite[]> {
  if (await hasMainEnded()) return await load();
  const { registerHooks } = await import("node:module");
  let refusal: UsageError | undefined;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context), { parentURL } = context;
      if (resolved.url === Deno.mainModule && parentURL !== undefined && parentURL !== resolved.url) {
        const [importer, main] = [parentURL, resolved.url].map((url) => url.split("/").at(-1));
        throw refusal = new UsageError(
          `${importer} imports ${main}, which awaits cli() and so cannot end before the suites are loaded`,
          "do not await it: `cli(…).then((code) => Deno.exitCode = code)`; or put what both need in a module of its own",
        );
      }
      return resolved;
    },
  });
  try {
    return await load();
  } catch (error) {
    throw refusal ?? error; // the loader makes another error of what a hook throws
  } finally {
    hooks.deregister();
  }
}

/** Whether the main module has been evaluated as far as it goes: it does not await `cli`, and may be imported. */
async function hasMainEnded(): Promise<boolean> {
  let ended = false;
  const end = () => void (ended = true);
  import(Deno.mainModule).then(end, end);
  await new Promise<void>((resolve) => void new SystemClock().schedule(resolve, 0));
  return ended;
}
