import type { Mask } from "./mask.ts";

/** Log levels, the lowest first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** All levels, the lowest first. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Named values of a log line: scalars, or small JSON. Never Secret data. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One log line before it is formatted. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * Structured logging. Levels: `error` needs a person, `warn` may need one soon, `info` states what the operator did
 * (changes, starts, stops), `debug` states why. No log line becomes a Kubernetes Event.
 */
export interface Logger {
  /** Why something happened or did not; off by default in production. */
  debug(message: string, fields?: LogFields): void;
  /** What the operator did: changes, starts, stops. */
  info(message: string, fields?: LogFields): void;
  /** What may need a person soon; the operator continues. */
  warn(message: string, fields?: LogFields): void;
  /** What needs a person. */
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  with(fields: LogFields): Logger;
  /** Lines below it are dropped; none where absent. */
  readonly level?: LogLevel;
}

/** Where records go. */
type LogSink = (record: LogRecord) => void;

/**
 * A logger over `sink`; records below `level` cost one comparison.
 *
 * @example
 * ```ts
 * import { createLogger, type LogRecord } from "./log.ts";
 * const records: LogRecord[] = [];
 * createLogger((record) => records.push(record)).with({ namespace: "shop" }).info("applied", { name: "a" });
 * if (records[0]?.fields.namespace !== "shop") throw new Error("fields are inherited");
 * ```
 */
export function createLogger(sink: LogSink, level: LogLevel = "debug", inherited: LogFields = {}): Logger {
  const lowest = LOG_LEVELS.indexOf(level);
  const at = (own: LogLevel) => {
    if (LOG_LEVELS.indexOf(own) < lowest) return () => {};
    return (message: string, fields?: LogFields) =>
      sink({ level: own, message, fields: fields ? { ...inherited, ...fields } : inherited });
  };
  return {
    level,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLogger(sink, level, { ...inherited, ...fields }),
  };
}

const MASKED_BY = new WeakMap<Logger, Mask>();

/**
 * A logger that masks secret values in each line and its fields before `logger` gets it. Masking twice is harmless and
 * costs nothing.
 */
export function maskLogger(logger: Logger, mask: Mask, inherited: LogFields = {}): Logger {
  if (MASKED_BY.get(logger) === mask) return logger;
  const sink: LogSink = ({ level, message, fields }) => logger[level](mask.text(message), mask.json(fields));
  const masked: Logger = {
    ...createLogger(sink, logger.level, inherited),
    // Fields are masked with each line: values in them may be learned later.
    with: (fields) => maskLogger(logger, mask, { ...inherited, ...fields }),
  };
  MASKED_BY.set(masked, mask);
  return masked;
}

/** A logger that drops everything. */
export const silentLogger: Logger = createLogger(() => {}, "error");
