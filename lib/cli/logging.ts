import {
  configureSync,
  getConsoleSink,
  getJsonLinesFormatter,
  getLogger,
  type LogRecord as TapeRecord,
} from "@logtape/logtape";
import { formatJson } from "../base/json.ts";
import { createLogger, type Logger, type LogLevel } from "../base/log.ts";

/** How a process logs. */
export interface LoggingOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** First part of each line's logger name. */
  readonly name: string;
}

/**
 * Sets up the process's logging, once, and returns its root logger. Lines go to the console: debug and info to standard
 * output, warn and error to standard error, where Deno's OpenTelemetry picks them up too.
 */
export function openLogging({ level, format, name }: LoggingOptions): Logger {
  const formatter = format === "json" ? getJsonLinesFormatter({ properties: "flatten" }) : textLine;
  configureSync({
    reset: true,
    sinks: { console: getConsoleSink({ formatter }) },
    loggers: [
      { category: [name], sinks: ["console"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["console"], lowestLevel: "warning" },
    ],
  });
  const tape = getLogger([name]);
  return createLogger((record) => {
    // Braces would be read as placeholders, and an error's text may hold some.
    tape[record.level](record.message.replaceAll("{", "{{").replaceAll("}", "}}"), { ...record.fields });
  }, level);
}

const LABELS: Readonly<Record<string, string>> = { debug: "DEBUG", info: "INFO ", warning: "WARN ", error: "ERROR" };

/** `2026-01-01T00:00:00.000Z INFO  converged kind=Replication namespace=shop name=a created=3` */
function textLine({ timestamp, level, message, properties }: TapeRecord): string {
  const fields = Object.entries(properties).filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${new Date(timestamp).toISOString()} ${LABELS[level] ?? level} ${message.join("")}${fields.join("")}`;
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : formatJson(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
