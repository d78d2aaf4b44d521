import { type ApiStatus, isApiStatus, isSecretResource, learnSecrets, type StatusReason } from "../apimachinery/mod.ts";
import { isObject, type JsonValue, Mask, parseJson, truncate } from "../base/mod.ts";
import { type ApiError, apiErrorOf, type RequestTarget } from "./api_error.ts";

const ERROR_BODY_BYTES_MAX = 64 * 1024;
const SUMMARY_LENGTH_MAX = 200;
/** Shorter values are masked only in quotes: elsewhere they are words of the message. */
const SENT_LENGTH_MIN = 4;

/**
 * The error of an unsuccessful response, whose body is read (up to 64 KiB) or cancelled. It holds no value of a sent
 * Secret, but the rest of the message, such as an admission policy's text.
 */
export async function errorOfResponse(response: Response, subject: RequestTarget, sent?: JsonValue): Promise<ApiError> {
  const status = statusOf(response, await readBounded(response));
  if (isSecretResource(subject.resource)) maskSent(status, sent);
  return apiErrorOf(status, subject, retryAfterMs(response));
}

/** Milliseconds of a `Retry-After` header in seconds (RFC 9110 §10.2.3; API servers send no dates). */
export function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

async function readBounded(response: Response): Promise<string> {
  if (!response.body) return "";
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let text = "", bytes = 0;
  try {
    while (bytes < ERROR_BODY_BYTES_MAX) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // The status code says more than the failed connection.
  }
  await reader.cancel().catch(() => {});
  return text;
}

function statusOf(response: Response, body: string): ApiStatus {
  try {
    const parsed = parseJson<unknown>(body);
    // A watch wraps errors in an event; other requests return a bare Status.
    const status = isObject(parsed) && parsed.type === "ERROR" ? parsed.object : parsed;
    if (isApiStatus(status)) return { ...status, code: status.code || response.status };
  } catch {
    // Not JSON: from a proxy or a load balancer.
  }
  return {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code: response.status,
    reason: reasonOf(response.status),
    message: summarise(body) || response.statusText || `HTTP status ${response.status}`,
  };
}

function summarise(body: string): string {
  const text = body.replace(/<(script|style)[\s\S]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ")
    .trim();
  return text.length > SUMMARY_LENGTH_MAX ? `${truncate(text, SUMMARY_LENGTH_MAX)}…` : text;
}

function reasonOf(code: number): StatusReason {
  switch (code) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return "";
  }
}

/** Validation, decoders, policies and webhooks may quote refused values, which no log may hold. Edits `status`. */
function maskSent(status: ApiStatus, sent: JsonValue | undefined): void {
  const mask = new Mask({ lengthMin: SENT_LENGTH_MIN });
  learnSecrets(mask, sent, { ofSecrets: true });
  const { causes = [] } = status.details ?? {}, message = mask.text(status.message ?? "");
  for (const cause of causes) if (cause.message) cause.message = mask.text(cause.message);
  const unnamed = causes.filter(({ field }) => field && !message.includes(field));
  const fields = unnamed.map(({ field, reason }) => `${field}: ${reason ?? "invalid"}`).join(", ");
  status.message = fields ? `${message} (${fields})` : message;
}
