import type { Mask } from "../base/mod.ts";
import { type Span, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";

export interface Tracing {
  /** Creates a span per API request. */
  readonly tracer: Tracer;
  /** Creates a span per pass: an observer's `span`. The requests of `work` are inside. */
  readonly span: (
    name: string,
    attributes: Record<string, string>,
    work: (span: WorkSpan) => Promise<void>,
  ) => Promise<void>;
}

interface WorkSpan {
  /** For log lines; undefined without tracing. */
  readonly traceId: string | undefined;
  /** An `error` marks the span as failed. */
  ended(result: string, error?: unknown): void;
}

/**
 * Spans over OpenTelemetry, which Deno exports if `OTEL_DENO=true`; otherwise no-ops. The trace context goes into HTTP
 * headers and log lines, never into objects. `mask` removes secret values from errors.
 *
 * Environment: `OTEL_DENO=true`, `OTEL_EXPORTER_OTLP_ENDPOINT` (such as `http://collector:4318`),
 * `OTEL_EXPORTER_OTLP_PROTOCOL` (`http/protobuf` by default, or `http/json`). Deno's exporter needs no permission: the
 * program's cover its own code only.
 */
export function tracing(name: string, version: string, mask: Mask): Tracing {
  const tracer = trace.getTracer(name, version);
  return {
    tracer,
    span: (name, attributes, work) =>
      tracer.startActiveSpan(name, { attributes }, async (active: Span) => {
        try {
          await work({
            traceId: active.isRecording() ? active.spanContext().traceId : undefined,
            ended: (result, error) => enter(active, result, error, mask),
          });
        } finally {
          active.end();
        }
      }),
  };
}

function enter(span: Span, result: string, error: unknown, mask: Mask): void {
  span.setAttribute("reconcile.result", result);
  if (error === undefined) return;
  const failure = error instanceof Error ? error : new Error(String(error));
  const message = mask.text(failure.message);
  span.recordException({ name: failure.name, message, stack: failure.stack && mask.text(failure.stack) });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
