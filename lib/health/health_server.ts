import { type Clock, describeError, listenHint, type Logger, UsageError } from "../base/mod.ts";
import { answerRoute, type HttpRoute } from "./http_route.ts";

/** Returns the problem, or undefined. */
export interface HealthCheck {
  readonly name: string;
  readonly check: () => string | undefined | Promise<string | undefined>;
}

interface HealthServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** A failure requests a restart. About this process only, never about the cluster. */
  readonly livez: readonly HealthCheck[];
  /** A failure means that the operator cannot work now. */
  readonly readyz: readonly HealthCheck[];
  readonly metrics?: () => Promise<{ body: string; contentType: string }>;
  readonly routes?: readonly HttpRoute[];
  readonly logger: Logger;
  readonly clock: Clock;
  /** Responses in flight have so long on close; then they are cut. 1 s by default. */
  readonly closeMsMax?: number;
}

interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/livez`, `/readyz` (kube's own format with `?verbose`) and `/metrics` on one port.
 *
 * @throws {UsageError} naming an address that cannot be bound.
 */
export function serveHealth(options: HealthServerOptions): HealthServer {
  const { host, port, logger, clock, closeMsMax = 1_000 } = options;
  const cut = new AbortController(), stop = new AbortController(), idle = Promise.withResolvers<void>();
  let inFlight = 0, closing = false;
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    const onListen = ({ port }: Deno.NetAddr) => logger.info("health and metrics are served", { host, port });
    const handler = async (request: Request) => {
      inFlight++;
      const end = () => {
        if (--inFlight === 0 && closing) idle.resolve();
      };
      try {
        return untilRead(await answer(request, options, stop.signal), end, logger);
      } catch (error) {
        end();
        throw error;
      }
    };
    server = Deno.serve({ hostname: host, port, onListen, signal: cut.signal, handler });
  } catch (error) {
    throw new UsageError(
      `cannot listen on ${host}:${port} for health and metrics: ${(error as Error).message}`,
      listenHint(error, port, "--http-port or PINTLE_HTTP_PORT (0 picks a free one)"),
      { cause: error },
    );
  }
  const close = async () => {
    closing = true;
    stop.abort(new Error("the server is closing"));
    // A hanging handler would block a graceful shutdown and the process's end; Deno cannot cut a server off once its
    // shutdown has begun. So the wait comes first.
    const timer = clock.schedule(() => idle.resolve(), closeMsMax);
    if (inFlight > 0) await idle.promise;
    clock.clear(timer);
    if (inFlight > 0) cut.abort();
    else await server.shutdown();
  };
  return { port: server.addr.port, close };
}

/** Calls `end` once the body is read, cancelled, or has failed. */
function untilRead(response: Response, end: () => void, logger: Logger): Response {
  const reader = response.body?.getReader();
  if (!reader) {
    end();
    return response;
  }
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        logger.error("a response failed while it was sent", { error: describeError(error) });
        controller.error(error);
      }
      end();
    },
    cancel: async (reason) => {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}

async function answer(request: Request, options: HealthServerOptions, stop: AbortSignal): Promise<Response> {
  const { livez, readyz, metrics, routes = [], clock, logger } = options;
  const { pathname, searchParams } = new URL(request.url), route = routes.find(({ path }) => path === pathname);
  if (route) return await answerRoute(route, request, { clock, logger, signal: stop });
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("method not allowed\n", { status: 405 });
  }
  switch (pathname) {
    case "/livez":
      return await report("livez", livez, searchParams.has("verbose"));
    case "/readyz":
      return await report("readyz", readyz, searchParams.has("verbose"));
  }
  if (pathname === "/metrics" && metrics) {
    const { body, contentType } = await metrics();
    return new Response(body, { headers: { "content-type": contentType } });
  }
  const served = ["/livez", "/readyz", ...(metrics ? ["/metrics"] : []), ...routes.map(({ path }) => path)];
  return new Response(`not found: this server has ${served.join(", ")}\n`, { status: 404 });
}

async function report(name: string, checks: readonly HealthCheck[], verbose: boolean): Promise<Response> {
  const results = await Promise.all(checks.map(async ({ name, check }) => ({ name, problem: await check() })));
  const failed = results.some(({ problem }) => problem !== undefined);
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`
  );
  const verdict = failed ? `${name} check failed` : verbose ? `${name} check passed` : "ok";
  const body = failed || verbose ? [...lines, verdict].join("\n") : verdict;
  return new Response(`${body}\n`, { status: failed ? 500 : 200 });
}
