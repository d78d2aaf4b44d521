import { Buffer } from "node:buffer";
import { request as httpsRequest } from "node:https";
import { Binary } from "./binary.ts";
import type { HttpsCluster } from "./https_cluster.ts";

const NAMESPACES = ["unshare", "--map-root-user", "--mount", "--"];
/**
 * Gives the pod's folder to what it starts: `$1` stands where a pod finds its service account, for that process alone.
 */
const MOUNT = `mount -t tmpfs tmpfs /run && d=/run/secrets/kubernetes.io/serviceaccount && mkdir -p $d &&
  mount --bind "$1" $d && shift && exec "$@"`;
const [unshare, ...unshareArgs] = NAMESPACES;

/** Whether this machine gives a process a mount namespace, to stand in for a pod. */
export const isolated: boolean = await new Deno.Command(unshare!, {
  args: [...unshareArgs, "true"],
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

/** Starts `run` as in a pod of an account of the cluster, with leader election and webhooks on a free port. */
export async function startAsPod(
  cluster: HttpsCluster,
  { main, account: { namespace, name }, env = {} }: {
    readonly main: string;
    readonly account: { readonly namespace: string; readonly name: string };
    readonly env?: Record<string, string>;
  },
): Promise<Binary> {
  const folder = `account-${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(`${cluster.folder}/${folder}`);
  const tokens = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { status } = await cluster.client.raw(tokens, { method: "POST", body: request }) as {
    status: { token: string };
  };
  await cluster.file(`${folder}/ca.crt`, cluster.door.authority);
  await cluster.file(`${folder}/namespace`, namespace);
  await cluster.file(`${folder}/token`, status.token);
  return await Binary.start(["run", "--http-port", "0", "--leader-election", "on"], {
    main,
    env: {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: `${cluster.port}`,
      PINTLE_WEBHOOK_PORT: "0",
      ...env,
    },
    wrapper: [...NAMESPACES, "sh", "-c", MOUNT, "sh", `${cluster.folder}/${folder}`],
  });
}

/**
 * What a Service does for a webhook: brings a review to a pod, over TLS, by its name and with the authorities that are
 * trusted.
 */
export function forward(
  port: number,
  servername: string,
  ca: () => Promise<string>,
): (path: string, request: { body: string; headers: Record<string, string> }) => Promise<Response> {
  return async (
    path: string,
    { body, headers }: { body: string; headers: Record<string, string> },
  ): Promise<Response> => {
    const options = { host: "127.0.0.1", port, path, method: "POST", servername, agent: false };
    const authorities = await ca();
    return await new Promise((resolve, reject) => {
      const sent = { ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" };
      const outgoing = httpsRequest({ ...options, ca: authorities, headers: sent }, (answer) => {
        let text = "";
        answer.on("data", (chunk) => text += chunk);
        answer.on("end", () => resolve(new Response(text, { status: answer.statusCode ?? 500 })));
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  };
}
