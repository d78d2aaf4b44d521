/** A span as OTLP's JSON has it, its attributes as a plain object. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly scope: string;
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
}

interface RawSpan extends Omit<Span, "attributes" | "events" | "scope"> {
  readonly attributes: readonly RawAttribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly RawAttribute[] }[];
}

interface RawAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface RawTraces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { scope?: { name: string }; spans: RawSpan[] }[] }[];
}

/** A collector of OpenTelemetry on a loopback port: OTLP over HTTP, JSON. */
export class OtlpCollector implements AsyncDisposable {
  readonly spans: Span[] = [];
  /** Everything that was sent, traces, logs and metrics, as text. */
  received = "";
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => this.#take(request),
  );

  /** What the environment of a process needs to send here, soon and in JSON. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
    };
  }

  /** Stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #take(request: Request): Promise<Response> {
    const text = await request.text();
    this.received += text;
    if (!new URL(request.url).pathname.endsWith("/traces")) return Response.json({});
    const { resourceSpans } = JSON.parse(text) as RawTraces;
    for (const { scope, spans } of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)) {
      for (const { attributes, events, ...span } of spans) {
        this.spans.push({
          ...span,
          scope: scope?.name ?? "",
          attributes: plain(attributes),
          events: events.map(({ name, attributes }) => ({ name, attributes: plain(attributes) })),
        });
      }
    }
    return Response.json({});
  }
}

function plain(attributes: readonly RawAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
