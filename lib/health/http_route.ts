import { type Clock, describeError, type Logger, TimeoutError, UsageError } from "../base/mod.ts";
import { runWithTimeout } from "../handling/mod.ts";

/** Reserved, with all paths below. */
const RESERVED_PATHS: readonly string[] = ["/livez", "/readyz", "/metrics", "/explain"];

/** Methods that a Request cannot have. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** An operator's path on the health server. */
export interface HttpRoute {
  /** Matched as a whole. */
  readonly path: string;
  /** Body and handler together. */
  readonly timeoutMs: number;
  /** A larger body gets 413. */
  readonly bodyBytesMax: number;
  /** Gets a complete body. */
  readonly handle: (request: Request, signal: AbortSignal) => Promise<Response> | Response;
}

/** @throws {UsageError} for a path that cannot be served, or belongs to Pintle. */
export function requireRoutePath(path: string): void {
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path) || /\/\.{1,2}(\/|$)/.test(path)) {
    throw new UsageError(
      `"${path}" is not a path of a route`,
      "as /hooks/github: letters, digits, - . _ ~ between slashes",
    );
  }
  const own = RESERVED_PATHS.find((each) => path === each || path.startsWith(`${each}/`));
  if (own) throw new UsageError(`the route ${path} would hide ${own}, which Pintle serves`);
}

/** 413 for a body that is too large, 503 on timeout or close, 500 for an error, which is only logged. */
export async function answerRoute(
  { path, timeoutMs, bodyBytesMax, handle }: HttpRoute,
  request: Request,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<Response> {
  if (FORBIDDEN_METHODS.has(request.method)) return refusal(405, "method not allowed");
  try {
    const answer: unknown = await runWithTimeout(clock, timeoutMs, signal, async (signal) => {
      const body = request.body && await readBody(request, bodyBytesMax, signal);
      if (body === "too large") return refusal(413, "the body is too large");
      const { url, method, headers } = request;
      return await handle(new Request(url, { method, headers, body, signal }), signal);
    });
    if (answer instanceof Response && !answer.bodyUsed && !answer.body?.locked) return answer;
    throw new TypeError("a handler must return a new Response each time");
  } catch (error) {
    if (signal.aborted) return refusal(503, "stopping");
    logger.error("a route failed", { path, method: request.method, error: describeError(error) });
    return error instanceof TimeoutError ? refusal(503, "took too long") : refusal(500, "internal error");
  }
}

async function readBody(
  { body, headers }: Request,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | "too large"> {
  if (Number(headers.get("content-length") ?? 0) > bytesMax) return "too large";
  const chunks: Uint8Array[] = [], reader = body!.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // the sender has gone
  signal.addEventListener("abort", cancel, { once: true });
  let length = 0;
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      length += read.value.length;
      if (length > bytesMax) {
        cancel();
        return "too large";
      }
      chunks.push(read.value);
    }
  } finally {
    signal.removeEventListener("abort", cancel);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function refusal(status: number, why: string): Response {
  return new Response(`${why}\n`, { status });
}
