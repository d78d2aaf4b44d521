import assert from "node:assert/strict";
import { listenHint } from "../../lib/base/mod.ts";
import { findProgram, runProgram, testWith } from "../outside_program.ts";

const MISSING = await findProgram(Deno.build.os === "linux" ? "ss" : "lsof") ? undefined : "there is no ss or lsof";

/** The error of a second listener on a port. */
function inUse(port: number): unknown {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    return error;
  }
  assert.fail("both listen");
}

// FR-487
testWith(MISSING, "the hint about a port in use has a command that shows the process's number", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr, hint = listenHint(inUse(port), port, "--port");
  const [, command] = /^`(.+)` shows the process that has it: end it by `kill PID`, or choose .* --port$/.exec(hint)!;
  const { code, out } = await runProgram("sh", ["-c", command!]);
  assert.equal(code, 0);
  assert.match(out, new RegExp(`\\b${Deno.pid}\\b`));
});

// FR-487
Deno.test("a port that needs a privilege is called one, and an address that is not here is not", () => {
  assert.match(listenHint({ code: "EACCES" }, 80, "--http-port"), /^a port below 1024 .* with --http-port$/);
  assert.equal(
    listenHint({ code: "EADDRNOTAVAIL" }, 80, "--http-port"),
    "choose another address or port with --http-port",
  );
});
