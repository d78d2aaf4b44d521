import assert from "node:assert/strict";
import process from "node:process";
import { randomBytes, randomUUID } from "node:crypto";
import fs from "node:fs";
import files from "node:fs/promises";
import * as nodeTimers from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { Simulation, StuckError } from "../../lib/explore/simulation.ts";

/** What unchanged code sees of time and chance. */
async function ambient(): Promise<unknown[]> {
  const seen: unknown[] = [Date.now(), new Date().toISOString(), performance.now(), Math.random(), crypto.randomUUID()];
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
  seen.push(Date.now(), [...crypto.getRandomValues(new Uint8Array(4))]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("a"));
  return [...seen, new Uint8Array(digest)[0], Date.now()];
}

// FR-500
Deno.test("timers, dates and random values of unchanged code are the simulation's, the same for the same seed", async () => {
  const first = await new Simulation(7).run(ambient), second = await new Simulation(7).run(ambient);
  assert.deepEqual(first, second);
  assert.notDeepEqual(await new Simulation(8).run(ambient), first);
  assert.equal(first[0], Date.UTC(2026, 0, 1));
  assert.equal(first[5], Date.UTC(2026, 0, 1) + 3_600_000, "an hour passed in no time");
  assert.equal(first[8], first[5], "a digest takes no virtual time");
});

// FR-500
Deno.test("code outside of a simulation keeps the machine's time and chance, also while one runs", async () => {
  const { setTimeout: timeout, Date: date } = globalThis, { random } = Math;
  const inside = Promise.withResolvers<void>(), outside = Promise.withResolvers<void>();
  const run = new Simulation(1).run(async () => {
    inside.resolve();
    await outside.promise;
    return Date.now();
  }).catch((error) => error);
  await inside.promise;
  assert.ok(Math.abs(new Date().getTime() - Date.UTC(2026, 0, 1)) > 86_400_000);
  outside.resolve();
  await run;
  assert.equal(globalThis.setTimeout, timeout);
  assert.equal(globalThis.Date, date);
  assert.equal(Math.random, random);
});

// FR-500
Deno.test("timers of one simulation fire in order of time, repeat, and can be cleared", async () => {
  const seen = await new Simulation(1).run(async () => {
    const order: string[] = [];
    setTimeout(() => order.push("late"), 20);
    setTimeout(() => order.push("early"), 10);
    clearTimeout(setTimeout(() => order.push("never"), 5));
    const ticking = setInterval(() => order.push("tick"), 8);
    await new Promise((resolve) => setTimeout(resolve, 25));
    clearInterval(ticking);
    await new Promise((resolve) => setTimeout(resolve, 25));
    return order;
  });
  assert.deepEqual(seen, ["tick", "early", "tick", "late", "tick"]);
});

// FR-500
Deno.test("a signal with a timeout aborts in virtual time", async () => {
  const reason = await new Simulation(1).run(async () => {
    const signal = AbortSignal.timeout(60_000);
    await new Promise((resolve) => setTimeout(resolve, 61_000));
    return signal.reason;
  });
  assert.equal((reason as Error).name, "TimeoutError");
});

// FR-501
Deno.test("what waits for something outside of the simulation is an error, not a hang", async () => {
  await assert.rejects(new Simulation(1).run(() => new Promise<never>(() => {})), StuckError);
});

// FR-500
Deno.test("timers and random values that a module imports by name from Node are the simulation's", async () => {
  const run = (seed: number) => {
    const simulation = new Simulation(seed), startMs = simulation.clock.elapsed(), fired: string[] = [];
    return simulation.run(async () => {
      const cleared = nodeTimers.setTimeout(() => fired.push("cleared"), 5);
      const interval = nodeTimers.setInterval(() => fired.push("tick"), 20_000);
      nodeTimers.clearTimeout(cleared);
      await sleep(50_000);
      nodeTimers.clearInterval(interval);
      await sleep(50_000);
      return [fired.join(), simulation.clock.elapsed() - startMs, randomUUID(), randomBytes(4).toString("hex")];
    });
  };
  const first = await run(7);
  assert.deepEqual(first.slice(0, 2), ["tick,tick", 100_000]);
  assert.deepEqual(await run(7), first);
});

// FR-501
Deno.test("synchronous calls, programs and keys that leave the simulation are named, and end in no virtual time", async () => {
  const simulation = new Simulation(1), startMs = simulation.clock.elapsed();
  await simulation.run(async () => {
    Deno.readTextFileSync(new URL("../../deno.json", import.meta.url));
    await new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).output();
    await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  });
  assert.deepEqual(simulation.warnings, [
    "Deno.readTextFileSync",
    `Deno.Command ${Deno.execPath()}`,
    "crypto.subtle.generateKey",
  ]);
  assert.equal(simulation.clock.elapsed(), startMs);
});

// FR-501
Deno.test("a call that leaves the simulation is named", async () => {
  const simulation = new Simulation(1);
  await simulation.run(() => Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assert.deepEqual(simulation.warnings, ["Deno.readTextFile"]);
});

// FR-502
Deno.test("a rejection and a throw of a timer that no code handles are recorded, and end nothing", async () => {
  const simulation = new Simulation(1);
  await simulation.run(async () => {
    void Promise.reject(new TypeError("no code awaits it"));
    setTimeout(() => {
      throw new RangeError("of a timer");
    }, 10);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  });
  assert.deepEqual(simulation.uncaughtErrors, ["no code awaits it", "of a timer"]);
});

// FR-501
Deno.test("code that would end the process gets an error instead, and the call is named", async () => {
  const simulation = new Simulation(1);
  await simulation.run(() => {
    assert.throws(() => Deno.exit(7), /^Error: exit\(7\) was called, which would end the whole exploration$/);
    assert.throws(() => process.exit(1), /exit\(1\)/);
    return Promise.resolve();
  });
  assert.deepEqual(simulation.warnings, ["exit(7)", "exit(1)"]);
});

// FR-585
Deno.test("calls of the default exports of Node's modules are named, and no virtual time passes until they end", async () => {
  const simulation = new Simulation(1), path = new URL(import.meta.url);
  const [size, isSame, passedMs] = await simulation.run(async () => {
    const { clock } = simulation, beganMs = clock.elapsed();
    const text = await files.readFile(path, "utf8");
    return [text.length, text === fs.readFileSync(path, "utf8"), clock.elapsed() - beganMs];
  });
  assert.ok((size as number) > 100 && isSame);
  assert.equal(passedMs, 0);
  assert.deepEqual(simulation.warnings, ["readFile of node:fs/promises", "readFileSync of node:fs"]);
});

// FR-500
Deno.test("the times of Temporal are the simulation's", async () => {
  const { Temporal } = globalThis as unknown as { Temporal?: { Now: Record<string, (zone?: string) => object> } };
  if (!Temporal) return;
  const simulation = new Simulation(1);
  await simulation.run(() => {
    const now = new Date().toISOString();
    assert.equal(Date.parse(`${Temporal.Now.instant!()}`), Date.parse(now));
    assert.equal(`${Temporal.Now.plainDateISO!("UTC")}`, now.slice(0, 10));
    return Promise.resolve();
  });
});
