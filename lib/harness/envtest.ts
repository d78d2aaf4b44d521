import { stringify } from "yaml";
import { type Clock, describeError, invariant, sleep, type Transport } from "../base/mod.ts";
import { bearer, Client, impersonating, openTransport, type ProxyVariables, StaticCredentials } from "../client/mod.ts";
import type { Cluster, ClusterSource, ClusterUser } from "./cluster.ts";
import { type EnvtestProgram, type EnvtestPrograms, locateEnvtest, type LocateOptions } from "./envtest_programs.ts";
import { Program } from "./program.ts";
import { Reaper } from "./reaper.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

interface EnvtestOptions {
  programs: EnvtestPrograms;
  clock: Clock;
  /** The proxies that fetch must bypass. */
  proxies?: ProxyVariables;
  signal?: AbortSignal;
  /** Longest wait for each part; a minute if absent. */
  readyMsMax?: number;
  controllers?: readonly string[];
  serverArgs?: readonly string[];
}

const READY_MS_MAX = 60_000, POLL_MS = 100;
/** What operators rely on: namespace deletion, garbage collection, service accounts, deletion of volume claims. */
const CONTROLLERS: readonly string[] = [
  "namespace-controller",
  "garbage-collector-controller",
  "serviceaccount-controller",
  "root-ca-certificate-publisher-controller",
  "clusterrole-aggregation-controller",
  "persistentvolumeclaim-protection-controller",
];
/** Starts per control plane: another program may take a free port first. */
const STARTS_MAX = 3;

/**
 * A real control plane without nodes: etcd, kube-apiserver and kube-controller-manager on free loopback ports. Only
 * this user can read its temporary folder.
 *
 * Guarantees: no process or file is left after a failed `start`, disposal, or any end of this process (even SIGKILL).
 */
export class EnvtestCluster implements Cluster {
  /** A control plane without nodes. */
  readonly kind = "envtest";
  readonly #stack = new AsyncDisposableStack();
  readonly #transports = new Set<Transport>();
  readonly #proxies: ProxyVariables | undefined;
  readonly #programs: ControlPlanePrograms;
  /** An administrator's bearer token. */
  readonly token: string;
  /** CA of the server's certificate, as PEM. */
  readonly ca: string;

  private constructor(
    readonly server: string,
    readonly folder: string,
    { token, ca }: { readonly token: string; readonly ca: string },
    { programs, proxies }: { readonly programs: ControlPlanePrograms; readonly proxies: ProxyVariables | undefined },
  ) {
    this.token = token;
    this.ca = ca;
    this.#programs = programs;
    this.#proxies = proxies;
  }

  /**
   * Starts a control plane and waits until it and its controllers work.
   *
   * @throws {UsageError} if its folder cannot be made. @throws {Error} quoting the program that failed.
   */
  static async start(options: EnvtestOptions): Promise<EnvtestCluster> {
    for (let nth = 1;; nth++) {
      try {
        return await EnvtestCluster.#begin(options);
      } catch (error) {
        const isTaken = error instanceof ProgramEndedError && /address already in use/.test(error.message);
        if (!isTaken || nth === STARTS_MAX) throw error;
      }
    }
  }

