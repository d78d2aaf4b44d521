import type { HostedWebhooks } from "../operator/webhook_hosting.ts";
import {
  type Clock,
  formatDuration,
  type Logger,
  type Mask,
  maskLogger,
  SystemClock,
  UsageError,
} from "../base/mod.ts";
import { formatGroupResource, gatedScope, scopeOfGlobs } from "../apimachinery/mod.ts";
import { Client } from "../client/mod.ts";
import { Journal } from "../controller/mod.ts";
import { Metrics } from "../health/metrics.ts";
import { type HttpRoute, maskedChecks, probeChecks, serveHealth, type Tracing } from "../health/mod.ts";
import type { Recorder } from "../explore/mod.ts";
import type { Operator, RunningOperator, StartOptions } from "../operator/mod.ts";
import { dropPermissions } from "./drop_permissions.ts";
import { explainRoute } from "./explain_route.ts";
import { EXIT, exitCodeOf } from "./exit.ts";
import { liveness, readiness, webhookReadiness } from "./health_checks.ts";
import { openLogging } from "./logging.ts";
import { openClusterAsOperator, type OpenedCluster } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";
import { leaseTiming, openReplica, registerMetrics, type Replica } from "./coordination.ts";
import { requireReady } from "./require_ready.ts";
import type { Settings } from "./settings.ts";
import { UnhandledErrors } from "./unhandled_errors.ts";
import { openWebhooks, servesWebhooks } from "./webhooks.ts";
import { endLingering, endWithParent, Interrupts } from "./interrupts.ts";

/**
 * `run`: the operator against a cluster, until SIGTERM or SIGINT. It ends soon after, despite a handler's timers or
 * sockets.
 */
export async function run(context: CommandContext): Promise<number> {
  const clock = new SystemClock();
  if (context.embeddedAt) endWithParent(clock);
  try {
    return await operate(context, clock);
  } catch (error) {
    // Restart a replica that lost its Lease: an open watch must not keep it alive.
    endLingering(clock, exitCodeOf(error));
    throw error;
  }
}

async function operate(context: CommandContext, clock: SystemClock): Promise<number> {
  const { operator, settings, version, mask } = context;
  requireTimes(settings);
  const root = openLogging({ level: settings.logLevel, format: settings.logFormat, name: context.program, clock });
  const logger = maskLogger(root, mask);
  const onSecond = () => logger.info("interrupted again: ending at once, without waiting for running handlers");
  using interrupts = new Interrupts({ onSecond });
  await using cluster = await openClusterAsOperator(context, clock, logger);
  using recorder = await openRecorder(context, { clock, logger, mask });
  // A credential plugin is a program, and an embedded cluster writes a kubeconfig; a pod needs neither.
  await dropPermissions(cluster.source === "in-cluster" ? ["run", "write", "ffi"] : ["ffi"]);
  logger.info("starting", { version, server: cluster.server, credentials: cluster.source, proxy: cluster.proxy });
  if (cluster.kubeconfigPath) {
    logger.info("the embedded API server is for trying things out", { kubeconfig: cluster.kubeconfigPath });
  }
  let running: RunningOperator | undefined;
  const metrics = new Metrics(clock);
  using _unhandled = new UnhandledErrors({ operator: operator.name, logger, count: () => metrics.unhandledError() });
  using replica = openReplica(context, cluster, {
    clock,
    logger,
    drain: async (graceMs) => await running?.release(graceMs),
  });
  const client = new Client(cluster.transport, { fieldManager: operator.name, clock, mask });
  try {
    await requireReady(context, client, {
      ...replica.leases,
      webhookNamespace: cluster.source === "in-cluster" ? cluster.namespace : undefined,
      clock,
      logger,
      signal: interrupts.signal,
    });
  } catch (error) {
    // The kubelet may end a pod before the API server answers: nothing failed.
    if (interrupts.signal.aborted) return EXIT.done;
    throw error;
  }
  registerMetrics(metrics, operator.name, replica);
  let webhooks: HostedWebhooks | undefined;
  const journal = new Journal(), parts = { cluster, client, clock, logger, metrics, journal };
  const health = openHealth(context, { ...parts, running: () => running, webhooks: () => webhooks });
  try {
    const { signal } = interrupts, onReview = metrics.review.bind(metrics);
    const open = (running: RunningOperator) =>
      openWebhooks(context, { cluster, running, clock, logger, leads: replica.works, onReview, signal });
    const serve = async (started: RunningOperator) => {
      running = started;
      // Conversions may be needed before stores are full, admission handlers after.
      if (operator.conversions.length > 0) webhooks = await open(started);
    };
    running = await start(context, replica, metrics, { logger, journal, recorder, serve, signal });
    webhooks ??= await open(running);
    await webhooks?.enable();
    const lost = await Promise.race([interrupts.received, replica.lost]);
    // Another replica may lead by now, so this one cleans up nothing and restarts.
    if (lost) throw lost;
    logger.info("stopping", { grace: formatDuration(settings.gracePeriodMs) });
    webhooks?.beginShutdown?.();
    await running.stop(settings.gracePeriodMs);
    await replica.release();
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
  } finally {
    await webhooks?.close();
    await running?.[Symbol.asyncDispose]();
    await health.close();
  }
  endLingering(clock, EXIT.done);
  return EXIT.done;
}

