import assert from "node:assert/strict";
import { runBinary } from "./binary.ts";

Deno.test("a kubeconfig that is no YAML, or has no current context, is exit 2 without a stack trace", async () => {
  const path = await Deno.makeTempFile();
  for (const text of ["{ not: [yaml", JSON.stringify({ clusters: [], contexts: [], users: [] })]) {
    await Deno.writeTextFile(path, text);
    const { code, err } = await runBinary(["run", "--kubeconfig", path]);
    assert.equal(code, 2, err);
    assert.match(err, /\n {2}fix: /);
    assert.doesNotMatch(err, /\n\s+at /);
  }
  await Deno.remove(path);
});

Deno.test("a port that is taken is exit 2, and the message names it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, err } = await runBinary(["run", "--cluster", "embedded", "--http-port", `${port}`], {
    permissions: ["--allow-env", "--allow-net", "--allow-read", "--allow-write"],
  });
  assert.equal(code, 2, err);
  assert.ok(err.includes(`127.0.0.1:${port}`));
});
