/** Bounds of the embedded server; each has the value of a real one where that has it. */
export interface ServerLimits {
  /** Longest request body. */
  readonly bodyBytesMax: number;
  /** Objects in one page of a list, whatever the client requests. */
  readonly pageLimitMax: number;
  /** Writes per resource that watches can resume from; a slower reader is ended. */
  readonly logLengthMax: number;
  /** Time between two bookmarks of a watch. */
  readonly bookmarkIntervalMs: number;
  /** A watch without `timeoutSeconds` ends after this time, scattered up to twice it. */
  readonly watchTimeoutMs: number;
  /** How often a write is tried again when another one came between. */
  readonly writeAttemptsMax: number;
  /** Longest answer of a webhook. */
  readonly webhookAnswerBytesMax: number;
  /** Objects in one request to a conversion webhook. */
  readonly conversionObjectsMax: number;
  /** Characters of JSON of these objects together; one object is sent however long it is. */
  readonly conversionCharactersMax: number;
  /** How long a watch waits before it calls a failed conversion webhook again. */
  readonly conversionRetryMs: number;
}

/** The default bounds. */
export const DEFAULT_LIMITS: ServerLimits = {
  bodyBytesMax: 3 * 1024 * 1024,
  pageLimitMax: 1_000_000,
  logLengthMax: 10_000,
  bookmarkIntervalMs: 60_000,
  watchTimeoutMs: 1_800_000,
  writeAttemptsMax: 8,
  webhookAnswerBytesMax: 16 * 1024 * 1024,
  conversionObjectsMax: 500,
  conversionCharactersMax: 4 * 1024 * 1024,
  conversionRetryMs: 1_000,
};
