import assert from "node:assert/strict";
import { testWith } from "../outside_program.ts";
import { CTRL_C, onTerminal, terminalTest } from "./on_terminal.ts";
import { Binary, DEMO_PERMISSIONS, type Ended } from "./binary.ts";

const SCENARIO = "a ConfigMap is copied with its binary data";

async function explored(
  args: readonly string[],
  main = "main.ts",
): Promise<Ended & { lines: readonly string[]; junit: string; html: string }> {
  await using binary = await Binary.start(["test", "--explore", ...args], { main, permissions: DEMO_PERMISSIONS });
  const ended = await binary.ended();
  const junit = await Deno.readTextFile(`${binary.folder}/junit.xml`).catch(() => "");
  const html = await Deno.readTextFile(`${binary.folder}/report.html`).catch(() => "");
  return { ...ended, junit, html, lines: ended.out.trimEnd().split("\n") };
}

// FR-502
Deno.test("test --explore runs the plans of a scenario, and counts them in its last line", async () => {
  const { code, err, lines } = await explored(["--seed", "3", "--filter", SCENARIO, "--plans-max", "6"]);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(lines[0], "exploring 1 scenario, seed 3");
  assert.match(
    lines[1]!,
    /^replication: a ConfigMap is copied .* \.\.\. ok \(\d+ requests, 6 of \d+ plans; left out: .*\)$/,
  );
  assert.equal(lines.at(-1), "6 passed, 0 failed");
});

// FR-560
Deno.test("scenarios that are explored at the same time have the same results in the same order", async () => {
  const args = ["--seed", "3", "--plans-max", "3", "--filter", "/hand .a (value|key removed)/"];
  const alone = await explored([...args, "--parallel", "1"]), together = await explored([...args, "--parallel", "2"]);
  assert.deepEqual([together.code, together.err, together.lines.at(-1)], [0, "", "6 passed, 0 failed"]);
  assert.deepEqual(together.lines, alone.lines);
});

