import { formatJson, parseJson } from "../base/mod.ts";
import type { ApiRequest } from "./api_request.ts";
import type { ApiStatus } from "../apimachinery/mod.ts";
import { statusOf } from "./api_error.ts";

/** A Warning header: code 299, no agent, quoted text. RFC 9110 obsoletes it, Kubernetes still uses it. */
function warningHeader(text: string): string {
  const quoted = text.replaceAll(/[\r\n\p{Cc}]/gu, " ").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  // Headers are Latin-1; other characters would fail the whole response.
  return `299 - "${quoted.replaceAll(/[^\x20-\x7e]/g, "?")}"`;
}

function headersOf(mediaType: string, warnings: readonly string[]): Headers {
  const headers = new Headers({ "content-type": mediaType, "cache-control": "no-cache, private" });
  for (const warning of new Set(warnings)) headers.append("warning", warningHeader(warning));
  return headers;
}

/** `text` ends with a line break, as Go's encoder writes it. */
export function jsonTextResponse(code: number, text: string, warnings: readonly string[] = []): Response {
  return new Response(text, { status: code, headers: headersOf("application/json", warnings) });
}

export function jsonResponse(code: number, value: unknown, warnings: readonly string[] = []): Response {
  return jsonTextResponse(code, `${formatJson(value)}\n`, warnings);
}

export async function yamlResponse(code: number, json: string, warnings: readonly string[]): Promise<Response> {
  const { stringify } = await import("../base/yaml.ts");
  const text = stringify(parseJson(json), {
    version: "1.1",
    lineWidth: 0,
    sortMapEntries: true,
    indentSeq: false,
  });
  return new Response(text, { status: code, headers: headersOf("application/yaml", warnings) });
}

export function textResponse(code: number, text: string): Response {
  return new Response(text, { status: code, headers: headersOf("text/plain; charset=utf-8", []) });
}

export function streamResponse(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, { status: 200, headers: headersOf("application/json;stream=watch", []) });
}

export function errorResponse(error: unknown, warnings: readonly string[] = []): Response {
  const status: ApiStatus = statusOf(error);
  const response = jsonResponse(status.code, status, warnings);
  const { retryAfterSeconds } = status.details ?? {};
  if (retryAfterSeconds !== undefined) response.headers.set("retry-after", String(retryAfterSeconds));
  return response;
}

/** Clients that people use without a formatter (k8s.io/apiserver, isPrettyPrint). */
const READ_BY_PEOPLE = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** Whether the client asks for indented JSON, or is one that people read. */
export function wantsIndentation({ path, headers }: ApiRequest): boolean {
  const mark = path.indexOf("?"), query = mark < 0 ? "" : path.slice(mark);
  if (query.includes("pretty")) {
    const value = new URLSearchParams(query).get("pretty");
    if (value !== null) return ["1", "t", "T", "true", "TRUE", "True"].includes(value);
  }
  return READ_BY_PEOPLE.test(headers["user-agent"] ?? "");
}

/** A JSON answer, indented and without a line break at its end. Streams stay as they are. */
export async function indented(response: Response): Promise<Response> {
  if (response.headers.get("content-type") !== "application/json" || !response.body) return response;
  const { status, headers } = response;
  return new Response(indentedJson(await response.text()), { status, headers });
}

/** Indents by the text alone, so that numbers stay as they are. */
function indentedJson(text: string): string {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return text.trim().replaceAll(/"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}\[\],:]|\s+/g, (token) => {
    switch (token[0]) {
      case "{":
      case "[":
        return token.length > 1 ? token[0] + token.at(-1)! : (depth++, token + line());
      case "}":
      case "]":
        depth--;
        return line() + token;
      case ",":
        return token + line();
      case ":":
        return ": ";
      case '"':
        return token;
      default:
        return "";
    }
  });
}
