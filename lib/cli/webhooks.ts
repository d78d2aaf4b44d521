import type { HostedWebhooks, HostingOptions } from "../operator/webhook_hosting.ts";
import type { Clock, Logger, Transport } from "../base/mod.ts";
import { Client } from "../client/mod.ts";
import type { HostGateway, RunningOperator } from "../operator/mod.ts";
import type { OpenedCluster } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";
import { SETTINGS, type Settings } from "./settings.ts";

interface WebhookWork {
  readonly cluster: OpenedCluster;
  readonly running: RunningOperator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leads: () => boolean;
  readonly onReview?: HostingOptions["onReview"];
  readonly signal: AbortSignal;
}

/** The `PINTLE_WEBHOOK_URL` that finds the address. In a pod it is the Service's. */
const AUTO = "auto";

/** How an embedded server in another process reaches this one. */
const LOOPBACK: HostGateway = { host: "127.0.0.1", name: "127.0.0.1" };

/** Whether `run` serves webhooks, so that readiness depends on them. */
export function servesWebhooks({ operator, settings }: CommandContext, cluster: OpenedCluster): boolean {
  return operator.servesWebhooks &&
    (settings.webhookUrl !== "" || ["embedded", "in-cluster"].includes(cluster.source));
}

/**
 * Serves the operator's webhooks where the cluster reaches them: in this process if it is embedded, behind the Service
 * in a pod, else at `PINTLE_WEBHOOK_URL`. Undefined if none are declared, or no setting tells how to reach them.
 * Conversions are called from then on, admission handlers after `admit`.
 *
 * @throws {UsageError} for an address that is invalid, not found, or cannot be bound.
 */
export async function openWebhooks(context: CommandContext, work: WebhookWork): Promise<HostedWebhooks | undefined> {
  const { operator, settings } = context, { cluster, running, clock, logger, leads, onReview } = work;
  if (!operator.servesWebhooks) return undefined;
  if (!servesWebhooks(context, cluster)) {
    const fix =
      "set PINTLE_WEBHOOK_URL: auto for kind and similar clusters, else an https address that the API server reaches";
    if (operator.admission.length > 0) logger.warn("admission webhooks are not served", { fix });
    if (operator.conversions.length > 0) logger.warn("objects are not converted between versions", { fix });
    return undefined;
  }
  const { hostByService, hostInProcess } = await import("../operator/webhook_hosting.ts");
  const hosting = { operator, running, clock, logger, onReview };
  const { webhookHost: host, webhookPort: port, webhookUrl } = settings;
  const as = (transport: Transport) =>
    new Client(transport, { fieldManager: operator.name, clock, mask: context.mask });
  const client = as(cluster.transport);
  if (cluster.serveService) {
    const hosted = await hostInProcess(hosting, client, cluster.serveService);
    return {
      ...hosted,
      enable: () => hosted.enable().then(() => logger.info("webhooks are called", { cluster: cluster.source })),
    };
  }
  if ((!webhookUrl || webhookUrl === AUTO) && cluster.source === "in-cluster") {
    return hostByService(hosting, client, { namespace: cluster.namespace, host, port, leads });
  }
  // The ServiceAccount may not create configurations with a URL.
  return await openAtUrl(settings, hosting, as(cluster.administrator ?? cluster.transport), work);
}

/** Hosts at a URL while this process lives, and removes the configurations afterwards. */
async function openAtUrl(
  settings: Settings,
  hosting: HostingOptions,
  client: Client,
  { cluster, signal }: WebhookWork,
): Promise<HostedWebhooks> {
  const { operator, clock, logger } = hosting,
    { webhookPort: port } = settings,
    webhookUrl = settings.webhookUrl || AUTO;
  const { deleteWebhookConfigurations, hostByUrl } = await import("../operator/webhook_hosting.ts");
  const address = webhookUrl === AUTO
    ? await foundAddress(settings, cluster, client, { clock, signal })
    : { host: settings.webhookHost, url: webhookUrl };
  const { url, ...hosted } = await hostByUrl(hosting, client, { ...address, port, nowMs: clock.now(), signal });
  let isAdmitted = false;
  return {
    ...hosted,
    enable: async () => {
      await hosted.enable();
      isAdmitted = true;
      logger.info("webhooks are called", { url });
    },
    close: async () => {
      // Unanswered, they would block every write of these resources.
      if (isAdmitted) await deleteWebhookConfigurations(client, operator);
      await hosted.close();
    },
  };
}

/** Listens only on the address that the API server reaches, unless a setting names another. */
async function foundAddress(
  { webhookHost }: Settings,
  { server, source }: OpenedCluster,
  client: Client,
  { clock, signal }: Pick<WebhookWork, "clock" | "signal">,
): Promise<HostGateway> {
  const { findHostGateway } = await import("../operator/host_gateway.ts");
  const isLocal = /^(127\.|\[::1\]$|localhost$)/.test(new URL(server).hostname);
  const { host, name } = source === "embedded"
    ? LOOPBACK
    : await findHostGateway(client, { clock, isLocal, os: Deno.build.os, signal });
  return { host: webhookHost === SETTINGS.webhookHost.default ? host : webhookHost, name };
}
