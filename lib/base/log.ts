import type { Mask } from "./mask.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Scalars, or small JSON. Never Secret data. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * Structured logging: `error` needs a person, `warn` may need one soon, `info` states what the operator did, `debug`
 * why. No line becomes a Kubernetes Event.
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
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
  /** Drops lines below it; none where absent. */
  readonly level?: LogLevel;
}

type LogSink = (record: LogRecord) => void;

/** Records below `level` cost one comparison. */
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

/** Masks each line and its fields. Masking twice is harmless and costs nothing. */
export function maskLogger(logger: Logger, mask: Mask, inherited: LogFields = {}): Logger {
  if (MASKED_BY.get(logger) === mask) return logger;
  const sink: LogSink = ({ level, message, fields }) => logger[level](mask.text(message), mask.json(fields));
  const masked: Logger = {
    ...createLogger(sink, logger.level, inherited),
    // With each line: values may be learned later.
    with: (fields) => maskLogger(logger, mask, { ...inherited, ...fields }),
  };
  MASKED_BY.set(masked, mask);
  return masked;
}

export const silentLogger: Logger = createLogger(() => {}, "error");
