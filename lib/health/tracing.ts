import { type Span, SpanStatusCode, trace } from "@opentelemetry/api";

/**
 * A span runner over OpenTelemetry. Deno exports what it records when `OTEL_DENO=true`, and makes the spans of the fetches
 * inside by itself; without that, spans are no-ops and nothing is traced. The trace context goes into HTTP headers and log
 * lines, never into objects.
 *
 * What the process needs in its environment: `OTEL_DENO=true`, `OTEL_EXPORTER_OTLP_ENDPOINT` (such as
 * `http://collector:4318`), and `OTEL_EXPORTER_OTLP_PROTOCOL` where the collector does not speak `http/protobuf`.
 */
export function tracer(name: string, version: string): <R>(
  span: string,
  attributes: Record<string, string>,
  work: (traceId?: string) => Promise<R>,
) => Promise<R> {
  const source = trace.getTracer(name, version);
  return (span, attributes, work) =>
    source.startActiveSpan(span, { attributes }, async (active: Span) => {
      try {
        return await work(active.isRecording() ? active.spanContext().traceId : undefined);
      } catch (error) {
        active.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
        throw error;
      } finally {
        active.end();
      }
    });
}
