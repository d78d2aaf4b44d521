/** Bounds of the embedded server, with a real server's values where it has them. */
export interface ServerLimits {
  readonly bodyBytesMax: number;
  /** Whatever the client requests. */
  readonly pageLimitMax: number;
  /** Writes per resource that watches can resume from; a slower reader is ended. */
  readonly logLengthMax: number;
  readonly bookmarkIntervalMs: number;
  /** A watch without `timeoutSeconds` ends after this time, scattered up to twice it. */
  readonly watchTimeoutMs: number;
  /** How often a write is tried when others come between. */
  readonly writeAttemptsMax: number;
  readonly webhookAnswerBytesMax: number;
  readonly conversionObjectsMax: number;
  /** JSON characters of these objects together; one object is always sent. */
  readonly conversionCharactersMax: number;
  /** The delay before a watch calls a failed conversion webhook again. */
  readonly conversionRetryMs: number;
}

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
