/**
 * `deno task sbom FILE`: what the program is made of, as SPDX 2.3 JSON: every npm package of the frozen lock file with
 * its version and digest. Test tools are part of the lock file and therefore of the list.
 *
 * @module
 */
import { UsageError } from "../lib/base/mod.ts";
import { runBuildStep } from "./build_app.ts";

const ROOT = new URL("..", import.meta.url).pathname;

interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>>;
}

await runBuildStep("sbom", async () => {
  const [file] = Deno.args;
  if (!file) throw new UsageError("no file is named", "deno task sbom FILE");
  const { name, version, license } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`)) as Lock;
  const epoch = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? Date.now() / 1_000);
  const packages = Object.entries(lock.npm).map(([key, entry]) => packageOf(key, entry.integrity));
  const root = { SPDXID: "SPDXRef-Package-pintle", name, versionInfo: version, licenseDeclared: license };
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${name} ${version}`,
    documentNamespace: `urn:pintle:sbom:${version}:${epoch}`,
    creationInfo: {
      created: `${new Date(epoch * 1_000).toISOString().slice(0, 19)}Z`,
      creators: ["Tool: deno task sbom"],
    },
    packages: [{ ...root, downloadLocation: "NOASSERTION", filesAnalyzed: false }, ...packages],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: root.SPDXID },
      ...packages.map(({ SPDXID }) => ({
        spdxElementId: root.SPDXID,
        relationshipType: "DEPENDS_ON",
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
  await Deno.writeTextFile(file, `${JSON.stringify(document, null, 2)}\n`);
  return `${file}: ${packages.length} packages`;
});

/**
 * `@scope/name@1.2.3_peer@4.5.6` is a package with the peers that it was resolved with; they have entries of their own.
 */
function packageOf(key: string, integrity: string) {
  const at = key.indexOf("@", 1), name = key.slice(0, at), version = key.slice(at + 1).split("_")[0]!;
  const [algorithm, digest] = integrity.split("-", 2) as [string, string];
  return {
    SPDXID: `SPDXRef-Package-${key.replaceAll(/[^A-Za-z0-9.-]/g, "-")}`,
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseDeclared: "NOASSERTION",
    checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue: Uint8Array.fromBase64(digest).toHex() }],
    externalRefs: [{
      referenceCategory: "PACKAGE-MANAGER",
      referenceType: "purl",
      referenceLocator: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    }],
  };
}
