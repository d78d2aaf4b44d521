/**
 * `deno task image [NAME]`: an image of the operator from files of this machine alone, `pintle:dev` where no name is
 * given. For clusters of this machine; released images are built by the Dockerfile.
 *
 * @module
 */
import { buildLocalImage, ContainerRuntime } from "../lib/harness/mod.ts";
import { buildApp, runBuildStep } from "./build_app.ts";

await runBuildStep("image", async () => {
  const [image = "pintle:dev"] = Deno.args;
  const runtime = await ContainerRuntime.find(Deno.env.get("KIND_EXPERIMENTAL_PROVIDER"));
  const { folder, build } = await buildApp();
  await buildLocalImage(runtime, { image, app: folder, executable: Deno.execPath() });
  return `${image} ${build.version} ${build.commit}`;
});
