import { type Clock, type Transport, UsageError } from "../base/mod.ts";
import { type Credentials, impersonating, type Impersonation } from "./credentials.ts";
import { FetchTransport, type SocketTransportOptions } from "./fetch_transport.ts";
import { InClusterCredentials, inClusterNamespace, type InClusterOptions, inClusterServer } from "./in_cluster.ts";
import { LoginCredentials, type LoginHook } from "./login.ts";
import { NodeTransport } from "./node_transport.ts";
import { proxyOf, type ProxyVariables, type Route, routeThrough, routeTo } from "./proxy.ts";

/** Inputs of {@linkcode connect}, instead of the environment. */
export interface ConnectOptions {
  /** Times the renewal of credentials. */
  clock: Clock;
  /** The user's: it has precedence, and must exist. */
  kubeconfigPath?: string;
  /** The user's: it excludes the pod's service account. */
  context?: string;
  /** The value of `KUBECONFIG`. */
  kubeconfig?: string;
  /** The value of `HOME`. */
  home?: string;
  /** Of the files in `KUBECONFIG`; `;` on Windows. */
  pathSeparator?: string;
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`; absent outside a cluster. */
  inCluster?: Pick<InClusterOptions, "host" | "port"> & Partial<Pick<InClusterOptions, "directory">>;
  /** {@linkcode proxyVariables}; where absent, Deno's fetch reads the environment by its own rules. */
  proxies?: ProxyVariables;
  /** Impersonates another user. */
  impersonate?: Impersonation;
  /** Reads a text file; Deno's where absent. */
  readFile?: (path: string) => Promise<string>;
}

/** A connection to a cluster, and its source. */
export interface Connection {
  /** The caller closes it. */
  readonly transport: Transport;
  /** URL of the API server. */
  readonly server: string;
  /** Of the context, or of the pod. */
  readonly namespace: string;
  /** For people: `in-cluster`, or `kubeconfig context NAME`. */
  readonly source: string;
  /** For people, without its password; undefined where none is known. */
  readonly proxy: string | undefined;
}

/**
 * Finds the cluster: a named kubeconfig or context, else `KUBECONFIG`, else the pod's service account, else
 * `~/.kube/config`. Sends no request.
 *
 * @throws {UsageError} that names what is missing or wrong, and the fix.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { clock, context, kubeconfig, home, inCluster, readFile, kubeconfigPath, pathSeparator, proxies } = options;
  if (inCluster && !kubeconfigPath && !context && !kubeconfig) {
    const { host, port } = inCluster;
    if (!host || !port) {
      throw new UsageError(
        "KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is empty",
        "set both, or give --kubeconfig",
      );
    }
    const settings = { ...inCluster, clock, readFile };
    const credentials = await InClusterCredentials.load(settings);
    const server = inClusterServer(host, port);
    const namespace = await inClusterNamespace(settings) ?? "default";
    return connectionTo({ server, credentials: actingAs(credentials, options), proxies }, namespace, "in-cluster");
  }
  const { kubeconfigPaths, loadKubeconfig } = await import("./kubeconfig.ts"); // a pod needs none
  const paths = kubeconfigPath ? [kubeconfigPath] : kubeconfigPaths(kubeconfig, home, pathSeparator);
  const found = await loadKubeconfig({ paths, context, clock, readFile });
  const { server, namespace, credentials } = found;
  const transport = { server, credentials: actingAs(credentials, options), proxies };
  return connectionTo(transport, namespace, `kubeconfig context ${found.name}`);
}

/** @throws {UsageError} where the hook fails. */
export async function connectByLogin(
  hook: LoginHook,
  { clock, proxies }: Pick<ConnectOptions, "clock" | "proxies">,
): Promise<Connection> {
  const { login: { server, namespace = "default" }, credentials } = await LoginCredentials.open(hook, clock);
  return connectionTo({ server, credentials, proxies }, namespace, "the operator's login hook");
}

interface TransportOptions extends Omit<SocketTransportOptions, "proxy"> {
  readonly proxies?: ProxyVariables;
}

/**
 * A transport: fetch, unless TLS settings or the proxy need node:https.
 *
 * @throws {UsageError} for settings that contradict each other.
 */
export function openTransport({ proxies, ...options }: TransportOptions): Transport {
  const { insecureSkipVerify, serverName } = options.credentials.tls;
  const { proxy, byFetch } = routeOf({ proxies, ...options });
  const fetches = byFetch && !insecureSkipVerify && !serverName;
  return fetches ? new FetchTransport({ ...options, proxy }) : new NodeTransport({ ...options, proxy });
}

function routeOf({ server, credentials: { tls: { proxyUrl } }, proxies = {} }: TransportOptions): Route {
  return proxyUrl ? routeThrough(proxyOf(proxyUrl, "proxy-url"), server, proxies) : routeTo(server, proxies);
}

function connectionTo(options: TransportOptions, namespace: string, source: string): Connection {
  const { server } = options, proxy = routeOf(options).proxy?.title;
  return { transport: openTransport(options), server, namespace, source, proxy };
}

function actingAs(credentials: Credentials, options: ConnectOptions): Credentials {
  return options.impersonate ? impersonating(credentials, options.impersonate) : credentials;
}
