import assert from "node:assert/strict";
import { denoTests, EmbeddedSource } from "@pintle/pintle/testing";
import { suites } from "./suites.ts";

for (const suite of suites) denoTests(Deno.test, suite, { source: () => new EmbeddedSource() });

Deno.test("deploy/base matches what the operator declares: `deno task manifests` writes it", async () => {
  const cwd = new URL("..", import.meta.url), args = ["run", "-A", "main.ts", "manifests", "--check", "deploy/base"];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr)); // names each difference, and the command that writes it
});
