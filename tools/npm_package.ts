/**
 * `deno task npm`: `dist/pintle-pintle-<version>.tgz`, the library as an npm package. `npm publish` of that file is all
 * that publishing takes. `deno pack` compiles and declares; the ranges of versions that it allows become the versions
 * that the tests ran with.
 *
 * @module
 */
import { ROOT, run, runBuildStep } from "./build_app.ts";

/** What is read of deno.json. */
interface Project {
  readonly name: string;
  readonly version: string;
  readonly imports: Readonly<Record<string, string>>;
}

await runBuildStep("npm", async () => {
  const project = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as Project;
  const file = `dist/${project.name.replace(/^@/, "").replace("/", "-")}-${project.version}.tgz`;
  await Deno.mkdir(`${ROOT}/dist`, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: `${ROOT}/dist`, prefix: ".npm-" });
  try {
    await run(Deno.execPath(), ["pack", "-q", "--allow-dirty", "--no-source-maps", "--output", `${folder}/draft.tgz`]);
    await run("tar", ["-xzf", `${folder}/draft.tgz`, "-C", folder]);
    const packages = await completeManifest(`${folder}/package`, project.imports);
    await run("tar", ["-czf", `${folder}/done.tgz`, "-C", folder, "package"]);
    await Deno.rename(`${folder}/done.tgz`, `${ROOT}/${file}`);
    return `${file}: ${(await Deno.stat(`${ROOT}/${file}`)).size} bytes, depends on ${packages} packages`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Gives every package that the library loads the exact version that its tests ran with; answers how many there are. */
async function completeManifest(folder: string, imports: Readonly<Record<string, string>>): Promise<number> {
  const path = `${folder}/package.json`, draft = JSON.parse(await Deno.readTextFile(path));
  const version = (name: string) => {
    const specifier = imports[name];
    if (!specifier) throw new Error(`deno pack names ${name}, which deno.json does not import`);
    return specifier.slice(specifier.lastIndexOf("@") + 1);
  };
  const names = Object.keys(draft.dependencies);
  const manifest = {
    ...draft,
    description: "Kubernetes operators in TypeScript, with the API server to test them on",
    keywords: ["kubernetes", "operator", "controller", "deno"],
    engines: { deno: ">=2.9.6" },
    dependencies: Object.fromEntries(names.map((name) => [name, version(name)])),
  };
  await Deno.writeTextFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
  return names.length;
}
