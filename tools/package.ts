/**
 * `deno task package`: one executable file, made without any download, of the Deno that runs this task and the bundled
 * program.
 *
 * @module
 */
import { UsageError } from "../lib/base/mod.ts";
import { buildApp, requireBudget, ROOT, runBuildStep } from "./build_app.ts";
import { PERMISSIONS } from "./permissions.ts";
import { packSelfUnpacking } from "./self_unpacking.ts";

await runBuildStep("package", async () => {
  if (Deno.build.os === "windows") throw new UsageError("the launcher is a shell script", "take `deno task compile`");
  const { folder, build, bytes } = await buildApp();
  requireBudget(bytes);
  const size = await packSelfUnpacking({
    name: "pintle",
    version: build.version,
    runtime: Deno.execPath(),
    app: folder,
    permissions: PERMISSIONS,
    output: `${ROOT}/dist/pintle`,
  });
  return `dist/pintle ${build.version} ${build.commit}: ${megabytes(size)} MB, of which the program ${
    megabytes(bytes)
  } MB`;
});

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
