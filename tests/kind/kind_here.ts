import { findProgram, runProgram } from "../outside_program.ts";

/** Path of kind; undefined where this machine has none. */
export const KIND: string | undefined = await findProgram("kind");
/** Path of a container runtime that works; undefined where there is none. */
export const RUNTIME: string | undefined = await workingRuntime();
/** Why no real kind cluster can be had here; undefined where it can. */
export const MISSING: string | undefined = !KIND
  ? "there is no kind in PATH"
  : RUNTIME
  ? undefined
  : "no container runtime works here";

async function workingRuntime(): Promise<string | undefined> {
  for (const name of ["docker", "podman", "nerdctl"]) {
    const path = await findProgram(name);
    if (path && (await runProgram(path, ["info"])).code === 0) return path;
  }
  return undefined;
}

/** What of the environment kind and the container runtime go by. */
export function environment(): Record<string, string> {
  const names = ["KIND_NODE_IMAGE", "KIND_EXPERIMENTAL_PROVIDER", "DOCKER_HOST", "XDG_RUNTIME_DIR"];
  const entries = names.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
