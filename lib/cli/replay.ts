import { describeError, formatDuration, hangingLines, silentLogger, UsageError } from "../base/mod.ts";
import { scopeOfGlobs } from "../apimachinery/mod.ts";
import { parseRecording, type RecordedRequest, type Recording, replay, type ReplayDifference } from "../explore/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { engineOptions } from "./run.ts";
import { SETTINGS, type Settings } from "./settings.ts";
import { paint } from "./terminal.ts";

/** Recorded files of more than this are no recordings of `run`, which stops before. */
const BYTES_MAX = 512 * 2 ** 20;

/**
 * `replay`: the operator offline, on recorded answers and in virtual time. Prints each write that it sends as recorded.
 * Fails at the first request that differs, and shows both; and at the end of a recording that was cut off.
 */
export async function replayFile(context: CommandContext, file: string): Promise<number> {
  const { operator, terminal, mask, version } = context;
  const recording = parseRecording(await textOf(file), file), { header } = recording;
  if (header.operator !== operator.name) {
    throw new UsageError(`${file} records the operator ${header.operator}, and this is ${operator.name}`);
  }
  const settings = settingsOf(context, recording, file);
  if (header.version !== version) terminal.err(`recorded with version ${header.version}, replayed with ${version}`);
  if (recording.stopped === undefined) terminal.err(`${file} was cut off; it is replayed as far as it goes`);
  using interrupts = new Interrupts();
  const { requests, writes, difference, warnings, uncaught } = await replay(recording, {
    signal: interrupts.signal,
    start: (parts) =>
      operator.start({
        ...parts,
        ...engineOptions(settings),
        scope: scopeOfGlobs(settings.namespaces),
        logger: silentLogger,
        mask,
      }),
    onRequest: (request, atMs) => {
      if (request.method !== "GET") terminal.out(`${timeOf(atMs)} ${requestText(request)}`);
    },
  });
  for (const call of warnings) terminal.err(`not in the recording, so its answer may differ: ${call}`);
  for (const error of uncaught) {
    for (const line of hangingLines(`handled nowhere: ${mask.text(error)}`)) terminal.err(line);
  }
  if (difference) {
    for (const line of differenceLines(difference)) terminal.out(line);
    terminal.out(paint(terminal, "red", `${count(requests)} as recorded, then another`));
    return EXIT.failed;
  }
  const outcome = `${count(requests)}, ${writes} of them writes, as recorded`;
  if (recording.stopped !== undefined) {
    terminal.out(paint(terminal, "green", outcome));
    return EXIT.done;
  }
  terminal.out(paint(terminal, "yellow", `${outcome} up to ${timeOf(recording.endMs).trim()}`));
  terminal.err(`  fix: record again; to accept it as it is, ${acceptance(recording)}`);
  return EXIT.failed;
}

/** How a recording that was cut off becomes one that ends there. */
function acceptance({ isTorn, endMs }: Recording): string {
  return `${isTorn ? "replace its incomplete last line by" : "add the line"} ${
    JSON.stringify({ atMs: endMs, stopped: "cut off" })
  }`;
}

async function textOf(file: string): Promise<string> {
  try {
    const { size, isFile } = await Deno.stat(file);
    if (!isFile || size > BYTES_MAX) throw new RangeError("it is no file, or too large");
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: ${describeError(cause)}`, "name a file that `run --record FILE` wrote", {
      cause,
    });
  }
}

/** The recorded bounds. @throws {UsageError} if another setting of the operator differs: it would decide otherwise. */
function settingsOf({ table, origins, settings }: CommandContext, { header }: Recording, file: string): Settings {
  const recorded: Record<string, unknown> = { ...settings };
  for (const [name, { env, flag, parse }] of Object.entries(table)) {
    const text = header.settings[env];
    if (text === undefined) continue;
    if (Object.hasOwn(SETTINGS, name)) recorded[name] = parse(text);
    else if (text !== origins[name]!.text) {
      throw new UsageError(
        `${env} was ${JSON.stringify(text)} when ${file} was recorded, and is ${JSON.stringify(origins[name]!.text)}`,
        `add --${flag} ${JSON.stringify(text)}`,
      );
    }
  }
  return recorded as unknown as Settings;
}

function differenceLines({ atMs, sent, recorded }: ReplayDifference): string[] {
  return [
    `${timeOf(atMs)} the first difference`,
    ...(sent ? sideLines("sent", sent) : ["  sent      nothing"]),
    ...(recorded ? sideLines("recorded", recorded) : ["  recorded  nothing like it"]),
  ];
}

function sideLines(label: string, { body, ...request }: RecordedRequest): string[] {
  return [`  ${label.padEnd(10)}${requestText(request)}`, ...(body === undefined ? [] : [`${" ".repeat(12)}${body}`])];
}

function requestText({ method, path }: RecordedRequest): string {
  return `${method} ${path}`;
}

function timeOf(atMs: number): string {
  return `+${formatDuration(Math.round(atMs))}`.padStart(10);
}

function count(requests: number): string {
  return `${requests} request${requests === 1 ? "" : "s"}`;
}
