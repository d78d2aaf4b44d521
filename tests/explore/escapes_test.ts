import assert from "node:assert/strict";
import { escapes } from "../../lib/explore/escapes.ts";

const SOURCES: Readonly<Record<string, string>> = {
  "file:///app/main.ts": `
    import { cli } from "@pintle/pintle/cli";
    import { operator } from "./operator.ts";
    if (import.meta.main) await cli(operator, { suites: async () => (await import("./tests/suites.ts")).suites });`,
  "file:///app/operator.ts": `
    import fs, { type PathLike, readFileSync as read, constants } from "node:fs";
    import type { Stats } from "node:fs";
    import { createHash, randomInt } from "node:crypto";
    import { helper } from "./operator.ts";
const sizes = new Map([["small", 1]]);
const accounts = new Map<string, Record<string, number>>();
export const seen: Set<string> = new Set();
const known: Record<string, string> = {};
let calls = 0;
const labels = ["a"];
function operator() {
  const mine = new Map();
}`,
  "file:///app/tests/suites.ts": `export { operator } from "../operator.ts"; import * as http from "node:http";`,
};

// FR-585
Deno.test("what local modules import by name from Node, and no simulation notices, is found with its module", async () => {
  const read = ({ href }: URL) => SOURCES[href] ? Promise.resolve(SOURCES[href]) : Promise.reject(new Error(href));
  assert.deepEqual((await escapes("file:///app/main.ts", read)).calls, [
    "readFileSync of node:fs (operator.ts)",
    "randomInt of node:crypto (operator.ts)",
    "* of node:http (suites.ts)",
  ]);
  assert.deepEqual(await escapes("file:///nowhere.ts", read), { calls: [], memory: [] });
});

// FR-602
Deno.test("variables of a module that can change, and outlive the operator's process in a simulation, are found", async () => {
  const read = ({ href }: URL) => Promise.resolve(SOURCES[href] ?? "");
  const { memory } = await escapes("file:///app/main.ts", read);
  assert.deepEqual(memory, ["accounts", "seen", "known", "calls"].map((name) => `${name} (operator.ts)`));
});