function openHealth(
  context: CommandContext,
  { cluster, client, clock, logger, metrics, journal, running, webhooks }: {
    readonly cluster: OpenedCluster;
    readonly client: Client;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly journal: Journal;
    readonly running: () => RunningOperator | undefined;
    readonly webhooks: () => HostedWebhooks | undefined;
  },
): ReturnType<typeof serveHealth> {
  const { operator, settings, mask } = context, hasWebhooks = servesWebhooks(context, cluster);
  const ownProbes = (of: "liveness" | "readiness") => ownChecks(operator, of, running, clock);
  return serveHealth({
    host: settings.httpHost,
    port: settings.httpPort,
    logger,
    clock,
    routes: [
      explainRoute({ operator: operator.name, journal, running, client, clock, mask }),
      ...operator.routes.map(({ handler, ...route }): HttpRoute => ({
        ...route,
        handle: (request, signal) => {
          const current = running();
          if (!current) return new Response("the operator has not started yet\n", { status: 503 });
          return current.run((context) => handler(request, context), signal);
        },
      })),
    ],
    metrics: async () => {
      const { body, contentType } = await metrics.scrape();
      return { body: `${body}${operator.metrics.text()}`, contentType };
    },
    livez: maskedChecks([...liveness(running, clock, settings.handlerTimeoutMs), ...ownProbes("liveness")], mask),
    readyz: maskedChecks([
      ...readiness(running, settings.stalenessMaxMs, {
        converts: hasWebhooks && operator.conversions.length > 0,
        transport: cluster.transport,
      }),
      ...(hasWebhooks ? [webhookReadiness(webhooks)] : []),
      ...ownProbes("readiness"),
    ], mask),
  });
}

/** @throws {UsageError} if the first pause exceeds the longest, or the times of Leases do not fit. */
function requireTimes(settings: Settings): void {
  leaseTiming(settings);
  if (settings.backoffInitialMs > settings.backoffMaxMs) {
    throw new UsageError(
      "PINTLE_BACKOFF_INITIAL is longer than PINTLE_BACKOFF_MAX",
      "shorten the first, or lengthen the second",
    );
  }
}

function ownChecks(
  operator: Operator,
  of: "liveness" | "readiness",
  running: () => RunningOperator | undefined,
  clock: Clock,
): ReturnType<typeof probeChecks> {
  const probes = operator.probes.filter((probe) => probe.of === of).map(({ id, check }) => ({
    id,
    check: (signal: AbortSignal) => {
      const current = running();
      if (!current) throw new Error("the operator has not started yet");
      return current.run(check, signal);
    },
  }));
  return probeChecks(probes, clock);
}

async function start(
  context: CommandContext,
  { transport, leadership, gate, identity }: Replica,
  metrics: Metrics,
  { logger, recorder, ...options }: Pick<StartOptions, "journal" | "serve" | "signal"> & {
    readonly logger: Logger;
    readonly recorder: Recorder | undefined;
  },
): Promise<RunningOperator> {
  const { operator, settings, version, mask } = context;
  const { tracer, span } = await loadTracing(operator.name, version, mask);
  return operator.start({
    ...options,
    transport: recorder ? recorder.transport(transport) : transport,
    random: recorder?.random,
    logger,
    mask,
    leadership,
    scope: gate ? gatedScope(scopeOfGlobs(settings.namespaces), gate) : scopeOfGlobs(settings.namespaces),
    instance: identity,
    onRequest: (record) => metrics.request(record),
    onReview: (record) => metrics.review(record),
    tracer,
    observe: (controller) => ({ ...metrics.observer(controller), span }),
    ...engineOptions(settings),
  }).then((running) => {
    metrics.controllers(() => running.kinds);
    metrics.watches(() =>
      running.watches.map(({ resource, size, ...watch }) => ({
        ...watch,
        resource: formatGroupResource(resource),
        objects: size,
      }))
    );
    return running;
  });
}

/** @throws {UsageError} if the file has content: a recording cannot be made again. */
export async function requireNewFile(record: string): Promise<void> {
  const { size } = await Deno.stat(record).catch(() => ({ size: 0 })); // what keeps it from being opened is said then
  if (size === 0) return;
  throw new UsageError(`${record} exists already, and a recording would replace it`, "name another file, or remove it");
}

async function openRecorder(
  { record, operator, version, table, origins }: CommandContext,
  parts: Parameters<typeof Recorder.open>[2],
): Promise<Recorder | undefined> {
  if (record === undefined) return undefined;
  const { Recorder } = await import("../explore/mod.ts"); // an operator that records nothing explores nothing
  const settings = Object.entries(table).filter(([, { secret }]) => !secret).map(([name, { env }]) =>
    [env, origins[name]!.text] as const
  );
  return Recorder.open(record, { operator: operator.name, version, settings: Object.fromEntries(settings) }, parts);
}

/** The bounds of an operator, by its settings. */
export function engineOptions(settings: Settings): Pick<StartOptions, "requests" | "watching" | "controller"> {
  return {
    requests: { requestTimeoutMs: settings.requestTimeoutMs, retriesMax: settings.requestRetriesMax },
    watching: { idleMsMax: settings.watchIdleMaxMs, pageLimit: settings.pageLimit },
    controller: {
      workersMax: settings.workersMax,
      timeoutMs: settings.handlerTimeoutMs,
      ownWriteWaitMsMax: settings.ownWriteWaitMaxMs,
      backoff: { initialMs: settings.backoffInitialMs, maxMs: settings.backoffMaxMs },
    },
  };
}

/** Loads OpenTelemetry only if Deno registered its exporter. */
async function loadTracing(name: string, version: string, mask: Mask): Promise<Partial<Tracing>> {
  if (!Reflect.has(globalThis, Symbol.for("opentelemetry.js.api.1"))) return {};
  const { tracing } = await import("../health/tracing.ts");
  return tracing(name, version, mask);
}
