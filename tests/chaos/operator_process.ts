import { type Clock, sleep } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import type { EnvtestCluster } from "../../lib/harness/mod.ts";
import { ExitHook } from "../../lib/harness/exit_hook.ts";
import type { Operator } from "../../lib/operator/mod.ts";
import { applyInstallation, installNamespace } from "../../lib/operator/installation.ts";
import { Binary, RUN_PERMISSIONS } from "../cli/binary.ts";
import { Gate, type GateObserver } from "./gate.ts";

/** How an operator is run as a process. */
export interface OperatorProcessOptions extends GateObserver {
  readonly cluster: EnvtestCluster;
  readonly clock: Clock;
  /** What is installed for it: kinds, account, rules. */
  readonly operator: Operator;
  /** The program's file, from the root of the repository; the shipped operator's where absent. */
  readonly main?: string;
  /** Arguments after `run`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Name of the process among replicas: the first part of its identity in Leases. */
  readonly host: string;
  /** Whether signals step its clock (./operators/stepped_clock.ts). */
  readonly stepped?: boolean;
  /** It is ready when its output matches; when its stores are full where absent. */
  readonly ready?: RegExp;
  /** Ends waiting. */
  readonly signal: AbortSignal;
}

/** Arguments of every operator here: delays that a run can wait for. */
const ARGS = ["--http-port", "0", "--backoff-max", "5s", "--request-timeout", "8s", "--watch-idle-max", "15s"];
const RESTART_MS = 300;

/** Installs an operator and returns a token of its account, which lasts as long as the control plane. */
async function accountToken(client: Client, operator: Operator): Promise<string> {
  const namespace = installNamespace(operator.name);
  await applyInstallation(client, operator, { program: operator.name, namespace });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${operator.name}/token`;
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 86_400 } };
  return (await client.raw(path, { method: "POST", body: request }) as { status: { token: string } }).status.token;
}

/**
 * An operator in a process of its own, under its own account, behind a gate. It is started again when it ends by
 * itself, as a kubelet does; it is gone when this is disposed.
 */
export class OperatorProcess implements AsyncDisposable {
  readonly #options: OperatorProcessOptions;
  readonly #stack: AsyncDisposableStack;
  readonly #config: string;
  #binary: Binary | undefined;
  #duty: ExitHook | undefined;
  #watching: Promise<void> | undefined;
  #isWanted = false;
  /** How often it ended by itself. */
  exits = 0;

  private constructor(
    options: OperatorProcessOptions,
    readonly gate: Gate,
    config: string,
    stack: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#config = config;
    this.#stack = stack;
  }

  /** Installs the operator and opens its gate; nothing runs yet. */
  static async open(options: OperatorProcessOptions): Promise<OperatorProcess> {
    await using stack = new AsyncDisposableStack();
    const { cluster, clock, operator, host } = options;
    const gate = stack.use(await Gate.open({ ...options, server: cluster.server, ca: cluster.ca }));
    const transport = cluster.transport();
    const token = await accountToken(new Client(transport, { fieldManager: "chaos", clock }), operator);
    transport.close();
    const config = `${cluster.folder}/${host}.kubeconfig`;
    await Deno.writeTextFile(config, gate.kubeconfig(token, installNamespace(operator.name)), { mode: 0o600 });
    return new OperatorProcess(options, gate, config, stack.move());
  }

  /** First part of its identity in Leases. */
  get host(): string {
    return this.#options.host;
  }

  /** Starts it; does not wait until it works. */
  async start(): Promise<void> {
    this.#isWanted = true;
    await this.#spawn();
  }

  async #spawn(): Promise<void> {
    const { main, args = [], env, host, stepped } = this.#options;
    const preload = stepped ? [`--preload=${new URL("operators/stepped_clock.ts", import.meta.url).pathname}`] : [];
    const binary = await Binary.start(["run", "--kubeconfig", this.#config, ...ARGS, ...args], {
      main,
      env: { ...env, HOSTNAME: host },
      permissions: [...RUN_PERMISSIONS, ...preload],
      group: true, // Ctrl-C at the terminal is for this process, which ends it
    });
    this.#binary = binary;
    this.#duty = new ExitHook(() => {
      binary.kill("SIGKILL");
      Deno.removeSync(binary.folder, { recursive: true });
    });
    this.#watching = binary.ended().then(() => this.#ended(binary));
  }

  /** Waits until it works; where it ended meanwhile, until its successor does. */
  async ready(): Promise<void> {
    const { ready = /operator runs/, signal } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const binary = this.#binary;
      const found = await binary?.until(ready).then(() => true, () => false);
      if (found && binary === this.#binary) return;
      await sleep(this.#options.clock, RESTART_MS, signal);
    }
  }

  /** The match of its output, once there is one. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#binary!.until(pattern);
  }

  /** The last lines of its output. */
  get lastLines(): string {
    return `${this.#binary?.out ?? ""}${this.#binary?.err ?? ""}`.trimEnd().split("\n").slice(-12).join("\n");
  }

  /** Sends a signal that it lives on after. */
  signal(name: Deno.Signal): void {
    try {
      this.#binary?.kill(name);
    } catch {
      // It ended in this very moment, and is started again.
    }
  }

  /** Ends it by SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    for (let binary = this.#binary; binary; binary = this.#binary) {
      this.signal("SIGCONT"); // one that is stopped takes SIGKILL all the same, but its pipes may be waited for
      this.signal("SIGKILL");
      await this.#watching; // that may be starting its successor in this very moment
      if (this.#binary !== binary) continue;
      await this.#dispose(binary);
      this.#binary = undefined;
    }
  }

  /** Ends it, closes the gate. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#stack.disposeAsync();
  }

  async #ended(binary: Binary): Promise<void> {
    if (!this.#isWanted || binary !== this.#binary) return;
    this.exits++;
    const { clock, signal } = this.#options;
    await sleep(clock, RESTART_MS, signal).catch(() => {});
    if (!this.#isWanted || binary !== this.#binary || signal.aborted) return;
    await this.#dispose(binary);
    await this.#spawn();
  }

  async #dispose(binary: Binary): Promise<void> {
    await binary[Symbol.asyncDispose]();
    this.#duty?.[Symbol.dispose]();
  }
}
