import {
  configureSync,
  getConsoleSink,
  getJsonLinesFormatter,
  getLogger,
  type LogRecord as TapeRecord,
} from "@logtape/logtape";
import {
  type Clock,
  createLogger,
  formatJson,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogRecord,
} from "../base/mod.ts";

interface LoggingOptions {
  /** Drops lines below it. At `debug` every line keeps its stack. */
  readonly level: LogLevel;
  readonly format: "text" | "json";
  readonly name: string;
  readonly clock: Clock;
}

/**
 * Sets up the process's logging, once, and returns its root logger. The console gets debug and info on standard output,
 * warn and error on standard error, for Deno's OpenTelemetry. A repeated error shows its stack once.
 */
export function openLogging({ level, format, name, clock }: LoggingOptions): Logger {
  const formatter = format === "json" ? getJsonLinesFormatter({ properties: "flatten" }) : textLine;
  configureSync({
    reset: true,
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: [name], sinks: ["console"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["console"], lowestLevel: "warning" },
    ],
  });
  const tape = getLogger([name]), stacks = new ShownStacks(clock);
  return createLogger((record) => {
    const fields = level === "debug" ? record.fields : stacks.withoutRepeated(record);
    // Braces would be placeholders.
    tape[record.level](record.message.replaceAll("{", "{{").replaceAll("}", "}}"), { ...fields });
  }, level);
}

/** By default a retry comes within five minutes: an error after a longer pause counts as new. */
const REPEATS_MS_MAX = 900_000;
const STACKS_MAX = 1_000;

/** The last stack shown per handler and object; a retry with the same failure omits it. */
export class ShownStacks {
  readonly #clock: Clock;
  /** In the order of their last failure. */
  readonly #shown = new Map<string, { readonly thrown: string; readonly elapsedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The fields of a line, without a stack equal to the last of this handler and object. */
  withoutRepeated({ fields }: Pick<LogRecord, "fields">): LogFields {
    const { stack, ...rest } = fields;
    if (stack === undefined) return fields;
    const key = formatJson([fields.kind, fields.namespace, fields.name, fields.handler]),
      elapsedMs = this.#clock.elapsed();
    const last = this.#shown.get(key), thrown = thrownAt(`${stack}`);
    this.#shown.delete(key);
    this.#shown.set(key, { thrown, elapsedMs });
    if (this.#shown.size > STACKS_MAX) this.#shown.delete(this.#shown.keys().next().value!);
    const repeats = last?.thrown === thrown && elapsedMs - last.elapsedMs <= REPEATS_MS_MAX;
    return repeats ? rest : fields;
  }
}

/** The message and the place of the throw: callers below it vary. */
function thrownAt(stack: string): string {
  return /^[\s\S]*?\n\s+at [^\n]*/.exec(stack)?.[0] ?? stack;
}

const LABELS: Readonly<Record<string, string>> = { debug: "DEBUG", info: "INFO ", warning: "WARN ", error: "ERROR" };

/** `2026-01-01T00:00:00.000Z INFO  converged kind=Replication namespace=shop name=a created=3` */
function textLine({ timestamp, level, message, properties }: TapeRecord): string {
  const fields = Object.entries(properties).filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${new Date(timestamp).toISOString()} ${LABELS[level] ?? level} ${message.join("")}${fields.join("")}`;
}

/** Lists and objects are plain JSON; ambiguous text is quoted. */
function fieldText(value: unknown): string {
  if (typeof value === "object" && value !== null) return formatJson(value);
  const text = typeof value === "string" ? value : formatJson(value);
  return /^[^\s"=[\]{}]+$/.test(text) ? text : JSON.stringify(text);
}
