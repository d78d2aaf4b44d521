import assert from "node:assert/strict";
import type { ApiResource } from "../../lib/apimachinery/mod.ts";
import type { Transport, TransportRequest } from "../../lib/base/mod.ts";

export const SECRETS: ApiResource = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
export const WIDGETS: ApiResource = {
  group: "shop.example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
};

/** A received request. */
export interface SeenRequest extends TransportRequest {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Answers one request. */
export type Step = (request: SeenRequest) => Response | Promise<Response>;

/** A transport that responds from a script, one step per request, and fails a test that sends more. */
export class ScriptedTransport implements Transport {
  readonly seen: SeenRequest[] = [];
  readonly #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  /** Adds steps to the end of the script. */
  then(...steps: Step[]): void {
    this.#steps.push(...steps);
  }

  get left(): number {
    return this.#steps.length;
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    const url = new URL(path, "http://server");
    const seen = { ...request, path: url.pathname, query: url.searchParams };
    this.seen.push(seen);
    const step = this.#steps.shift();
    assert.ok(step, `the script has no answer left for ${request.method ?? "GET"} ${path}`);
    return await step(seen);
  }

  close(): void {}
}

/** Answers with JSON. */
export function answer(body: unknown, code = 200, headers: Record<string, string> = {}): Step {
  return () => Response.json(body, { status: code, headers });
}

/** Answers with a Status. */
export function refuse(code: number, reason: string, message = reason, extra: Record<string, unknown> = {}): Step {
  const { headers, ...fields } = extra as { headers?: Record<string, string> };
  return answer(
    { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, ...fields },
    code,
    headers,
  );
}

/** Fails as a socket does. */
export function fail(message: string): Step {
  return () => Promise.reject(new TypeError("fetch failed", { cause: new Error(message) }));
}

/** Never answers, until the request is aborted. */
export function hang(): Step {
  return ({ signal }) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

/** A watch that a test feeds. */
export class ScriptedStream {
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly #body: ReadableStream<Uint8Array>;
  cancelled = false;

  constructor() {
    this.#body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => void (this.cancelled = true),
    });
  }

  /** The step that answers with this stream. */
  get step(): Step {
    return () => new Response(this.#body as unknown as BodyInit, { headers: { "content-type": "application/json" } });
  }

  /** Sends events. */
  send(...events: { type: string; object: unknown }[]): this {
    return this.text(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }

  /** Sends bytes as they are. */
  text(text: string): this {
    this.#controller.enqueue(new TextEncoder().encode(text));
    return this;
  }

  /** The server ends the stream. */
  end(): this {
    this.#controller.close();
    return this;
  }

  /** The connection breaks. */
  break(): this {
    this.#controller.error(new TypeError("error reading a body from connection"));
    return this;
  }
}