  static async #begin(options: EnvtestOptions): Promise<EnvtestCluster> {
    await using stack = new AsyncDisposableStack();
    const temporary = stack.use(TemporaryFolder.make("envtest")), folder = temporary.path;
    const [etcdPort, peerPort, port, managerPort] = freePorts(4) as [number, number, number, number];
    const etcd = `http://127.0.0.1:${etcdPort}`,
      token = await randomToken(),
      certificate = `${folder}/certs/apiserver.crt`;
    const keyFile = `${folder}/service-account.key`, tokenFile = `${folder}/tokens.csv`;
    const pem = await rsaKeyPem();
    await temporary.filled("keys of a control plane", async () => {
      await Deno.writeTextFile(keyFile, pem);
      await Deno.writeTextFile(tokenFile, `${token},admin,admin,"system:masters"\n`);
    });
    stack.use(new Reaper(folder, Object.values(options.programs)));
    const programs = stack.use(new ControlPlanePrograms(options.programs, etcd));
    programs.start("etcd", [
      `--data-dir=${folder}/etcd`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      "--unsafe-no-fsync", // the data is thrown away with the folder
    ]);
    programs.start("kube-apiserver", [
      `--etcd-servers=${etcd}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      `--cert-dir=${folder}/certs`,
      `--token-auth-file=${tokenFile}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${keyFile}`,
      `--service-account-signing-key-file=${keyFile}`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount", // nothing would mount the token that it adds to pods
      ...options.serverArgs ?? [],
    ]);
    const deadline = new Deadline(options, programs);
    const ca = await deadline.poll("its certificate", () => Deno.readTextFile(certificate));
    const cluster = new EnvtestCluster(`https://127.0.0.1:${port}`, folder, { token, ca }, {
      programs,
      proxies: options.proxies,
    });
    const transport = cluster.transport();
    stack.defer(() => transport.close());
    const client = new Client(transport, { fieldManager: "envtest", clock: options.clock, retriesMax: 0 });
    await deadline.poll("/readyz", () => client.raw("/readyz", { signal: options.signal }));
    const kubeconfigFile = `${folder}/admin.kubeconfig`;
    await Deno.writeTextFile(kubeconfigFile, cluster.kubeconfig, { mode: 0o600 });
    programs.start("kube-controller-manager", [
      `--kubeconfig=${kubeconfigFile}`,
      "--leader-elect=false",
      "--use-service-account-credentials=false",
      `--secure-port=${managerPort}`,
      "--bind-address=127.0.0.1",
      `--cert-dir=${folder}/manager-certs`,
      `--root-ca-file=${certificate}`,
      `--service-account-private-key-file=${keyFile}`,
      `--controllers=${(options.controllers ?? CONTROLLERS).join(",")}`,
    ]);
    await deadline.poll(
      "its controllers",
      () => client.get(SERVICE_ACCOUNTS, { namespace: "default", name: "default" }),
    );
    cluster.#stack.use(stack.move());
    return cluster;
  }

  /** See {@linkcode Cluster.transport}. Other users are impersonated. */
  transport(user?: ClusterUser): Transport {
    const admin = new StaticCredentials({ caCerts: [this.ca] }, bearer(this.token));
    const credentials = user ? impersonating(admin, { user: user.name, groups: user.groups }) : admin;
    const transport = openTransport({ server: this.server, credentials, proxies: this.#proxies });
    this.#transports.add(transport);
    return transport;
  }

  /** See {@linkcode Cluster.kubeconfig}. It holds the administrator's token: write it only to files of mode 0600. */
  get kubeconfig(): string {
    return stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "envtest", cluster: { server: this.server, "certificate-authority-data": btoa(this.ca) } }],
      users: [{ name: "admin", user: { token: this.token } }],
      contexts: [{ name: "envtest", context: { cluster: "envtest", user: "admin" } }],
      "current-context": "envtest",
    });
  }

  /** Address of its etcd, for tests that bypass the API server. */
  get etcd(): string {
    return this.#programs.etcd;
  }

  /** Kills a program (SIGKILL) as a crash does, and waits for its end. Its stored data stays. */
  kill(name: EnvtestProgram): Promise<void> {
    return this.#programs.kill(name);
  }

  /** Restarts a killed program on the same port and data, with further `args`. Does not wait until it serves. */
  revive(name: EnvtestProgram, args: readonly string[] = []): void {
    this.#programs.revive(name, args);
  }

  /** Stops every program and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const transport of this.#transports) transport.close();
    await this.#stack.disposeAsync();
  }
}

const SERVICE_ACCOUNTS = {
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  namespaced: true,
};

class ProgramEndedError extends Error {
  override readonly name = "ProgramEndedError";
}

class ControlPlanePrograms implements AsyncDisposable {
  readonly #paths: EnvtestPrograms;
  readonly #args = new Map<EnvtestProgram, readonly string[]>();
  readonly #running = new Map<EnvtestProgram, Program>();

  constructor(paths: EnvtestPrograms, readonly etcd: string) {
    this.#paths = paths;
  }

  get failure(): string | undefined {
    return [...this.#running.values()].map(({ failure }) => failure).find((text) => text !== undefined);
  }

  start(name: EnvtestProgram, args: readonly string[]): void {
    this.#args.set(name, args);
    this.revive(name, []);
  }

  revive(name: EnvtestProgram, args: readonly string[]): void {
    invariant(!this.#running.has(name), `${name} runs already`);
    this.#running.set(name, new Program(name, this.#paths[name], [...this.#args.get(name)!, ...args]));
  }

  async kill(name: EnvtestProgram): Promise<void> {
    await this.#running.get(name)?.[Symbol.asyncDispose]();
    this.#running.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.kill(name);
  }
}

/** Polls until something works or a program ends. */
class Deadline {
  readonly #endMs: number;

  constructor(readonly options: EnvtestOptions, readonly programs: ControlPlanePrograms) {
    this.#endMs = options.clock.elapsed() + (options.readyMsMax ?? READY_MS_MAX);
  }

  async poll<T>(what: string, check: () => Promise<T>): Promise<T> {
    const { clock, signal } = this.options;
    while (true) {
      signal?.throwIfAborted();
      try {
        return await check();
      } catch (cause) {
        const { failure } = this.programs;
        if (failure) throw new ProgramEndedError(`the control plane did not start: ${failure}`);
        if (clock.elapsed() < this.#endMs) await sleep(clock, POLL_MS, signal);
        else throw new Error(`the control plane had no ${what} in time: ${describeError(cause)}`, { cause });
      }
    }
  }
}

/** Free ports, held together so that all differ. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Random is repeatable by design, so this generates a key. */
async function randomToken(): Promise<string> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.exportKey("raw", key)).toHex();
}

async function rsaKeyPem(): Promise<string> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const base64 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)!.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/** One real control plane for all scenarios. */
export class EnvtestSource implements ClusterSource {
  /** A control plane without nodes. */
  readonly kind = "envtest";
  readonly isolated = false;
  readonly #options: LocateOptions & Pick<EnvtestOptions, "proxies">;

  /** Starts nothing yet. `options` name the folders of its programs. */
  constructor(options: LocateOptions & Pick<EnvtestOptions, "proxies">) {
    this.#options = options;
  }

  /** See {@linkcode ClusterSource.open}. */
  async open(signal: AbortSignal, onStage?: (what: string) => void): Promise<Cluster> {
    const programs = await locateEnvtest({ onStage, ...this.#options }, signal);
    const { clock, proxies } = this.#options;
    return await EnvtestCluster.start({ programs, clock, proxies, signal });
  }
}
