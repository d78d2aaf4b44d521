import assert from "node:assert/strict";
import { htmlReport, type RunResult, type ScenarioResult } from "../../lib/harness/mod.ts";
import { rowsOf } from "../../lib/harness/report_html_timeline.ts";
import { testWith } from "../outside_program.ts";
import { noBrowser, OpenedPage } from "./browser.ts";
import { failedResult, runResult, scenarioResult } from "./results.ts";

const PHONE = { width: 390, height: 844 }, DESKTOP = { width: 1280, height: 900 };
const HOSTILE = `</script><script>hacked=1</script><img src=x onerror="hacked=1">'"&<b>`;

function report(result: RunResult): string {
  return htmlReport(result, { program: "pintle 1.0", rerun: (name) => `pintle test --filter '${name}'` });
}

const RUN = runResult([
  scenarioResult("it is copied", { kind: "passed" }, {
    steps: [{ kind: "given", title: "a note", startMs: 0, order: 0, endMs: 5 }],
  }),
  failedResult("it is repaired"),
  scenarioResult("it is left alone", { kind: "skipped", reason: "the operator is a pod" }),
  scenarioResult("it ends", { kind: "interrupted" }, { suite: "others" }),
], { failures: ["kind delete cluster exited with 1"] });

/** A run whose record is as long as records get. */
function largeRun(scenarios: number, failures: number): RunResult {
  const log = (nth: number) => ({
    level: "info" as const,
    message: `line ${nth}`,
    fields: { nth },
    atMs: nth,
    order: nth,
  });
  const logs = Array.from({ length: 2_000 }, (_, nth) => log(nth));
  return runResult(Array.from({ length: scenarios }, (_, nth) => {
    const name = `scenario ${nth} of many`;
    return nth < failures ? failedResult(name, { logs }) : scenarioResult(name, { kind: "passed" }, { logs });
  }));
}

Deno.test("of one millisecond, a step's writes stand below it and above the next step", () => {
  const at = { atMs: 5, fields: {} }, write = { by: "scenario", method: "POST", path: "/", status: 201 } as const;
  const rows = rowsOf(scenarioResult("quick", { kind: "passed" }, {
    steps: [
      { kind: "given", title: "a note", startMs: 5, order: 0, endMs: 5 },
      { kind: "then", title: "this follows", startMs: 5, order: 3, endMs: 5 },
    ],
    writes: [{ ...write, ...at, order: 1, tookMs: 0 }],
    logs: [{ ...at, level: "warn", message: "late", order: 4 }, { ...at, level: "info", message: "written", order: 2 }],
    events: [{ ...at, type: "Normal", reason: "Written", note: "", regarding: "" }],
  }));
  assert.deepEqual(rows.map(({ kind }) => kind), ["step", "scenario", "info", "step", "warn", "event"]);
});

Deno.test("a timeline is in the order of time, and a step stands before what happened in it", () => {
  assert.deepEqual(rowsOf(RUN.scenarios[1]!).map(({ kind, isFailure }) => `${kind}${isFailure ? "!" : ""}`), [
    "step",
    "scenario",
    "step",
    "debug",
    "operator",
    "info",
    "operator!",
    "operator!",
    "step!",
    "warn",
    "error!",
    "event!",
  ]);
});

// FR-590
Deno.test("a record in virtual time has an axis of that time, to whose end an unfinished step lasts", () => {
  const page = report(runResult([
    scenarioResult("it waits", { kind: "failed", message: "in vain" }, {
      startMs: 0,
      endMs: 4_000,
      recordEndMs: 600_000,
      steps: [
        { kind: "fault", title: "the operator dies", startMs: 300_000, order: 0, endMs: 300_000, failure: "" },
        { kind: "then", title: "it is there", startMs: 540_000, order: 1 },
      ],
    }),
  ]));
  const [, span] = /from 0 to ([^<]+)</.exec(page)!;
  const bars = [...page.matchAll(/<rect x="(\d+)" width="(\d+)" height="10"/g)].map(([, x, width]) => [x, width]);
  assert.deepEqual([span, ...bars], ["10m", ["500", "4"], ["900", "100"]]);
});

