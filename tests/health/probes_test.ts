import assert from "node:assert/strict";
import { Mask, settle, VirtualClock } from "../../lib/base/mod.ts";
import { maskedChecks, probeChecks } from "../../lib/health/mod.ts";

// FR-269
Deno.test("a probe runs once in ten seconds, and its failure is the check's", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const [check] = probeChecks([{
    id: "db",
    check: () => {
      if (++asked === 1) throw new Error("no route to the database");
    },
  }], clock);
  assert.equal(check!.name, "db");
  assert.equal(await check!.check(), "no route to the database");
  await clock.advance(9_000);
  assert.equal(await check!.check(), "no route to the database");
  await clock.advance(1_000);
  assert.equal(await check!.check(), undefined);
  assert.equal(asked, 2);
});

// FR-269
Deno.test("a probe that hangs fails after five seconds, with its signal aborted, and never runs twice at once", async () => {
  const clock = new VirtualClock(), signals: AbortSignal[] = [];
  const [check] = probeChecks([{
    id: "slow",
    check: (signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  }], clock);
  const answers = [check!.check(), check!.check()];
  await clock.advance(5_000);
  await settle();
  for (const answer of answers) assert.match(await answer ?? "", /did not finish within 5s/);
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true]);
});

// FR-283
Deno.test("the result of a check contains no value of a Secret", async () => {
  const mask = new Mask(), problem = () => "cannot log in with admin-prod-S3cr3t";
  mask.learn({}, 17, () => ["admin-prod-S3cr3t"]);
  const [failing, passing] = maskedChecks(
    [{ name: "db", check: problem }, { name: "ok", check: () => undefined }],
    mask,
  );
  assert.deepEqual([failing!.name, await failing!.check()], ["db", "cannot log in with [secret]"]);
  assert.equal(await passing!.check(), undefined);
});
