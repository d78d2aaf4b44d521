import assert from "node:assert/strict";
import { typedCommand } from "../../lib/cli/typed_command.ts";

const START = { program: "shop", mainModule: "file:///users/ada/shop/main.ts", folder: "/users/ada/shop", env: {} };

// FR-477
Deno.test("a program that runs from its sources is named by what Deno is to run, from the current folder", () => {
  assert.equal(typedCommand(START), "deno run -A main.ts");
  assert.equal(typedCommand({ ...START, folder: "/users/ada" }), "deno run -A shop/main.ts");
  assert.equal(typedCommand({ ...START, folder: "/tmp" }), "deno run -A /users/ada/shop/main.ts");
  assert.equal(typedCommand({ ...START, folder: undefined }), "deno run -A /users/ada/shop/main.ts");
  const spaced = { ...START, mainModule: "file:///users/ada/it's%20a%20shop/main.ts" };
  assert.equal(typedCommand(spaced), `deno run -A '/users/ada/it'\\''s a shop/main.ts'`);
  const remote = { ...START, mainModule: "https://jsr.io/@ada/shop/1.0.0/main.ts" };
  assert.equal(typedCommand(remote), "deno run -A https://jsr.io/@ada/shop/1.0.0/main.ts");
});

// FR-477
Deno.test("a compiled program is named by its file, and by its path where PATH does not lead to it", () => {
  const compiled = { ...START, executable: "/users/ada/shop/dist/shop", env: { PATH: "/usr/bin:/bin" } };
  assert.equal(typedCommand(compiled), "dist/shop");
  assert.equal(typedCommand({ ...compiled, folder: "/users/ada/shop/dist" }), "./shop");
  assert.equal(typedCommand({ ...compiled, env: { PATH: "/usr/bin:/users/ada/shop/dist" } }), "shop");
});

// FR-477
Deno.test("a bundle, and a pod whose log is read elsewhere, have the name of the program", () => {
  assert.equal(typedCommand({ ...START, mainModule: "file:///cache/shop/app/main.js" }), "shop");
  assert.equal(typedCommand({ ...START, env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" } }), "shop");
});
