import { createHash } from "node:crypto";
import { formatDuration } from "../base/mod.ts";
import { html, Markup, type Part, text } from "./report_html_markup.ts";
import { SCRIPT, STYLE } from "./report_html_page.ts";
import { ReportBudget } from "./report_html_budget.ts";
import { ROW_KINDS, timelineTable } from "./report_html_timeline.ts";
import { countOutcomes, type RunResult, type ScenarioOutcome, type ScenarioResult } from "./result.ts";

/** Options of {@linkcode htmlReport}. */
export interface HtmlReportOptions {
  /** The program's name and version. */
  readonly program: string;
  /** The command that runs one scenario again, by its name `suite: scenario`. */
  readonly rerun: (name: string) => string;
}

const MESSAGE_LENGTH_MAX = 20_000, ATTACHED_LENGTH_MAX = 100_000, NAME_LENGTH_MAX = 500, COMMAND_LENGTH_MAX = 2_000;
const ATTACHMENTS_MAX = 20, RUN_FAILURES_MAX = 100;

const MARKS = { passed: "✓", failed: "✗", skipped: "–", interrupted: "!" } as const;
const WORDS = { passed: "passed", failed: "failed", skipped: "skipped", interrupted: "did not end" } as const;

/**
 * The run as one HTML file: failures first, each scenario's events on a time axis. It needs no other file or network,
 * and its policy allows none. Names, logs and messages are plain text. Its size is bounded, to about 20 MB for some
 * hundred scenarios: left-out entries are counted, and failures get most of the budget.
 */
export function htmlReport(result: RunResult, options: HtmlReportOptions): string {
  const { scenarios, failures } = result, names = new Names(), budget = new ReportBudget(scenarios);
  const isFailed = ({ outcome }: ScenarioResult) => outcome.kind === "failed";
  const failed = scenarios.filter(isFailed), suites = [...new Set(scenarios.map(({ suite }) => suite))];
  const ids = new Map(scenarios.map((each) => [each, names.idOf(`${each.suite} ${each.name}`)]));
  const cards = new Map(
    [...failed, ...scenarios.filter((each) => !isFailed(each))].map((
      each,
    ) => [each, card(each, ids.get(each)!, budget, options)]),
  );
  const document = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="${policy()}">
        <title>${title(result)} · ${options.program}</title>
        <style>${new Markup(STYLE)}</style>
      </head>
      <body>
    ${header(result, options)}
    ${controls()}
    <main>
    ${failures.length > 0 ? runFailures(failures, budget) : ""}
    ${failed.length > 0
      ? html`<section><h2>Failed <small>${failed.length}</small></h2>${
        failed.map((each) => cards.get(each)!)
      }</section>`
      : ""}
    ${suites.map((suite) => {
      const own = scenarios.filter((each) => each.suite === suite), rest = own.filter((each) => !isFailed(each));
      return html`<section><h2>${text(suite, NAME_LENGTH_MAX)} <small>${sizeOf(own)}, ${
        formatDuration(own.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0))
      }</small></h2>${elsewhere(own.filter(isFailed), ids)}${rest.map((each) => cards.get(each)!)}</section>`;
    })}
    </main>
    <footer>${options.program} · times are seconds from the beginning of each scenario</footer>
    <script>${new Markup(SCRIPT)}</script></body>
    </html>
  `;
  return document.source;
}

/** Allows no other origin, and only this style and script. */
function policy(): string {
  const hash = (source: string) => `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
  return `default-src 'none'; style-src ${hash(STYLE)}; script-src ${
    hash(SCRIPT)
  }; base-uri 'none'; form-action 'none'`;
}

