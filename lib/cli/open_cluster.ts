import type { ServeService } from "../operator/webhook_hosting.ts";
import { type Clock, describeError, type Logger, type Transport, UsageError } from "../base/mod.ts";
import { Client, type Connection, connectVariables, proxyVariables } from "../client/mod.ts";
import { applyCrds, applyInstallation, installation, installNamespace, isWebhook } from "../operator/mod.ts";
import type { Manifests } from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";

/** A cluster to work on. */
export interface OpenedCluster extends AsyncDisposable {
  readonly transport: Transport;
  /** Of its administrator, where `transport` acts as the operator's ServiceAccount. */
  readonly administrator?: Transport;
  readonly server: string;
  /** The namespace of the pod, or of the context. */
  readonly namespace: string;
  /** Where the connection's settings came from, for people. */
  readonly source: string;
  /** The proxy, without its password; absent where none is used. */
  readonly proxy?: string | undefined;
  /** Path of a kubeconfig that was written for people, if any. */
  readonly kubeconfigPath?: string;
  /** An embedded cluster as another user than its administrator. */
  readonly as?: (user: { readonly name: string; readonly groups: readonly string[] }) => Transport | Promise<Transport>;
  /** Answers for a Service inside of an embedded cluster with code of this process. */
  readonly serveService?: ServeService;
}

/**
 * The cluster that the settings name. Sends no request to a cluster that is not embedded; that one serves the
 * operator's kinds.
 *
 * @throws {RangeError} naming kind and field of a CRD that cannot be built, or an API error where the embedded server
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
 * An embedded cluster as the operator's ServiceAccount sees a cluster where it is installed: with the RBAC rules that
 * the operator declares and no others, so that a missing rule shows as it would there. Any other cluster is opened as
 * {@linkcode openCluster} does.
 */
export async function openClusterAsOperator(
  context: CommandContext,
  clock: Clock,
  logger: Logger,
): Promise<OpenedCluster> {
  const cluster = await openCluster(context, clock, logger);
  if (!cluster.as) return cluster;
  const { operator, program } = context, namespace = installNamespace(program);
  try {
    const client = new Client(cluster.transport, { fieldManager: `${operator.name}-install`, clock });
    const objects = installation(operator, program, namespace).filter((each) => !isWebhook(each));
    await applyInstallation(client, operator, { program, namespace, objects });
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  const transport = await cluster.as({ name: `system:serviceaccount:${namespace}:${operator.name}`, groups });
  const administrator = cluster.transport;
  return {
    ...cluster,
    transport,
    administrator,
    namespace,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** The embedded cluster that another process serves. */
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

/** What an embedded cluster is opened with. */
interface EmbeddedOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly port: number;
  /** Where the kubeconfig goes; a new folder that disappears with the cluster where absent. */
  readonly kubeconfigPath?: string;
  /** Objects that are created before anything else. */
  readonly prerequisites?: Manifests | undefined;
}

/** Bound of the wait until prerequisites are served; on this server it takes milliseconds. */
const PREREQUISITES_MS_MAX = 30_000;

/**
 * An API server in this process, on a loopback port over HTTPS, with a kubeconfig (mode 0600) .
 *
 * @throws {UsageError} where the port is taken, the kubeconfig cannot be written, or a prerequisite cannot be
 *   installed.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<OpenedCluster> {
  const { clock, logger, port } = options;
  const { EmbeddedApiServer, HttpsServer } = await import("../apiserver/mod.ts");
  const { TemporaryFolder } = await import("../harness/temporary_folder.ts");
  await using stack = new AsyncDisposableStack();
  const server = new EmbeddedApiServer({ clock, logger });
  stack.defer(() => server.close());
  const door = stack.use(
    await HttpsServer.start(server, { port, logger, nowMs: clock.now() }).catch((cause) => {
      throw new UsageError(`cannot serve on 127.0.0.1:${port}: ${describeError(cause)}`, "choose another --port", {
        cause,
      });
    }),
  );
  const path = options.kubeconfigPath ?? `${stack.use(TemporaryFolder.make("kubeconfig")).path}/kubeconfig`;
  await door.writeKubeconfig(path).catch((cause) => {
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
    server: door.url,
    namespace: "default",
    source: "embedded",
    kubeconfigPath: path,
    as: (user) => server.transport(user),
    serveService: (...service) => server.serveService(...service),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
