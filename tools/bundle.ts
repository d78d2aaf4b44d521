/**
 * `deno task bundle`: `dist/app`, from which `package`, `compile` and the image start.
 *
 * @module
 */
import { buildApp, runBuildStep } from "./build_app.ts";

await runBuildStep("bundle", async () => {
  const { build, bytes } = await buildApp();
  return `dist/app ${build.version} ${build.commit}: ${(bytes / 1e6).toFixed(1)} MB`;
});
