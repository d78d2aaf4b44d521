import { type ApiStatus, isApiStatus, type StatusReason } from "../apimachinery/mod.ts";
import { isObject, type JsonValue, parseJson } from "../base/mod.ts";
import { type ApiError, apiErrorOf, type RequestSubject } from "./api_error.ts";

/** How much of an unsuccessful answer is read. */
const ERROR_BODY_BYTES_MAX = 64 * 1024;
const SUMMARY_LENGTH_MAX = 200;
/** Shorter texts are too common to be told from the words of a message. */
const SECRET_LENGTH_MIN = 4;

/**
 * The error that an unsuccessful answer stands for; its body is read (up to 64 KiB) or cancelled. For Secrets no value of
 * the object that was sent survives in it.
 */
export async function errorOfAnswer(response: Response, subject: RequestSubject, sent?: JsonValue): Promise<ApiError> {
  const status = statusOf(response, await readBounded(response));
  if (subject.resource?.plural === "secrets" && subject.resource.group === "") withholdSecrets(status, sent);
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
    // The status code has come, and it says more than the connection that broke under the explanation.
  }
  await reader.cancel().catch(() => {});
  return text;
}

function statusOf(response: Response, body: string): ApiStatus {
  try {
    const parsed = parseJson<unknown>(body);
    // A watch wraps its refusals in an event, every other request answers with a bare Status.
    const status = isObject(parsed) && parsed.type === "ERROR" ? parsed.object : parsed;
    if (isApiStatus(status)) return { ...status, code: status.code || response.status };
  } catch {
    // Not JSON: a proxy or a load balancer answered.
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

/** One line of a body that is not JSON, without HTML tags. */
function summarise(body: string): string {
  const text = body.replace(/<(script|style)[\s\S]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ")
    .trim();
  return text.length > SUMMARY_LENGTH_MAX ? `${text.slice(0, SUMMARY_LENGTH_MAX)}…` : text;
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

/** Validation quotes the values it refuses, webhooks and decoders may: none of them may reach a log. Edits `status`. */
function withholdSecrets(status: ApiStatus, sent: JsonValue | undefined): void {
  const causes = status.details?.causes ?? [];
  if (status.code === 400 || status.code === 422) {
    for (const cause of causes) delete cause.message;
    const fields = causes.map((cause) => `${cause.field ?? "object"}: ${cause.reason ?? "invalid"}`).join(", ");
    const name = status.details?.name ? `Secret "${status.details.name}"` : "the Secret";
    status.message = `${name} is refused${fields && `: ${fields}`} (values are withheld)`;
    return;
  }
  const values = [...secretTexts(sent)].sort((a, b) => b.length - a.length);
  const mask = (text: string | undefined) =>
    values.reduce<string | undefined>((masked, value) => masked?.replaceAll(value, "[withheld]"), text);
  status.message = mask(status.message);
  for (const cause of causes) cause.message = mask(cause.message);
}

/** Every text of a sent body that may be a Secret's value: all but its metadata, as it is and decoded. */
function* secretTexts(value: JsonValue | undefined, key?: string): Generator<string> {
  if (typeof value === "string") {
    if (value.length >= SECRET_LENGTH_MIN) yield value;
    const decoded = decodeBase64(value);
    if (decoded.length >= SECRET_LENGTH_MIN) yield decoded;
  } else if (Array.isArray(value)) {
    for (const item of value) yield* secretTexts(item);
  } else if (isObject(value) && key !== "metadata") {
    for (const [name, item] of Object.entries(value)) {
      if (["apiVersion", "kind", "type", "op", "path", "from"].includes(name) && typeof item === "string") continue;
      yield* secretTexts(item as JsonValue, name);
    }
  }
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  } catch {
    return "";
  }
}