// FR-535
terminalTest("Ctrl-C ends an exploration with 130, and output and reports say that it is not complete", async () => {
  await using binary = await onTerminal(80, ["test", "--explore", "--junit", "junit.xml"], { env: { NO_COLOR: "1" } });
  await binary.until(/ [1-9]\d* plans, /);
  await binary.send(CTRL_C);
  const { code, out } = await binary.ended();
  assert.equal(code, 130, out);
  const [, open, all] =
    /\ninterrupted: (\d+) of (\d+) scenarios are not explored to the end\r?\n\d+ passed, \d+ failed\r?\n/
      .exec(out)!;
  assert.ok(Number(open) > 0 && Number(open) <= Number(all), out);
  assert.match(out, / \.\.\. (?:interrupted|\d+ failed) \(\d+ requests, \d+ of \d+ plans/);
  assert.match(await Deno.readTextFile(`${binary.folder}/junit.xml`), /<testcase [^>]*>\s*<(?:error|skipped)/);
});

// FR-501
Deno.test("why a scenario is not explored is printed line by line, as it was thrown", async () => {
  const { code, out } = await explored(["--filter", "it breaks"], "tests/cli/suites_program.ts");
  assert.equal(code, 1);
  assert.match(
    out,
    /\n {2}it fails without a fault: it broke\n {6}in two\n/,
  );
});

// FR-570
Deno.test("Ctrl-C ends an exploration whose operator loops without an end, with one scenario at a time, too", async () => {
  const args = ["test", "--explore", "--parallel", "1"];
  await using binary = await Binary.start(args, {
    main: "tests/cli/endless_program.ts",
    permissions: DEMO_PERMISSIONS,
  });
  await binary.until(/it loops/);
  binary.kill("SIGINT");
  const { code, out } = await binary.ended();
  assert.deepEqual([code, out.split("\n").slice(1, 3)], [
    130,
    ["interrupted: 1 of 1 scenarios are not explored to the end", "0 passed, 0 failed"],
  ]);
});

// FR-502
Deno.test("test --plan runs one plan of one scenario, and refuses what is not one", async () => {
  const once = await explored(["--filter", SCENARIO, "--plan", "write:1:crash:before"]);
  assert.deepEqual([once.code, once.lines.at(-1)], [0, "1 passed, 0 failed"]);
  const wrong = await explored(["--filter", SCENARIO, "--plan", "write:1:nap"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /^pintle: write:1:nap is not a plan of this version\n {2}fix: /);
  const missing = await explored(["--filter", SCENARIO, "--seed", "3", "--plan", "write:99:crash:before"]);
  assert.equal(missing.code, 2);
  assert.match(
    missing.err,
    /^pintle: --plan write:99:crash:before: with this seed the scenario has no write 99: it has 1 to \d+\n {2}fix: /,
  );
  const mixed = await explored(["--specs", "--filter", SCENARIO, "--plan", "write:1:late"]);
  assert.deepEqual([mixed.code, mixed.err.split("\n")[0]], [2, "pintle: write:1:late is a plan of faults"]);
  const many = await explored(["--plan", "write:1:late"]);
  assert.deepEqual([many.code, many.err.split("\n")[0]], [2, "pintle: --plan is for one scenario"]);
});

// FR-502
Deno.test("a failure is told as a story, once for each kind of plan in the JUnit report, and repeated by its command", async () => {
  const main = "tests/cli/fragile_program.ts";
  const reports = ["--junit", "junit.xml", "--report", "report.html"];
  const { code, out, junit, html } = await explored(["--seed", "7", "--plans-max", "60", ...reports], main);
  assert.equal(code, 1);
  const [plan] = /(?<=--plan )\S+/.exec(out) ?? [];
  assert.match(out, /^crash {2}write:\d+:crash:\w+$/m);
  assert.match(out, /^ {2}> +\d+\.\d s {2}operator 1 /m);
  assert.match(out, /^ {2}failed: /m);
  assert.match(out, /^\d+ passed, [1-9]\d* failed$/m);
  assert.match(junit, /<testcase [^>]*\(crash\)"/);
  assert.match(junit, /<failure/);
  const [counts] = /^\d+ passed, \d+ failed$/m.exec(out)!;
  assert.ok(html.includes(`<h1 class="failed">${counts}</h1>`), "the report counts as the terminal does");
  assert.match(html, /\(crash\)<\/span>[^]{0,99}\d+ of \d+ plans failed<\/small>/);
  const [, seconds, time] = /<testsuite [^>]*time="([\d.]+)" timestamp="([^"]+)"/.exec(junit)!;
  assert.ok(Number(seconds) < 3_600 && Math.abs(Date.parse(time!) - Date.now()) < 3_600_000, "real times");
  assert.match(html, /<tr class="row-step bad">[^]*?fault the operator dies /, "the fault is in the timeline");
  assert.match(html, /<code>[^<]*--plan write:\d+:crash:\w+</, "the report's command repeats the plan");
  const again = await explored(["--seed", "7", "--plan", plan!], main);
  assert.deepEqual([again.code, again.lines.at(-1)], [1, "0 passed, 1 failed"]);
});

// FR-591
Deno.test("each difference has a story before any has a second one", async () => {
  const { code, out } = await explored(["--seed", "7"], "tests/cli/forgetful_program.ts");
  assert.equal(code, 1);
  const [stories = "", rest = ""] = out.split(/\n\n(?= {2}\w+ {2}\S+ {2})/);
  const told = [...stories.matchAll(/^ {2}failed: ConfigMap \S+\/(\w+) is missing$/gm)].map(([, name]) => name);
  assert.deepEqual(new Set(told), new Set(["first", "second"]));
  assert.match(rest, /^ {2}\w+ {2}\S+ {2}ConfigMap \S+ is missing$/m);
  assert.doesNotMatch(out, /\n\n\n/);
});

// FR-502
Deno.test("a scenario that is not explored is counted as skipped, as in the report", async () => {
  const args = ["--report", "report.html", "--filter", "a wrong input is not tried again"];
  const { code, lines, html } = await explored(args);
  assert.deepEqual([code, lines.at(-1)], [0, "0 passed, 0 failed, 1 skipped"]);
  assert.ok(html.includes(">0 passed, 0 failed, 1 skipped</h1>"));
});

// FR-502
Deno.test("what an exploration cannot do is refused before it begins", async () => {
  const plan = ["--plan", "write:1:late"];
  const refused = [
    ["--cluster", "kind"],
    ["--cluster", "current", ...plan],
    ["--cluster", "envtest", "--deployed", ...plan],
    ["--plans-max", "none"],
    ["--plans-max", "0"],
  ];
  for (const args of refused) {
    const { code, out, err } = await explored(["--filter", SCENARIO, ...args]);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(
      err,
      /^pintle: (explorations run on the embedded API server|--plans-max: "(none|0)" must be a whole number of at least 1)/,
    );
  }
});

const ASSETS = Deno.env.get("KUBEBUILDER_ASSETS");

testWith(
  ASSETS ? undefined : "no KUBEBUILDER_ASSETS",
  // FR-533
  "test --plan with --cluster envtest replays the plan on a control plane of its own, with a report",
  async () => {
    const args = ["test", "--explore", "--cluster", "envtest", "--seed", "1", "--plan", "write:2:crash:before"];
    await using binary = await Binary.start([...args, "--junit", "junit.xml"], {
      main: "tests/cli/fragile_program.ts",
      permissions: ["-A"],
      env: { KUBEBUILDER_ASSETS: ASSETS! },
    });
    const { code, out, err } = await binary.ended(), lines = out.trimEnd().split("\n");
    assert.deepEqual([code, err, lines.at(-1)], [1, "", "0 passed, 1 failed"], out);
    assert.equal(lines[0], "replaying write:2:crash:before on envtest, seed 1");
    assert.ok(lines.includes("second_certificate: a site has two certificates ... failed"), out);
    assert.ok(lines.includes("  failed: Secret run-home/www-tls-internal is missing"), out);
    const junit = await Deno.readTextFile(`${binary.folder}/junit.xml`);
    assert.match(junit, /<testcase [^>]*a site has two certificates \(crash\)"[^]*<failure message="failed: Secret/);
  },
);

// FR-533
Deno.test("a plan that sets the clock is not replayed on a real control plane", async () => {
  const { code, err } = await explored([
    "--filter",
    SCENARIO,
    "--cluster",
    "envtest",
    "--plan",
    "write:1:clock:3600000",
  ]);
  assert.equal(code, 2);
  assert.match(
    err,
    /^pintle: plans that set the clock, change specs, lose a bookmark or have a fault in the suite's world run in the simulation only\n {2}fix: /,
  );
});

// FR-550
Deno.test("test --explore --specs finds what another spec breaks, and its plan is repeated by the printed command", async () => {
  const main = "tests/cli/ignoring_program.ts";
  const { code, err, out, lines, junit } = await explored([
    "--specs",
    "--seed",
    "7",
    "--plans-max",
    "3",
    "--junit",
    "junit.xml",
  ], main);
  assert.deepEqual([code, err], [1, ""]);
  assert.match(
    lines[1]!,
    /^field_ignored: a policy changes its days \.\.\. \d+ failed \(\d+ requests, \d+ of \d+ plans; left out: \d+ refused\)$/,
  );
  assert.match(out, /^specs {2}spec:RetentionPolicy\/run-home\/p:\{"mode":"Delete"\}$/m);
  assert.match(out, /^the spec of RetentionPolicy run-home\/p changes by \{"mode":"Delete"\}, and back to the first$/m);
  assert.match(out, /^ {2}> +\d+\.\d s {2}scenario {4}patch retentionpolicies run-home\/p {2}200$/m);
  assert.match(
    out,
    /^ {2}failed: with the changed spec: ConfigMap run-home\/p data\.mode: "Retain" instead of "Delete"/m,
  );
  assert.match(out, /--plan 'spec:RetentionPolicy\/run-home\/p:\{"mode":"Delete"\}'$/m);
  assert.match(junit, /<testcase [^>]*\(specs\)"/);
  const plan = 'spec:RetentionPolicy/run-home/p:{"mode":"Delete"}';
  const again = await explored(["--seed", "7", "--plan", plan], main);
  assert.deepEqual([again.code, again.lines.at(-1)], [1, "0 passed, 1 failed"]);
  const other = await explored(["--seed", "7", "--plan", plan.replace("/p:", "/q:")], main);
  assert.equal(other.code, 2);
  assert.match(other.err, /: the scenario leaves no object of this plan's kind and name\n {2}fix: /);
  const mistyped = await explored(["--seed", "7", "--plan", plan.replace("mode", "mod")], main);
  assert.equal(mistyped.code, 2);
  assert.match(mistyped.err, /: RetentionPolicy has no field spec\.mod\n {2}fix: /);
});

// FR-550
Deno.test("test --specs without --explore explores too, up to --plans-max, and refuses a plan that is none", async () => {
  const few = await explored(["--specs", "--seed", "7", "--plans-max", "2"], "tests/cli/ignoring_program.ts");
  assert.match(few.lines[1]!, /, 2 of \d+ plans/);
  const wrong = await explored(["--plan", "spec:RetentionPolicy/run-home/p:{"], "tests/cli/ignoring_program.ts");
  assert.deepEqual([wrong.code, /is not a plan of this version/.test(wrong.err)], [2, true]);
});
