/**
 * A real etcd and kube-apiserver for the tools that learn from them, started from the folder in KUBEBUILDER_ASSETS.
 *
 * @module
 */

/** JSON over HTTPS to a kube-apiserver, as an administrator. */
export interface RealServer extends AsyncDisposable {
  request(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
    accept?: string,
  ): Promise<{ code: number; body: unknown }>;
}

const READY_SECONDS_MAX = 60;
const ADMIN_TOKEN = "tools";

/** Starts both programs in a temporary folder and waits until the server is ready. Disposing stops them. */
export async function startRealServer(): Promise<RealServer> {
  const assets = Deno.env.get("KUBEBUILDER_ASSETS");
  if (!assets) throw new Error("set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver");
  const folder = await Deno.makeTempDir({ prefix: "real-server-" });
  const [etcdPort, peerPort, port] = [freePort(), freePort(), freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  await Deno.writeTextFile(`${folder}/tokens.csv`, `${ADMIN_TOKEN},admin,admin,"system:masters"\n`);
  const openssl = await new Deno.Command("openssl", {
    args: ["genrsa", "-out", `${folder}/service-accounts.key`, "2048"],
    stderr: "null",
  }).output();
  if (!openssl.success) throw new Error("openssl genrsa failed");
  const programs = [
    start(`${assets}/etcd`, [
      `--data-dir=${folder}/etcd`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    ]),
    start(`${assets}/kube-apiserver`, [
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      `--cert-dir=${folder}/certs`,
      `--token-auth-file=${folder}/tokens.csv`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${folder}/service-accounts.key`,
      `--service-account-signing-key-file=${folder}/service-accounts.key`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount", // its controller does not run, so no pod could be created
    ]),
  ];
  const stop = async () => {
    for (const program of programs.reverse()) {
      program.kill("SIGTERM");
      await program.status;
    }
    await Deno.remove(folder, { recursive: true });
  };
  try {
    return await connect(`https://127.0.0.1:${port}`, `${folder}/certs/apiserver.crt`, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(program: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function connect(origin: string, certificate: string, stop: () => Promise<void>): Promise<RealServer> {
  let lastError: unknown;
  for (let second = 0; second < READY_SECONDS_MAX; second++) {
    let client: Deno.HttpClient | undefined;
    try {
      client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(certificate)] });
      const ready = await fetch(`${origin}/readyz`, { client, headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
      const text = await ready.text();
      if (text === "ok") return serverOver(client, origin, stop);
      lastError = new Error(text);
    } catch (error) {
      lastError = error;
    }
    client?.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error("kube-apiserver did not become ready", { cause: lastError });
}

function serverOver(client: Deno.HttpClient, origin: string, stop: () => Promise<void>): RealServer {
  return {
    async request(method, path, body, contentType = "application/json", accept = "application/json") {
      const response = await fetch(`${origin}${path}`, {
        client,
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": contentType, accept },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { code: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await stop();
    },
  };
}
