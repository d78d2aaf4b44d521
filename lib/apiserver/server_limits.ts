/** kube-apiserver's values, where it has such limits. */
export interface ServerLimits {
  readonly bodyBytesMax: number;
  /** Caps the client's limit. */
  readonly pageLimitMax: number;
  /** Writes per resource that watches can resume from. */
  readonly logLengthMax: number;
  readonly bookmarkIntervalMs: number;
  /** Without `timeoutSeconds`; scattered up to twice this. */
  readonly watchTimeoutMs: number;
  /** Attempts of a write when others come between. */
  readonly writeAttemptsMax: number;
  readonly webhookAnswerBytesMax: number;
  readonly conversionObjectsMax: number;
  /** JSON characters per request; one object is always sent. */
  readonly conversionCharactersMax: number;
  /** Delay before a watch retries a failed conversion. */
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
