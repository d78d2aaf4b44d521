import process from "node:process";
import { SystemClock } from "../base/mod.ts";
import { Client } from "./client.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import { proxyVariables } from "./proxy.ts";

/** Options of {@linkcode openClient}. */
export interface OpenClientOptions {
  /** The field manager of the client's writes. */
  readonly fieldManager: string;
  /** It has precedence over the environment. */
  readonly kubeconfigPath?: string;
  /** Its current context where absent. */
  readonly context?: string;
  /**
   * The environment, as of `Deno.env.toObject()`. Only `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST` and `_PORT`, and
   * the proxy variables are read.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A client and its connection; disposing it closes the connection. */
export interface OpenedClient extends Disposable {
  /** Usable until this is disposed. */
  readonly client: Client;
  /** URL of the API server. */
  readonly server: string;
  /** Of the context, or of the pod. */
  readonly namespace: string;
  /** For people: `in-cluster`, or `kubeconfig context NAME`. */
  readonly source: string;
}

export function connectVariables(
  env: Readonly<Record<string, string | undefined>>,
): Pick<ConnectOptions, "kubeconfig" | "home" | "pathSeparator" | "inCluster" | "proxies"> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  return {
    kubeconfig: env.KUBECONFIG,
    home: env.HOME ?? env.USERPROFILE,
    pathSeparator: process.platform === "win32" ? ";" : ":",
    inCluster: host ? { host, port } : undefined,
    proxies: proxyVariables(env),
  };
}

/**
 * A client for a script, a command or a test. It finds the cluster as kubectl does: the given kubeconfig, else
 * `KUBECONFIG`, else the pod's service account, else `~/.kube/config`. Sends no request.
 *
 * @throws {UsageError} that names what is missing or wrong, and the fix.
 * @example
 * ```ts
 * import { openClient } from "@pintle/pintle/client";
 * const nowhere = { fieldManager: "docs", kubeconfigPath: "/nowhere/config" };
 * const error = await openClient(nowhere).catch((error) => error);
 * if (!error.message.includes("/nowhere/config")) throw new Error("the file that is missing is named");
 * ```
 */
export async function openClient(
  { fieldManager, kubeconfigPath, context, env = {} }: OpenClientOptions,
): Promise<OpenedClient> {
  const clock = new SystemClock();
  const { transport, server, namespace, source } = await connect({
    ...connectVariables(env),
    clock,
    kubeconfigPath,
    context,
  });
  const client = new Client(transport, { fieldManager, clock });
  return { client, server, namespace, source, [Symbol.dispose]: () => transport.close() };
}