function title(result: RunResult): string {
  const { passed, failed, skipped, interrupted } = countOutcomes(result);
  return [
    `${passed} passed`,
    `${failed} failed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(interrupted > 0 ? [`${interrupted} did not end`] : []),
  ].join(", ");
}

function header(result: RunResult, { program }: HtmlReportOptions): Markup {
  const { cluster, operator, seed, startMs, endMs } = result,
    { passed, failed, skipped, interrupted } = countOutcomes(result);
  const all = Math.max(1, passed + failed + skipped + interrupted), share = (count: number) => (count / all) * 100;
  const bars: [string, number][] = [["failed", failed], ["passed", passed], ["other", skipped + interrupted]];
  let x = 0;
  const facts: [string, string][] = [
    ["cluster", `${cluster.kind} ${cluster.version}`.trim()],
    ["operator", operator === "deployed" ? "as a pod" : "in this process"],
    ["began", `${new Date(startMs).toISOString().slice(0, 19).replace("T", " ")} UTC`],
    ["took", formatDuration(endMs - startMs)],
    ["seed", `${seed}`],
    ["by", program],
  ];
  return html`
    <header>
      <h1 class="${failed > 0 ? "failed" : interrupted > 0 ? "interrupted" : "passed"}">${title(result)}</h1>
      <svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">${bars.map(
        ([name, count]) => {
          const rect = html`
            <rect class="${name}" x="${x}" width="${share(count)}" height="8" />
          `;
          x += share(count);
          return rect;
        },
      )}</svg>
      <dl class="facts">${facts.map(([name, value]) =>
        html`
          <div>
            <dt>${name}</dt>
            <dd>${text(value, NAME_LENGTH_MAX)}</dd>
          </div>
        `
      )}</dl>
    </header>
  `;
}

function controls(): Markup {
  const outcomes = Object.entries(WORDS).map(([kind, word]) => html`<option value="${kind}">${word}</option>`);
  return html`
    <div class="controls" role="search">
      <div>
        <label class="visually-hidden" for="search">Search scenarios</label>
        <input type="search" id="search" class="scripted" placeholder="Search scenarios ( / )" autocomplete="off" hidden>
        <label class="visually-hidden" for="status">Outcome</label>
        <select id="status" class="scripted" hidden><option value="">any outcome</option>${outcomes}</select>
        <button type="button" id="open" class="scripted" hidden>open all</button>
        <button type="button" id="close" class="scripted" hidden>close all</button>
        <span id="found" class="quiet" role="status"></span>
        <fieldset><legend>Timelines show</legend>${Object.entries(ROW_KINDS).map(([kind, { label }]) =>
          html`<label><input type="checkbox" id="show-${kind}"${
            kind === "debug" ? "" : html`
              checked
            `
          }>${label}</label>`
        )}</fieldset>
      </div>
    </div>
  `;
}

function runFailures(failures: readonly string[], budget: ReportBudget): Markup {
  return html`<section><h2>Outside of every scenario <small>${failures.length}</small></h2>${
    failures.slice(0, RUN_FAILURES_MAX).map((failure) =>
      html`
        <div class="message">
          <pre>${budget.text(failure, MESSAGE_LENGTH_MAX)}</pre>
        </div>
      `
    )
  }</section>`;
}

function elsewhere(failed: readonly ScenarioResult[], ids: ReadonlyMap<ScenarioResult, string>): Part {
  if (failed.length === 0) return "";
  return html`<ul class="elsewhere">${
    failed.map((each) =>
      html`<li><span class="failed">✗</span> <a href="#${ids.get(each)!}">${text(each.name, NAME_LENGTH_MAX)}</a></li>`
    )
  }</ul>`;
}

function card(result: ScenarioResult, id: string, budget: ReportBudget, { rerun }: HtmlReportOptions): Markup {
  const { suite, name, outcome, startMs, endMs, attachments } = result,
    { kind } = outcome,
    isFailed = kind === "failed";
  return html`
    <details class="scenario${isFailed ? " failed-one" : ""}" id="${id}" data-outcome="${kind}" ${isFailed
      ? html`
        open
      `
      : ""}>
      <summary><span class="mark ${kind}" aria-hidden="true">${MARKS[kind]}</span><span class="visually-hidden">${WORDS[
        kind
      ]}: </span>${html`<span class="name"><span class="suite">${text(suite, NAME_LENGTH_MAX)}:</span> ${
        text(name, NAME_LENGTH_MAX)
      }</span>`}${plansOf(result)}<time>${formatDuration(endMs - startMs)}</time></summary>
      <div
        class="body">${reason(outcome, budget)}<p class="rerun"><a href="#${id}">link</a><code>${text(
          rerun(`${suite}: ${name}`),
          COMMAND_LENGTH_MAX,
        )}</code><button type="button" class="copy">copy</button></p>${timelineTable(
          result,
          budget,
        )}${attachments.slice(0, ATTACHMENTS_MAX).map(({ title, text: attached }) =>
          attachment(title, attached, budget)
        )}${outcome.kind === "failed" && outcome.stack
          ? attachment("stack of the error", outcome.stack, budget)
          : ""}</div>
    </details>
  `;
}

/** How many scenarios a suite ran, or plans of an exploration, in words. */
function sizeOf(own: readonly ScenarioResult[]): string {
  const isExplored = own.some(({ plans }) => plans !== undefined);
  const count = own.reduce((sum, { plans }) => sum + (plans ? plans.passed + plans.failed : isExplored ? 0 : 1), 0);
  return `${count} ${isExplored ? "plan" : "scenario"}${count === 1 ? "" : "s"}`;
}

/** How many plans of an exploration it stands for, in words. */
function plansOf({ plans }: ScenarioResult): Part {
  if (!plans) return "";
  const { passed, failed } = plans;
  return html`
    <small class="quiet">${failed > 0
      ? `${failed} of ${passed + failed} plans failed`
      : passed === 1
      ? "1 plan"
      : `${passed} plans`}</small>
  `;
}

function reason(outcome: ScenarioOutcome, budget: ReportBudget): Part {
  switch (outcome.kind) {
    case "failed":
      return html`
        <div class="message">
          <pre>${budget.text(outcome.message, MESSAGE_LENGTH_MAX)}</pre>
        </div>
      `;
    case "skipped":
      return html`<p class="skipped">skipped: ${budget.text(outcome.reason, NAME_LENGTH_MAX)}</p>`;
    case "interrupted":
      return html`<p class="interrupted">The run was over before this scenario was.</p>`;
    case "passed":
      return "";
    default:
      return outcome satisfies never;
  }
}

function attachment(title: string, attached: string, budget: ReportBudget): Markup {
  return html`
    <details class="attached">
      <summary>${text(title, NAME_LENGTH_MAX)}</summary>
      <pre>${budget.text(attached, ATTACHED_LENGTH_MAX)}</pre>
    </details>
  `;
}

/** Link names come from scenario names, so links stay valid in the next report. */
class Names {
  readonly #taken = new Set<string>();

  idOf(name: string): string {
    const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 100) || "scenario";
    let id = slug;
    for (let nth = 2; this.#taken.has(id) || RESERVED.has(id); nth++) id = `${slug}-${nth}`;
    this.#taken.add(id);
    return id;
  }
}

const RESERVED: ReadonlySet<string> = new Set([
  "search",
  "status",
  "open",
  "close",
  "found",
  ...Object.keys(ROW_KINDS).map((kind) => `show-${kind}`),
]);
