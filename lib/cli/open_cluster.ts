import type { ServeService } from "../operator/webhook_hosting.ts";
import { type Clock, describeError, listenHint, type Logger, type Transport, UsageError } from "../base/mod.ts";
import { Client, type Connection, connectVariables, proxyVariables } from "../client/mod.ts";
import { applyCrds, applyInstallation, installation, installNamespace, isWebhook } from "../operator/mod.ts";
import type { Manifests } from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";

export interface OpenedCluster extends AsyncDisposable {
  readonly transport: Transport;
  /** The administrator's, if `transport` acts as the operator's ServiceAccount. */
  readonly administrator?: Transport;
  readonly server: string;
  /** The namespace of the pod or the context. */
  readonly namespace: string;
  readonly source: string;
  /** The proxy without its password, if any. */
  readonly proxy?: string | undefined;
  readonly kubeconfigPath?: string;
  readonly as?: (user: { readonly name: string; readonly groups: readonly string[] }) => Transport | Promise<Transport>;
  /** Answers for a Service of an embedded cluster from this process. */
  readonly serveService?: ServeService;
}

/**
 * The cluster of the settings. Sends requests only to an embedded one, to make it serve the operator's kinds.
 *
 * @throws {RangeError} naming kind and field of a CRD that cannot be built, or an API error if the embedded server
 *   refuses it.
 */
export async function openCluster(context: CommandContext, clock: Clock, logger: Logger): Promise<OpenedCluster> {
  const { settings, env, operator } = context;
  if (settings.cluster === "embedded") {
    const { embeddedAt, prerequisites } = context;
    const cluster = embeddedAt
      ? await reachEmbedded(embeddedAt, clock)
      : await openEmbedded({ clock, logger, port: 0, prerequisites });
    try {
      await applyCrds(new Client(cluster.transport, { fieldManager: operator.name, clock }), operator);
    } catch (error) {
      await cluster[Symbol.asyncDispose](); // its listening port would keep the process from ending
      throw error;
    }
    return cluster;
  }
  const { connect, connectByLogin } = await import("../client/connect.ts");
  if (operator.loginHook && !settings.kubeconfig && !settings.context) {
    return closing(await connectByLogin(operator.loginHook, { clock, proxies: proxyVariables(env) }));
  }
  const connection = await connect({
    ...connectVariables(env),
    clock,
    kubeconfigPath: settings.kubeconfig || undefined,
    context: settings.context || undefined,
  });
  return closing(connection);
}

/**
 * An embedded cluster acts as the operator's ServiceAccount, with only the declared RBAC rules, so that a missing rule
 * shows. Other clusters open as by {@linkcode openCluster}.
 */
export async function openClusterAsOperator(
  context: CommandContext,
  clock: Clock,
  logger: Logger,
): Promise<OpenedCluster> {
  const cluster = await openCluster(context, clock, logger);
  try {
    return await asOperator(context, cluster, clock);
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** Installs the operator in an embedded cluster, and acts as its ServiceAccount; other clusters stay as they are. */
export async function asOperator(
  { operator, program }: CommandContext,
  cluster: OpenedCluster,
  clock: Clock,
): Promise<OpenedCluster> {
  if (!cluster.as) return cluster;
  const namespace = installNamespace(program), administrator = cluster.transport;
  const client = new Client(administrator, { fieldManager: `${operator.name}-install`, clock });
  const objects = installation(operator, program, namespace).filter((each) => !isWebhook(each));
  await applyInstallation(client, operator, { program, namespace, objects });
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  const transport = await cluster.as({ name: `system:serviceaccount:${namespace}:${operator.name}`, groups });
  return {
    ...cluster,
    transport,
    administrator,
    namespace,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

async function reachEmbedded(kubeconfigPath: string, clock: Clock): Promise<OpenedCluster> {
  const { connect } = await import("../client/connect.ts");
  const admin = await connect({ clock, kubeconfigPath }), opened = [admin.transport];
  return {
    ...admin,
    source: "embedded",
    as: async ({ name, groups }) => {
      const { transport } = await connect({ clock, kubeconfigPath, impersonate: { user: name, groups } });
      opened.push(transport);
      return transport;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(opened.forEach((each) => each.close())),
  };
}

function closing(connection: Connection): OpenedCluster {
  return { ...connection, [Symbol.asyncDispose]: () => Promise.resolve(connection.transport.close()) };
}

interface EmbeddedOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly port: number;
  /** Path of the kubeconfig; by default in a new folder that goes with the cluster. */
  readonly kubeconfigPath?: string;
  readonly prerequisites?: Manifests | undefined;
}

/** Bound until prerequisites are served; here it takes milliseconds. */
const PREREQUISITES_MS_MAX = 30_000;

/**
 * An API server in this process, on a loopback HTTPS port, with a kubeconfig (mode 0600).
 *
 * @throws {UsageError} if the port is taken, the kubeconfig cannot be written, or a prerequisite cannot be installed.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<OpenedCluster> {
  const { clock, logger, port } = options;
  const { EmbeddedApiServer, HttpsServer } = await import("../apiserver/mod.ts");
  const { TemporaryFolder } = await import("../harness/temporary_folder.ts");
  await using stack = new AsyncDisposableStack();
  const server = new EmbeddedApiServer({ clock, logger });
  stack.defer(() => server.close());
  const api = stack.use(
    await HttpsServer.start(server, { port, logger, nowMs: clock.now() }).catch((cause) => {
      throw new UsageError(
        `cannot serve on 127.0.0.1:${port}: ${describeError(cause)}`,
        listenHint(cause, port, "--port"),
        {
          cause,
        },
      );
    }),
  );
  const path = options.kubeconfigPath ?? `${stack.use(TemporaryFolder.make("kubeconfig")).path}/kubeconfig`;
  await api.writeKubeconfig(path).catch((cause) => {
    throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, "choose another --write-kubeconfig", {
      cause,
    });
  });
  if (options.prerequisites) {
    const { installManifests } = await import("../harness/manifests.ts");
    const cluster = { transport: () => server.transport() }, { signal } = new AbortController();
    const bounds = { clock, signal, waitMsMax: PREREQUISITES_MS_MAX };
    await installManifests(cluster, options.prerequisites, "prerequisites", bounds); // they go with the server
  }
  const owned = stack.move();
  return {
    transport: server.transport(),
    server: api.url,
    namespace: "default",
    source: "embedded",
    kubeconfigPath: path,
    as: (user) => server.transport(user),
    serveService: (...service) => server.serveService(...service),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
