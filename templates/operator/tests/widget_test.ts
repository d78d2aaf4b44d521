import assert from "node:assert/strict";
import { cli } from "@pintle/pintle/cli";
import { denoTests, EmbeddedSource } from "@pintle/pintle/testing";
import { operator } from "../main.ts";
import { suites } from "./suites.ts";

for (const suite of suites) denoTests(Deno.test, suite, { source: () => new EmbeddedSource() });

Deno.test("deploy/base matches what the operator declares: `deno task manifests` writes it", async () => {
  const base = new URL("../deploy/base", import.meta.url).pathname;
  assert.equal(await cli(operator(), { args: ["manifests", "--check", base], env: {} }), 0);
});
