import type { Identity } from "../base/certificates.ts";
import { type Clock, type Logger, sleep, type TransportRequest, UsageError } from "../base/mod.ts";
import { type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import {
  type AdmissionDeclaration,
  admissionDeclaration,
  type ConfigurationOptions,
  conversionPatch,
  converterOf,
  CRDS,
  webhookConfigurations,
  type WebhookPlace,
  webhookServiceName,
} from "../admission/mod.ts";
import { CertificateRotation } from "../admission/certificate_rotation.ts";
import { issueServing, type RotationBounds } from "../admission/serving_certificates.ts";
import { type ConversionHost, ConversionWebhook } from "../admission/conversion_webhook.ts";
import { WebhookRoutes } from "../admission/webhook_routes.ts";
import { WebhookServer } from "../admission/webhook_server.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { ConfigMap } from "./builtin_kinds.ts";
import type { Operator } from "./operator.ts";
import type { RunningOperator } from "./running_operator.ts";

export interface HostedWebhooks {
  /** Why they do not answer yet; undefined if they do. */
  readonly problem: string | undefined;
  /**
   * Applies the admission configurations, after the start. Conversions are served before, as filling stores may need
   * some.
   *
   * @throws the API server's errors; {@linkcode UsageError} if it never calls.
   */
  enable(): Promise<void>;
  /**
   * Stops calls of admission handlers until {@linkcode enable}; resolves when API servers obey. Call it before `close`,
   * so that no request fails without an answer.
   */
  disable?(): Promise<void>;
  /** Call it before the process ends: late requests are still answered, which `close` waits for. */
  beginShutdown?(): void;
  /**
   * Configurations stay: {@linkcode deleteWebhookConfigurations}. CRDs keep calling: unconverted versions would lose
   * data.
   */
  close(): Promise<void>;
}

export interface HostingOptions {
  readonly operator: Operator;
  readonly running: RunningOperator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onReview?: ConversionHost["onReview"];
}

/** Answers for a Service until the returned function is called. */
export type ServeService = (
  namespace: string,
  name: string,
  fetch: (path: string, request: TransportRequest) => Promise<Response>,
) => () => void;

const YEAR_MS = 365 * 86_400_000;
const PROBE = "pintle.dev/webhook-probe";
/** An API server uses a changed CRD only after a moment, which cannot be observed. */
const CRD_EFFECTIVE_MS = 500;
const PROBE_MS = 100, PROBES_MAX = 300;

export function configurationOf(
  operator: Operator,
  place: ConfigurationOptions["place"],
): Omit<ConfigurationOptions, "authorities"> {
  const labels = { "app.kubernetes.io/name": operator.name };
  return { name: operator.name, declarations: operator.admission, place, labels };
}

function routesOf(
  { operator, running, clock, logger, onReview }: HostingOptions,
  probes: readonly AdmissionDeclaration[] = [],
): WebhookRoutes {
  const { conversions } = operator;
  const conversion = conversions.length > 0
    ? new ConversionWebhook(conversions, { clock, logger, onReview })
    : undefined;
  return new WebhookRoutes(running.webhooks.extended(probes), conversion);
}

/**
 * Hosts webhooks on an API server of this process, without a network. `client` may write webhook configurations and
 * CRDs.
 *
 * @throws the API server's errors.
 */
export async function hostInProcess(
  hosting: HostingOptions,
  client: Client,
  serve: ServeService,
): Promise<HostedWebhooks> {
  const { operator } = hosting, routes = routesOf(hosting);
  const service = { namespace: "default", name: webhookServiceName(operator.name) };
  const end = serve(service.namespace, service.name, (path, request) => routes.fetch(path, request));
  try {
    await configureConversions(client, operator, { service });
  } catch (error) {
    end();
    throw error;
  }
  return {
    problem: undefined,
    enable: () => applyConfigurations(client, configurationOf(operator, { service })),
    disable: () => deleteWebhookConfigurations(client, operator),
    close: () => Promise.resolve(end()),
  };
}

interface UrlWebhooks extends HostedWebhooks {
  readonly url: string;
}

interface UrlHosting {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** As API servers call it, without a path, as `https://172.18.0.1:9443`; `https://name:port` by default. */
  readonly url?: string;
  /** API servers' name for `host`, if different. */
  readonly name?: string;
  /** The machine's time: callers check certificates by theirs. */
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Hosts webhooks at a URL that the API server reaches, with a certificate for this process's lifetime. `client` may
 * write webhook configurations and CRDs, and try to create ConfigMaps in the namespace `default`.
 *
 * @throws {UsageError} if the address cannot be bound, or an installation owns the webhooks; the API server's errors.
 */
export async function hostByUrl(
  hosting: HostingOptions,
  client: Client,
  { host, port, url, name = host, nowMs, signal }: UrlHosting,
): Promise<UrlWebhooks> {
  const { operator, clock, logger } = hosting;
  const called = url ? new URL(url).hostname.replace(/^\[|\]$/g, "") : name;
  const { identity, authority } = issueServing([called], nowMs, YEAR_MS);
  const answered = new Set<string>(), probes = probesOf(operator, (type) => void answered.add(type));
  const routes = routesOf(hosting, probes);
  let calls = 0;
  const server = await WebhookServer.start({
    webhooks: {
      bodyBytesMax: (path) => routes.bodyBytesMax(path),
      fetch: (path, request) => {
        calls++;
        return routes.fetch(path, request);
      },
    },
    host,
    port,
    identity,
    clock,
    logger,
  });
  const base = url ?? `https://${called.includes(":") ? `[${called}]` : called}:${server.port}`;
  const place = { url: base.replace(/\/$/, "") }, authorities = [authority];
  const declarations = [...operator.admission, ...probes];
  const close = () => server[Symbol.asyncDispose]();
  try {
    await configureConversions(client, operator, place, authorities);
    if (operator.conversions.length > 0) await sleep(clock, CRD_EFFECTIVE_MS, signal);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    problem: undefined,
    enable: async () => {
      const configurations = { ...configurationOf(operator, place), declarations, authorities };
      await failIfInstalled(client, configurations);
      const isCalled = () => answered.size >= probes.length;
      try {
        await applyConfigurations(client, configurations);
        await untilCalled(client, operator, { isCalled, place, clock, signal });
      } catch (error) {
        // Without a server, every covered request would be refused.
        await deleteWebhookConfigurations(client, operator);
        throw error;
      }
    },
    disable: async () => {
      await deleteWebhookConfigurations(client, operator);
      await untilNotCalled(client, operator, { calls: () => calls, clock });
    },
    url: place.url,
    close,
  };
}

async function untilCalled(
  client: Client,
  operator: Operator,
  { isCalled, place, clock, signal }: {
    readonly isCalled: () => boolean;
    readonly place: { readonly url: string };
    readonly clock: Clock;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  for (let attempt = 1; !isCalled(); attempt++) {
    if (attempt > PROBES_MAX) {
      throw new UsageError(
        `the API server did not call ${place.url} within ${PROBES_MAX * PROBE_MS / 1_000} s`,
        "it must be an address of this machine that the API server reaches, and no firewall of this machine may refuse its nodes",
      );
    }
    await client.create(ConfigMap, probeObject(operator), { dryRun: true, signal });
    if (!isCalled()) await sleep(clock, PROBE_MS, signal);
  }
}

/** Waits until no API server calls the probe: each obeys the end of a configuration a moment later. */
async function untilNotCalled(
  client: Client,
  operator: Operator,
  { calls, clock }: { readonly calls: () => number; readonly clock: Clock },
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const before = calls();
    await client.create(ConfigMap, probeObject(operator), { dryRun: true });
    if (calls() === before) return;
    if (attempt === PROBES_MAX) {
      throw new Error(
        `webhooks of ${operator.name} were still called ${PROBES_MAX * PROBE_MS / 1_000} s after their removal`,
      );
    }
    await sleep(clock, PROBE_MS);
  }
}

/** API servers use a configuration only after a moment, and may not reach a URL: a review of a probe shows both. */
function probesOf(operator: Operator, onCalled: (type: AdmissionDeclaration["type"]) => void): AdmissionDeclaration[] {
  const types = new Set(operator.admission.map(({ type }) => type));
  return [...types].map((type) =>
    admissionDeclaration(type, ConfigMap, () => onCalled(type), {
      id: `probe-${operator.name}`,
      labels: { [PROBE]: operator.name },
      operations: ["CREATE"],
      ignoreFailures: true,
      timeout: "2s",
    }) as unknown as AdmissionDeclaration
  );
}

function probeObject(operator: Operator) {
  return {
    metadata: { namespace: "default", name: `${operator.name}-webhook-probe`, labels: { [PROBE]: operator.name } },
  };
}

interface ServiceHosting {
  readonly namespace: string;
  readonly host: string;
  readonly port: number;
  readonly leads: () => boolean;
  readonly bounds?: Partial<RotationBounds>;
  readonly checkMs?: number;
  readonly firstCheckMs?: number;
  /** After `leave`, until nodes no longer route to the ending pod. Five seconds by default. */
  readonly drainMs?: number;
  readonly onServing?: (port: number) => void;
}

/**
 * Hosts webhooks behind a Service: every replica serves with a Secret's certificate, which the leader issues and
 * rotates. The server listens once there is one; until then `problem` reports it. `client` may write the Secret and the
 * CRDs, on every replica.
 */
export function hostByService(
  hosting: HostingOptions,
  client: Client,
  { namespace, host, port, leads, bounds, checkMs, firstCheckMs, drainMs = 5_000, onServing }: ServiceHosting,
): HostedWebhooks {
  const { operator, running, clock, logger } = hosting, { conversions } = operator, routes = routesOf(hosting);
  const name = webhookServiceName(operator.name), stop = new AbortController();
  let server: WebhookServer | undefined, drained: Promise<void> | undefined;
  const show = async (identity: Identity) => {
    if (server) return server.setCertificate(identity);
    server = await WebhookServer.start({ webhooks: routes, host, port, identity, clock, logger });
    onServing?.(server.port);
  };
  const rotation = new CertificateRotation({
    client: running.client,
    clock,
    logger,
    secret: { namespace, name },
    names: [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`],
    configuration: configurationOf(operator, { service: { namespace, name } }),
    leads,
    conversion: conversions.length > 0 ? { crds: conversions.map(({ crd }) => crd), client } : undefined,
    onCertificates: ({ serving }) => show(serving),
    bounds,
    checkMs,
    firstCheckMs,
  });
  const kept = rotation.run(stop.signal);
  return {
    get problem() {
      return rotation.problem;
    },
    enable: () => Promise.resolve(), // the leader does, at its next check
    beginShutdown: () => {
      server?.disableKeepAlive();
      drained ??= sleep(clock, drainMs);
    },
    close: async () => {
      stop.abort();
      await kept;
      await drained;
      await server?.[Symbol.asyncDispose]();
    },
  };
}

export async function deleteWebhookConfigurations(client: Client, operator: Operator): Promise<void> {
  for (const { resource, object } of webhookConfigurations(configurationOf(operator, { url: "https://nowhere" }))) {
    await client.delete(resource, keyOf(object)).catch((error) => {
      if (!(error instanceof NotFoundError)) throw error; // there is none
    });
  }
}

async function applyConfigurations(client: Client, options: ConfigurationOptions): Promise<void> {
  for (const { resource, object } of webhookConfigurations(options)) {
    await client.apply(resource, object, { force: true });
  }
}

async function failIfInstalled(client: Client, options: ConfigurationOptions): Promise<void> {
  for (const { resource } of webhookConfigurations(options)) {
    const live = await client.find<DynamicObject>(resource, { name: options.name });
    const webhooks = (live?.webhooks ?? []) as { readonly clientConfig?: { readonly service?: unknown } }[];
    if (webhooks.some(({ clientConfig }) => clientConfig?.service)) throw new InstalledError(options.name);
  }
}

async function configureConversions(
  client: Client,
  operator: Operator,
  place: WebhookPlace,
  authorities?: readonly string[],
): Promise<void> {
  for (const { crd } of operator.conversions) {
    const live = await client.find<DynamicObject>(CRDS, { name: crd }), converter = live && converterOf(live);
    // Every installation names the Service; one that has run has an authority, too.
    if ("url" in place && converter?.service && converter.caBundle) throw new InstalledError(operator.name);
    await client.patch(CRDS, { name: crd }, { type: "merge", body: conversionPatch(place, authorities) });
  }
}

/** An installation owns the webhooks: a process that ends must not remove them. */
class InstalledError extends UsageError {
  constructor(operator: string) {
    super(
      `the webhooks of ${operator} are installed in this cluster, behind a Service`,
      "uninstall the operator and install it with --skip-webhooks, or leave PINTLE_WEBHOOK_URL out",
    );
  }
}
