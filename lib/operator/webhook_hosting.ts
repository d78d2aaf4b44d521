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
import { CertificateKeeper } from "../admission/certificate_keeper.ts";
import { issueServing, type RotationBounds } from "../admission/serving_certificates.ts";
import { type ConversionHost, ConversionWebhook } from "../admission/conversion_webhook.ts";
import { WebhookRoutes } from "../admission/webhook_routes.ts";
import { WebhookServer } from "../admission/webhook_server.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { ConfigMap } from "./builtin_kinds.ts";
import type { Operator } from "./operator.ts";
import type { RunningOperator } from "./running_operator.ts";

/** The webhooks of an operator that runs, where API servers reach them. */
export interface HostedWebhooks {
  /** Why they do not answer yet; undefined where they do. */
  readonly problem: string | undefined;
  /**
   * Applies the webhook configurations for admission; call it once the operator has started. Conversions are served
   * from the beginning, since filling the stores may need some.
   *
   * @throws what the API server answers to the configurations; {@linkcode UsageError} where it never asks.
   */
  admit(): Promise<void>;
  /**
   * Has API servers ask the admission handlers no more, until {@linkcode admit} is called again; resolves when they
   * obey. To be called before `close`, so that nothing is refused because of what does not answer.
   */
  withdraw?(): Promise<void>;
  /**
   * Call it when the process is about to end: late requests are answered for a while, which `close` waits for.
   */
  leave?(): void;
  /**
   * Ends them. The configurations stay: see {@linkcode forgetWebhooks}. CRDs go on asking, too: an answer that does not
   * come loses nothing, and versions that are taken for the same would.
   */
  close(): Promise<void>;
}

/** What hosts of webhooks need. */
export interface HostingOptions {
  readonly operator: Operator;
  readonly running: RunningOperator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each conversion review. */
  readonly onReview?: ConversionHost["onReview"];
}

/** Has code of this process answer for a Service inside of a cluster, until the function that it returns is called. */
export type ServeService = (
  namespace: string,
  name: string,
  fetch: (path: string, request: TransportRequest) => Promise<Response>,
) => () => void;

const YEAR_MS = 365 * 86_400_000;
const PROBE = "pintle.dev/webhook-probe";
/** An API server uses a changed CRD only after a moment, which cannot be observed. */
const CRD_EFFECTIVE_MS = 500;
/** Between two probes, and how many there are at most. */
const PROBE_MS = 100, PROBES_MAX = 300;

/** The common part of every configuration. */
export function configurationOf(
  operator: Operator,
  place: ConfigurationOptions["place"],
): Omit<ConfigurationOptions, "authorities"> {
  const labels = { "app.kubernetes.io/name": operator.name };
  return { name: operator.name, declarations: operator.admission, place, labels };
}

/** What a server answers with: conversions, admission, and what `probes` are for. */
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
 * Hosts webhooks on an API server of this process: it calls them without a network. `client` may write webhook
 * configurations and CRDs.
 *
 * @throws what the API server answers to that.
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
    await askForConversions(client, operator, { service });
  } catch (error) {
    end();
    throw error;
  }
  return {
    problem: undefined,
    admit: () => applyConfigurations(client, configurationOf(operator, { service })),
    withdraw: () => forgetWebhooks(client, operator),
    close: () => Promise.resolve(end()),
  };
}

/** Webhooks that are hosted by URL. */
interface UrlWebhooks extends HostedWebhooks {
  /** By which API servers call them, without a path. */
  readonly url: string;
}

/** Where a host by URL listens, and what API servers call. */
interface UrlHosting {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** As API servers reach it, without a path, as `https://172.18.0.1:9443`; `https://name:port` where absent. */
  readonly url?: string;
  /** What API servers call `host`, where that is something else. */
  readonly name?: string;
  /** The machine's time: callers check certificates by theirs. */
  readonly nowMs: number;
  /** Ends the wait for the first call. */
  readonly signal?: AbortSignal;
}

/**
 * Hosts webhooks at a URL that the API server reaches, with a certificate of its own for as long as the process lives.
 * `client` may write webhook configurations and CRDs, and try to create ConfigMaps in the namespace `default`.
 *
 * @throws {UsageError} where the address cannot be bound, or the webhooks are those of an installation; what the API
 *   server answers.
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
    await askForConversions(client, operator, place, authorities);
    if (operator.conversions.length > 0) await sleep(clock, CRD_EFFECTIVE_MS, signal);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    problem: undefined,
    admit: async () => {
      const configurations = { ...configurationOf(operator, place), declarations, authorities };
      await refuseInstalled(client, configurations);
      const isCalled = () => answered.size >= probes.length;
      try {
        await applyConfigurations(client, configurations);
        await untilCalled(client, operator, { isCalled, place, clock, signal });
      } catch (error) {
        // Without a server, every covered request would be refused.
        await forgetWebhooks(client, operator);
        throw error;
      }
    },
    withdraw: async () => {
      await forgetWebhooks(client, operator);
      await untilQuiet(client, operator, { calls: () => calls, clock });
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

/** Waits until a probe is called for by no API server: each obeys the end of a configuration a moment later. */
async function untilQuiet(
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
        `webhooks of ${operator.name} were still called ${PROBES_MAX * PROBE_MS / 1_000} s after their end`,
      );
    }
    await sleep(clock, PROBE_MS);
  }
}

/**
 * API servers use a configuration only after a moment, and may not reach a URL at all: a review of a probe shows both.
 */
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

/** Where a host behind a Service listens. */
interface ServiceHosting {
  readonly namespace: string;
  readonly host: string;
  readonly port: number;
  /** Whether this replica leads. */
  readonly leads: () => boolean;
  readonly bounds?: Partial<RotationBounds>;
  readonly checkMs?: number;
  readonly firstCheckMs?: number;
  /**
   * From `leave` on: until nodes have learnt that a pod that ends is behind the Service no more. Five seconds where
   * absent.
   */
  readonly drainMs?: number;
  /** Called with the port once it is known. */
  readonly onServing?: (port: number) => void;
}

/**
 * Hosts webhooks behind their Service: every replica serves with the certificate of a Secret, which the leader issues
 * and rotates. The server begins to listen when there is one; until then `problem` reports it. `client` may write the
 * Secret and the CRDs, whether this replica leads or not.
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
  const keeper = new CertificateKeeper({
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
  const kept = keeper.run(stop.signal);
  return {
    get problem() {
      return keeper.problem;
    },
    admit: () => Promise.resolve(), // the leader does, at its next check
    leave: () => {
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

/** Removes an operator's webhook configurations; nothing where there are none. */
export async function forgetWebhooks(client: Client, operator: Operator): Promise<void> {
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

async function refuseInstalled(client: Client, options: ConfigurationOptions): Promise<void> {
  for (const { resource } of webhookConfigurations(options)) {
    const live = await client.find<DynamicObject>(resource, { name: options.name });
    const webhooks = (live?.webhooks ?? []) as { readonly clientConfig?: { readonly service?: unknown } }[];
    if (webhooks.some(({ clientConfig }) => clientConfig?.service)) throw new InstalledError(options.name);
  }
}

/** Has API servers ask at a place for objects of the operator's kinds in other versions. */
async function askForConversions(
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

/** The webhooks are those of an installation: a process that ends must not take them along. */
class InstalledError extends UsageError {
  constructor(operator: string) {
    super(
      `the webhooks of ${operator} are installed in this cluster, behind a Service`,
      "uninstall the operator and install it with --skip-webhooks, or leave PINTLE_WEBHOOK_URL out",
    );
  }
}
