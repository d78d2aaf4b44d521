import { UsageError } from "../base/errors.ts";
import type { Suite } from "../harness/suite.ts";

/**
 * Loads the suites of a program.
 *
 * @throws {UsageError} where one of their modules imports the program's main module: that one has not ended, since it waits for `cli`, so
 * each would wait for the other for ever.
 */
export async function loadSuites(load: () => Promise<readonly Suite[]>): Promise<readonly Suite[]> {
  const { registerHooks } = await import("node:module");
  let refusal: UsageError | undefined;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context), { parentURL } = context;
      if (resolved.url === Deno.mainModule && parentURL !== undefined && parentURL !== resolved.url) {
        const [importer, main] = [parentURL, resolved.url].map((url) => url.split("/").at(-1));
        throw refusal = new UsageError(
          `${importer} imports ${main}, which cannot end before the suites are loaded`,
          "put what both need, as the function that makes the operator, in a module of its own",
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
