/**
 * The program as a pod has it: a ServiceAccount's token and authority in the folder where a kubelet puts them, the
 * server's address in the environment, RBAC in force.
 *
 * @module
 */
import { SERVICE_ACCOUNT_DIRECTORY } from "../lib/client/in_cluster.ts";
import { SystemClock } from "../lib/base/mod.ts";
import { EmbeddedApiServer, HttpsServer } from "../lib/apiserver/mod.ts";
import { Client, openTransport } from "../lib/client/mod.ts";
import { loadKubeconfig } from "../lib/client/kubeconfig.ts";
import { EnvtestCluster, envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** A way to start a program. */
export interface Launch {
  readonly name: string;
  /** Whether clusters run it so. */
  readonly shipped: boolean;
  /** The arguments of `deno` up to the program's own. */
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** A cluster that pods of this machine can reach, the operator installed, its account mounted. */
export class PodHost implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  private constructor(readonly kind: string, readonly address: URL, stack: AsyncDisposableStack) {
    this.#stack = stack;
  }

  /** A real control plane from `assets`, or the embedded server in this process. */
  static async start(assets: string | undefined): Promise<PodHost> {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "pintle-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const kubeconfigPath = `${folder}/kubeconfig`, clock = new SystemClock();
    if (assets) {
      const programs = await locateEnvtest({ assets, folders: envtestFolders({}), clock });
      const cluster = stack.use(await EnvtestCluster.start({ programs, clock }));
      await Deno.writeTextFile(kubeconfigPath, cluster.kubeconfig, { mode: 0o600 });
    } else {
      const server = new EmbeddedApiServer({ clock });
      stack.defer(() => server.close());
      await stack.use(await HttpsServer.start(server, { nowMs: clock.now() })).writeKubeconfig(kubeconfigPath);
    }
    const said = await output(["run", "-q", "-A", "main.ts", "install", "--kubeconfig", kubeconfigPath]);
    const [, namespace, name] = /as ServiceAccount (\S+)\/(\S+)/.exec(said)!;
    const { server, credentials } = await loadKubeconfig({ paths: [kubeconfigPath], clock });
    const transport = openTransport({ server, credentials });
    stack.defer(() => transport.close());
    const { status } = await new Client(transport, { fieldManager: "bench" }).raw(accountPath(namespace!, name!), {
      method: "POST",
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 3600 },
      },
    }) as { status: { token: string } };
    await mount(stack, status.token, credentials.tls.caCerts![0]!, namespace!);
    return new PodHost(assets ? "kube-apiserver" : "embedded server", new URL(server), stack.move());
  }

  /** Starts the program and waits until it is ready. */
  async run(launch: Launch, args: readonly string[] = []): Promise<Pod> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [...launch.args, "run", "--http-port", "0", ...args],
      cwd: ROOT,
      env: {
        ...launch.env,
        KUBERNETES_SERVICE_HOST: this.address.hostname,
        KUBERNETES_SERVICE_PORT: this.address.port,
      },
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const pod = new Pod(child);
    await pod.ready();
    return pod;
  }

  /** Unmounts the account and stops the cluster. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A running program. */
export class Pod implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #port: Promise<string>;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    const port = Promise.withResolvers<string>();
    this.#port = port.promise;
    void this.#read(child.stdout, port);
  }

  /** Resident memory in bytes, as the kernel counts it. */
  get residentBytes(): number {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1_024;
  }

  /** What is served under a path of its health server. */
  async get(path: string): Promise<Response> {
    return await fetch(`http://127.0.0.1:${await this.#port}${path}`);
  }

  /** Waits until `/readyz` says so. */
  async ready(): Promise<void> {
    for (;;) {
      const { ok, body } = await this.get("/readyz");
      await body?.cancel();
      if (ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it as a kubelet does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }

  async #read(stream: ReadableStream<Uint8Array>, port: PromiseWithResolvers<string>): Promise<void> {
    let text = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
      text = (text + chunk).slice(-10_000);
      const found = /health and metrics are served.*port=(\d+)/.exec(text)?.[1];
      if (found) port.resolve(found);
    }
    port.reject(new Error(`the program ended before it was ready:\n${text}`));
  }
}

function accountPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
}

/** Runs `deno` to its end and gives its output. @throws {Error} where it fails. */
export async function output(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args], env, cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`deno ${args.join(" ")} exited with ${code}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/**
 * Puts an account where a pod finds it, for as long as the stack lives. A folder that is there belongs to somebody
 * else.
 */
async function mount(stack: AsyncDisposableStack, token: string, ca: string, namespace: string): Promise<void> {
  const parent = SERVICE_ACCOUNT_DIRECTORY.slice(0, SERVICE_ACCOUNT_DIRECTORY.lastIndexOf("/"));
  await Deno.mkdir(parent, { recursive: true });
  await Deno.mkdir(SERVICE_ACCOUNT_DIRECTORY, { mode: 0o700 });
  stack.defer(() => Deno.remove(SERVICE_ACCOUNT_DIRECTORY, { recursive: true }));
  await Deno.writeTextFile(`${SERVICE_ACCOUNT_DIRECTORY}/token`, token, { mode: 0o600 });
  await Deno.writeTextFile(`${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`, ca);
  await Deno.writeTextFile(`${SERVICE_ACCOUNT_DIRECTORY}/namespace`, namespace);
}
