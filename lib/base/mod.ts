/**
 * `base`: what all other folders use: clock, random, durations, logging, errors, JSON, masks of secrets, certificates,
 * the interface of a transport. It does not know Kubernetes and imports no other folder. It reaches no network or file,
 * except for the HTTPS server of `admission/` and `apiserver/` (`bounded_server.ts`, `bounded_body.ts`).
 *
 * @module
 */
export { type Clock, sleep, SystemClock, type TimerHandle } from "./clock.ts";
export { type Duration, durationMs, formatDuration } from "./duration.ts";
export {
  cutText,
  describeError,
  invariant,
  PermanentError,
  stackOf,
  TemporaryError,
  TimeoutError,
  UsageError,
} from "./errors.ts";
export {
  canonicalJson,
  deepFreeze,
  formatJson,
  isObject,
  jsonClone,
  jsonEqual,
  type JsonObject,
  type JsonValue,
  narrowIntegers,
  ownValue,
  parseJson,
  setKey,
} from "./json.ts";
export { listenHint } from "./listen_hint.ts";
export {
  createLogger,
  LOG_LEVELS,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogRecord,
  maskLogger,
  silentLogger,
} from "./log.ts";
export { mapConcurrent } from "./map_concurrent.ts";
export { Mask, type MaskedValue } from "./mask.ts";
export { INLINE_MEMO, Memo } from "./memo.ts";
export { declaring, methodsDeclare } from "./declaring.ts";
export { hangingLines, printable } from "./printable.ts";
export { jitter, type Random, randomSuffix, randomUuid, SeededRandom, SystemRandom } from "./random.ts";
export { LinkedAbort, untilAborted } from "./signal.ts";
export { cutToWidth, textWidth, truncate } from "./text_width.ts";
export { TimeLimit } from "./time_limit.ts";
export type { Transport, TransportRequest } from "./transport.ts";
export { settle, VirtualClock } from "./virtual_clock.ts";
