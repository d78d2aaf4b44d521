import { formatJson, parseJson } from "../base/mod.ts";
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

export function jsonTextResponse(code: number, text: string, warnings: readonly string[] = []): Response {
  return new Response(text, { status: code, headers: headersOf("application/json", warnings) });
}

export function jsonResponse(code: number, value: unknown, warnings: readonly string[] = []): Response {
  return jsonTextResponse(code, formatJson(value), warnings);
}

export async function yamlResponse(code: number, json: string, warnings: readonly string[]): Promise<Response> {
  const { stringify } = await import("../base/yaml.ts");
  const text = stringify(parseJson(json), { version: "1.1", lineWidth: 0 });
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