// FR-175
Deno.test("a report of any run is bounded, failures have the most room, and what is left out is counted", () => {
  for (const [scenarios, failures] of [[500, 3], [500, 500], [1, 1], [0, 0]] as const) {
    const document = report(largeRun(scenarios, failures));
    assert.ok(document.length < 15_000_000, `${document.length} characters`);
    const rows = document.match(/<tr class="row-/g)?.length ?? 0;
    assert.ok(rows <= 20_000, `${rows} rows`);
    assert.equal(document.match(/<details class="scenario/g)?.length ?? 0, scenarios);
  }
  const text = `${HOSTILE} `.repeat(400), entry = { message: text, fields: { text }, atMs: 0, order: 0 };
  const huge = failedResult("huge", {
    outcome: { kind: "failed", message: text, stack: text },
    logs: Array.from({ length: 2_000 }, () => ({ ...entry, level: "info" as const })),
    attachments: Array.from({ length: 200 }, () => ({ title: text, text })),
  });
  const all = report(runResult(Array.from({ length: 30 }, () => huge), { failures: Array(1_000).fill(text) }));
  assert.ok(all.length < 30_000_000, `${all.length} characters, most of them escapes`);
  const few = report(largeRun(500, 3));
  assert.match(few, /1008 more entries are left out/, "of 2,008 a failure shows 1,000");
  assert.match(few, /1966 more entries are left out/);
});

Deno.test("the same scenario has the same link in every report, and two of one name have two", () => {
  const ids = (scenarios: readonly ScenarioResult[]) =>
    [...report(runResult(scenarios)).matchAll(/<details class="scenario[^>]* id="([^"]+)"/g)].map(([, id]) => id);
  const passed = { kind: "passed" } as const,
    [a, b, c] = ["A b!", "a B", "ü"].map((name) => scenarioResult(name, passed));
  assert.deepEqual(ids([a!, b!, c!]), ["notes-a-b", "notes-a-b-2", "notes"]);
  assert.deepEqual(ids([c!, a!]), ["notes", "notes-a-b"]);
  assert.deepEqual(
    ids([scenarioResult("", passed, { suite: "search" })]),
    ["search-2"],
    "the page's own names are taken",
  );
});

// FR-175
testWith(noBrowser, "a browser shows failures first and open, asks for nothing, and complains of nothing", async () => {
  await using opened = await OpenedPage.open(report(RUN), { viewport: DESKTOP });
  const { page } = opened;
  assert.equal(await page.textContent("h1"), "1 passed, 2 failed, 1 skipped, 1 did not end");
  assert.match(
    (await page.textContent("dl.facts"))!.replaceAll(/\s+/g, " "),
    /embedded v1\.37\.2 .*took 1m1s .*seed 42/,
  );
  assert.deepEqual(
    (await page.locator("h2").allTextContents()).map((each) => each.replace(/\s+/g, " ")),
    ["Outside of every scenario 1", "Failed 1", "notes 3 scenarios, 4.5s", "others 1 scenario, 1.5s"],
  );
  const card = page.locator(".scenario").first();
  assert.match((await card.locator("summary").first().textContent())!, /it is repaired/);
  assert.equal(await card.locator(".message").isVisible(), true);
  assert.match((await card.locator(".rerun code").textContent())!, /pintle test --filter 'notes: it is repaired'/);
  assert.equal(await page.locator(".timeline").last().isVisible(), false, "the others are closed");
  assert.deepEqual(opened.complaints, []);
  assert.deepEqual(opened.requests.map((url) => url.split(":")[0]), ["file"], "the file itself, and no more");
});

// FR-175
testWith(noBrowser, "whatever names, messages, logs and attachments hold is shown as text and never run", async () => {
  const hostile = failedResult(HOSTILE, {
    suite: HOSTILE,
    outcome: { kind: "failed", message: HOSTILE, stack: HOSTILE },
    steps: [{ kind: "given", title: HOSTILE, startMs: 0, order: 0, endMs: 1, failure: HOSTILE }],
    writes: [{ by: "operator", method: "PUT", path: `/${HOSTILE}`, status: 200, atMs: 0, order: 0, tookMs: 1 }],
    logs: [{ level: "info", message: HOSTILE, fields: { [HOSTILE]: HOSTILE }, atMs: 0, order: 0 }],
    events: [{ type: "Normal", reason: HOSTILE, note: HOSTILE, regarding: HOSTILE, atMs: 0 }],
    attachments: [{ title: HOSTILE, text: HOSTILE }],
  });
  const run = runResult([hostile], { failures: [HOSTILE], cluster: { kind: "embedded", version: HOSTILE } });
  await using opened = await OpenedPage.open(report(run));
  const { page } = opened;
  assert.equal(await page.evaluate(() => "hacked" in globalThis), false);
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.locator("script").count(), 1);
  assert.equal(await page.locator(".scenario .message pre").textContent(), HOSTILE);
  assert.equal(await page.locator(".attached pre").first().textContent(), HOSTILE);
  assert.deepEqual([opened.complaints, opened.requests.length], [[], 1]);
});

testWith(
  noBrowser,
  // FR-175
  "a script that got into the page all the same would not run: its policy knows its own by their digest",
  async () => {
    const broken = report(RUN).replace(
      "</main>",
      "<script>hacked=1</script><p style='color:red' onclick='hacked=1'>x</p></main>",
    );
    await using opened = await OpenedPage.open(broken);
    await opened.page.locator("p", { hasText: /^x$/ }).click();
    assert.equal(await opened.page.evaluate(() => "hacked" in globalThis), false);
    assert.ok(opened.complaints.some((each) => each.includes("Content Security Policy")), opened.complaints.join("\n"));
  },
);

testWith(noBrowser, "search and outcome choose scenarios and say how many; the keyboard does it all", async () => {
  await using opened = await OpenedPage.open(report(RUN));
  const { page } = opened, shown = () => page.locator(".scenario:visible .name").allTextContents();
  const found = () => page.textContent("#found");
  assert.equal(await found(), "4 of 4 scenarios");
  await page.keyboard.press("/");
  await page.keyboard.type("is COPIED");
  assert.deepEqual([await shown(), await found()], [["notes: it is copied"], "1 of 4 scenarios"]);
  assert.deepEqual(
    await page.locator("h2:visible").allTextContents().then((all) => all.map((each) => each.split(" ")[0])),
    [
      "Outside",
      "notes",
    ],
  );
  await page.keyboard.press("Escape");
  assert.equal((await shown()).length, 4);
  await page.selectOption("#status", "skipped");
  assert.deepEqual(await shown(), ["notes: it is left alone"]);
  await page.selectOption("#status", "");
  // A scenario opens and closes with the keyboard.
  const summary = page.locator(".scenario:not([open]) > summary").first();
  await summary.focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("#notes-it-is-copied").getAttribute("open"), "");
  await page.click("#close");
  assert.equal(await page.locator(".scenario[open]").count(), 0);
  await page.click("#open");
  assert.equal(await page.locator(".scenario[open]").count(), 4);
});

testWith(
  noBrowser,
  "each kind of entry can be left out of the timelines, debug lines are at first, without a script too",
  async () => {
    for (const javaScriptEnabled of [true, false]) {
      await using opened = await OpenedPage.open(report(RUN), { javaScriptEnabled });
      const { page } = opened, rows = (kind: string) => page.locator(`.row-${kind}:visible`).count();
      assert.deepEqual([await rows("debug"), await rows("operator"), await rows("step")], [0, 3, 3]);
      await page.getByLabel("log: debug").check();
      await page.getByLabel("operator's writes").uncheck();
      assert.deepEqual([await rows("debug"), await rows("operator"), await rows("step")], [1, 0, 3]);
      assert.equal(
        await page.locator("#search").isVisible(),
        javaScriptEnabled,
        "what needs a script shows with one only",
      );
    }
  },
);

testWith(noBrowser, "a link to one scenario opens it, though it was closed, or searched away", async () => {
  await using opened = await OpenedPage.open(report(RUN), { viewport: DESKTOP }, "#notes-it-is-copied");
  const { page } = opened, card = page.locator("#notes-it-is-copied");
  assert.equal(await card.locator(".timeline").isVisible(), true);
  await page.fill("#search", "repaired");
  assert.equal(await card.isVisible(), false);
  await page.evaluate(() => location.hash = "");
  await page.evaluate(() => location.hash = "#notes-it-is-copied");
  await card.locator(".timeline").waitFor({ state: "visible" });
});

testWith(noBrowser, "the bars of steps, writes, logs and Events lie on one axis of time", async () => {
  await using opened = await OpenedPage.open(report(RUN), { viewport: DESKTOP });
  const boxes = await opened.page.locator(".scenario").first().locator("tr:visible rect:not(.track)").evaluateAll((
    rects,
  ) =>
    rects.map((rect) => {
      const { left, width } = rect.getBoundingClientRect();
      const row = rect.closest("tr")!.getAttribute("class");
      const [from, all] = [rect.ownerSVGElement!.getBoundingClientRect()].map(({ left, width }) => [left, width])[0]!;
      return { row, from: Math.round(((left - from!) / all!) * 1_500), took: Math.round((width / all!) * 1_500) };
    })
  );
  const of = (row: string) => boxes.filter((each) => each.row === row).map(({ from, took }) => [from, took]);
  const about = (row: string) => of(row).map((pair) => pair.map((ms) => Math.round(ms / 10)));
  assert.deepEqual(about("row-step"), [[0, 30], [30, 10]]);
  assert.deepEqual(about("row-step bad"), [[40, 100]]);
  assert.deepEqual(about("row-warn").map(([from]) => from), [70]);
  assert.deepEqual(about("row-event bad").map(([from]) => from), [91]);
});

for (const [what, viewport] of [["a phone", PHONE], ["a desktop", DESKTOP]] as const) {
  // FR-175
  testWith(noBrowser, `on ${what} nothing is wider than the screen, whatever the names are`, async () => {
    const long = "x".repeat(300);
    const run = runResult([
      ...RUN.scenarios,
      failedResult(long, { suite: long, outcome: { kind: "failed", message: long } }),
    ]);
    await using opened = await OpenedPage.open(report(run), { viewport });
    const { page } = opened;
    await page.click("#open");
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    assert.ok(width <= viewport.width, `${width} columns of pixels`);
    assert.equal(await page.locator(".row-step .what").first().isVisible(), true);
  });
}

/** Run in the page: every element with text of its own whose color is too near to that of what it stands on. */
const POOR_CONTRASTS = `(() => {
  const rgb = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (color) => {
    const [r, g, b] = rgb(color).map((part) => part / 255)
      .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    if (!element) return "rgb(255,255,255)";
    const { backgroundColor } = getComputedStyle(element);
    return rgb(backgroundColor)[3] === 0 ? ground(element.parentElement) : backgroundColor;
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll("body *")]
    .filter((element) => hasText(element) && element.checkVisibility() && !/OPTION|SCRIPT/.test(element.tagName))
    .flatMap((element) => {
      const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
      const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
      return contrast < 4.5 ? [element.tagName + "." + element.className + " " + contrast.toFixed(2)] : [];
    });
})()`;

for (const colorScheme of ["light", "dark"] as const) {
  // FR-175
  testWith(noBrowser, `in ${colorScheme} mode every text has a contrast of 4.5 at least on its ground`, async () => {
    await using opened = await OpenedPage.open(report(RUN), { colorScheme, viewport: DESKTOP });
    const { page } = opened;
    await page.getByLabel("log: debug").check();
    await page.click("#open");
    const poor = await page.evaluate(POOR_CONTRASTS);
    assert.deepEqual(poor, []);
    const ground = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const [red] = ground.match(/\d+/g)!;
    assert.equal(Number(red) > 128, colorScheme === "light");
  });
}

testWith(noBrowser, "on paper there are no controls, and failures are there with their timelines", async () => {
  await using opened = await OpenedPage.open(report(RUN));
  const { page } = opened;
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".controls").isVisible(), false);
  assert.equal(await page.locator(".scenario").first().locator(".timeline").isVisible(), true);
});

testWith(
  noBrowser,
  // FR-175
  "every control has a name, and every part of the page is one that assistive technology knows",
  async () => {
    await using opened = await OpenedPage.open(report(RUN));
    const tree = await opened.page.locator("body").ariaSnapshot();
    for (
      const part of [
        /heading "1 passed, 2 failed, 1 skipped, 1 did not end" \[level=1\]/,
        /searchbox "Search scenarios"/,
        /combobox "Outcome"/,
        /group "Timelines show"/,
        /checkbox "log: debug"/,
        /button "open all"/,
        /status: 4 of 4 scenarios/,
        /columnheader "what"/,
        /heading "Failed 1" \[level=2\]/,
      ]
    ) assert.match(tree, part);
  },
);

testWith(noBrowser, "a report of five hundred scenarios opens, and a search in it leaves one", async () => {
  await using opened = await OpenedPage.open(report(largeRun(500, 3)));
  const { page } = opened;
  assert.equal(await page.textContent("#found"), "500 of 500 scenarios");
  await page.fill("#search", "scenario 444 ");
  assert.equal(await page.textContent("#found"), "1 of 500 scenarios");
  assert.deepEqual(opened.complaints, []);
});
