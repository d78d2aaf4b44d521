import assert from "node:assert/strict";
import { realImports } from "../../lib/explore/real_imports.ts";

const SOURCES: Readonly<Record<string, string>> = {
  "file:///app/main.ts": `
    import { cli } from "@pintle/pintle/cli";
    import { operator } from "./operator.ts";
    if (import.meta.main) await cli(operator, { suites: async () => (await import("./tests/suites.ts")).suites });`,
  "file:///app/operator.ts": `
    import fs, { type PathLike, readFileSync as read, constants } from "node:fs";
    import type { Stats } from "node:fs";
    import { createHash, randomInt } from "node:crypto";
    import { helper } from "./operator.ts";`,
  "file:///app/tests/suites.ts": `export { operator } from "../operator.ts"; import * as http from "node:http";`,
};

// FR-585
Deno.test("what local modules import by name from Node, and no simulation notices, is found with its module", async () => {
  const read = ({ href }: URL) => SOURCES[href] ? Promise.resolve(SOURCES[href]) : Promise.reject(new Error(href));
  assert.deepEqual(await realImports("file:///app/main.ts", read), [
    "readFileSync of node:fs (operator.ts)",
    "randomInt of node:crypto (operator.ts)",
    "* of node:http (suites.ts)",
  ]);
  assert.deepEqual(await realImports("file:///nowhere.ts", read), []);
});
