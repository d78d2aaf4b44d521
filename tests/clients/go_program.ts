import assert from "node:assert/strict";
import { findProgram, runProgram } from "../outside_program.ts";
import { cacheFolder } from "./cache_folder.ts";

const GO = await findProgram("go", ["/usr/local/go/bin"]);
/** Why Go programs cannot be built on this machine; undefined if they can. */
export const GO_MISSING = GO ? undefined : "there is no go in PATH";
/** A cold build compiles the whole of client-go, or of Helm: minutes on two cores. */
const BUILD_MS_MAX = 1_800_000;

/** Builds a package of the module in `folder`, whose versions are pinned. Go's cache makes a second build quick. */
export async function buildGoProgram(folder: string, target: string): Promise<string> {
  const path = `${await cacheFolder(folder)}/program`;
  const env = { GOFLAGS: "-mod=readonly -buildvcs=false", CGO_ENABLED: "0" };
  const { code, err } = await runProgram(GO!, ["build", "-ldflags=-s -w", "-o", path, target], {
    cwd: new URL(folder, import.meta.url).pathname,
    env,
    runMsMax: BUILD_MS_MAX,
  });
  assert.equal(code, 0, err);
  return path;
}
