import type { HostedWebhooks } from "../operator/webhook_hosting.ts";
import {
  type Clock,
  createLogger,
  invariant,
  maskLogger,
  type Random,
  settle,
  SystemClock,
  type Transport,
  type TransportRequest,
  UsageError,
} from "../base/mod.ts";
import { Client } from "../client/mod.ts";
import type { HostGateway, Operator, RunningOperator } from "../operator/mod.ts";
import type { BackoffOptions } from "../queue/mod.ts";
import type { Cluster, ClusterUser } from "./cluster.ts";
import {
  type InProcessControl,
  type InProcessStart,
  isWrite,
  type OperatorUnderTest,
  type SeenRequest,
} from "./operator_under_test.ts";
import type { RbacRecorder } from "./rbac.ts";
import { recorded, type Timeline } from "./timeline.ts";

/** Turns of the event loop without work that count as idle, and how long to wait for them: a loaded server is slow. */
const QUIET_TURNS = 20, IDLE_MS_MAX = 60_000;
const STOP_GRACE_MS = 10_000;

/** Starts the operator's processes, where more than this process's life can end them. */
export interface OperatorHost {
  /** Pauses before failed work is tried again; short ones if absent. */
  readonly backoff?: BackoffOptions;
  /** Calls `begin` as a new process of `operator`. */
  start(operator: InProcessOperator, begin: () => Promise<void>): Promise<void>;
}

interface InProcessOptions {
  readonly operator: () => Operator;
  readonly cluster: Cluster;
  readonly user: ClusterUser | undefined;
  readonly clock: Clock;
  readonly random: () => Random;
  readonly timeline: Timeline;
  readonly rbac?: RbacRecorder | undefined;
  readonly webhooksStay?: boolean;
  readonly host?: OperatorHost;
}

/** An operator in this process, with short backoffs. Its requests and logs are recorded, and it can crash. */
export class InProcessOperator implements OperatorUnderTest, InProcessControl {
  readonly #options: InProcessOptions;
  #running: RunningOperator | undefined;
  #transport: Transport | undefined;
  #hosted: HostedWebhooks | undefined;
  #admin: Transport | undefined;
  #configured: Operator | undefined;
  #requests: SeenRequest[] = [];
  #died = Promise.withResolvers<void>();
  #isDead = false;
  /** Resolves when it runs. An {@linkcode abandon}ed start leaves it to the next one. */
  #started: PromiseWithResolvers<void> | undefined;
  #isAbandoned = false;
  #starting: Promise<void> | undefined;
  /** Numbers starts, so that the end of an {@linkcode abandon}ed one changes nothing. */
  #starts = 0;
  #startAbort = new AbortController();

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  get runs(): boolean {
    return this.#running !== undefined && !this.#isDead;
  }

  get inProcess(): InProcessControl {
    return this;
  }

  get running(): RunningOperator {
    invariant(this.#running, "the operator does not run");
    return this.#running;
  }

  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  get writes(): readonly SeenRequest[] {
    return this.#requests.filter(isWrite);
  }

  async start(how: InProcessStart = {}): Promise<void> {
    if (this.#isDead) await this.#kill(false);
    if (this.#running) return;
    const started = this.#started ??= Promise.withResolvers();
    started.promise.catch(() => {}); // awaited by the callers of start
    this.#starting ??= this.#startProcess(how);
    await started.promise;
  }

  async #startProcess(how: InProcessStart): Promise<void> {
    this.#isAbandoned = false;
    const { host } = this.#options, nth = ++this.#starts, isCurrent = () => this.#starts === nth;
    const begin = () => this.#begin(how, isCurrent);
    const starting = host ? host.start(this, begin) : begin(), started = this.#started!;
    try {
      await starting;
      if (isCurrent()) started.resolve();
    } catch (error) {
      if (isCurrent()) started.reject(error);
    } finally {
      if (isCurrent()) this.#started = this.#starting = undefined;
    }
  }

  /**
   * Forgets its process without running its code, as after a power failure. For an {@linkcode OperatorHost} whose
   * process no longer runs. Callers that await its start await the next one.
   *
   * @returns ends what is left of the process: its timers and connections, where code of it can still run.
   */
  abandon(): () => Promise<void> {
    void this.#hosted?.close();
    const running = this.#running, transport = this.#transport, abort = this.#startAbort;
    this.#running =
      this.#transport =
      this.#hosted =
      this.#starting =
        undefined;
    this.#isAbandoned = true;
    this.#starts++;
    return async () => {
      abort.abort(new Error("the operator was killed while it started"));
      await running?.crash();
      transport?.close();
    };
  }

  /** Starts it after {@linkcode abandon}, unless the scenario stopped or started it since. */
  async revive(): Promise<void> {
    if (this.#isAbandoned) await this.start();
  }

  async crash(): Promise<void> {
    await this.#kill(!this.#options.webhooksStay);
  }

  async #kill(withdraws: boolean): Promise<void> {
    this.#startAbort.abort(new Error("the operator was stopped while it started"));
    await this.#starting?.catch(() => {});
    await this.#end((running) => running.crash(), withdraws);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill(false);
    const operator = this.#configured, admin = this.#admin;
    this.#configured = this.#admin = undefined;
    if (!admin) return;
    try {
      if (!operator) return;
      const { deleteWebhookConfigurations } = await import("../operator/webhook_hosting.ts");
      const { clock, timeline } = this.#options;
      await deleteWebhookConfigurations(
        new Client(admin, { fieldManager: operator.name, clock, mask: timeline.mask }),
        operator,
      );
    } finally {
      admin.close();
    }
  }

  async restart(): Promise<void> {
    await this.#kill(false); // the next one answers for the same configurations
    await this.start();
  }

  async pause(): Promise<void> {
    await this.#end((running) => running.stop(STOP_GRACE_MS), !this.#options.webhooksStay);
  }

  async resume(): Promise<void> {
    await this.start();
  }

  async idle(): Promise<void> {
    // A request in flight counts as work, so idleness must last several turns.
    const machine = new SystemClock(), startMs = machine.elapsed();
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      if (machine.elapsed() - startMs > IDLE_MS_MAX) throw new Error("the operator does not become idle");
      await settle(1);
      quiet = this.running.idle ? quiet + 1 : 0;
    }
  }

  async idleThenCrash(): Promise<void> {
    await Promise.race([this.idle(), this.#died.promise]);
    await this.crash();
  }

  async #begin(how: InProcessStart, isCurrent: () => boolean): Promise<void> {
    const { cluster, clock, random, timeline, user, host } = this.#options;
    this.#requests = [];
    this.#died = Promise.withResolvers<void>();
    this.#isDead = false;
    const { signal } = this.#startAbort = new AbortController();
    const inner = cluster.transport(how.as ?? user);
    try {
      const declared = this.#options.operator();
      const running = await declared.start({
        transport: this.#recording(inner, how),
        clock,
        random: random(),
        logger: createLogger((record) => timeline.log(record)),
        mask: timeline.mask,
        controller: { backoff: host?.backoff ?? { initialMs: 5, maxMs: 50 } },
        signal,
        serve: async (running) => {
          // Only conversions are needed before stores exist.
          if (declared.conversions.length > 0) this.#hosted = await this.#host(declared, running);
        },
        ...how.options,
      });
      if (!isCurrent()) { // it was abandoned at its first requests, and is no longer this operator's process
        if (signal.aborted) await running.crash();
        return;
      }
      this.#running = running;
      this.#transport = inner;
      this.#hosted ??= await this.#host(declared, running);
      await this.#hosted?.enable();
      // Only its own: an installation's webhook may have caused a refusal.
      if (this.#hosted) this.#configured = declared;
    } catch (error) {
      if (isCurrent()) {
        const running = this.#running, hosted = this.#hosted;
        this.#running = this.#transport = this.#hosted = undefined;
        await hosted?.close();
        await running?.crash();
      }
      inner.close();
      throw error;
    }
  }

  /** With `withdraws`, API servers no longer call its admission handlers once this resolves. */
  async #end(how: (running: RunningOperator) => Promise<void>, withdraws: boolean): Promise<void> {
    const running = this.#running, transport = this.#transport, hosted = this.#hosted;
    this.#running = this.#transport = this.#hosted = undefined;
    this.#isAbandoned = false;
    try {
      if (running) await how(running);
    } finally {
      try {
        if (withdraws) await hosted?.disable?.();
      } finally {
        await hosted?.close();
        transport?.close();
      }
    }
  }

  /** In this process for embedded clusters, on loopback for envtest, on the gateway of kind's nodes. */
  async #host(operator: Operator, running: RunningOperator): Promise<HostedWebhooks | undefined> {
    const { cluster, clock, timeline } = this.#options;
    if (!operator.servesWebhooks) return undefined;
    const { hostByUrl, hostInProcess } = await import("../operator/webhook_hosting.ts");
    const admin = this.#admin ??= cluster.transport();
    const { mask } = timeline, client = new Client(admin, { fieldManager: operator.name, clock, mask });
    const logger = maskLogger(createLogger((record) => timeline.log(record)), mask);
    const hosting = { operator, running, clock, logger };
    if (cluster.serveService) {
      return await hostInProcess(hosting, client, (...service) => cluster.serveService!(...service));
    }
    if (cluster.kind === "current") {
      throw new UsageError(
        `the webhooks of ${operator.name} would affect other users of the cluster while it runs in this process`,
        "use an embedded or an envtest cluster, or a kind cluster: --cluster kind, with --reuse --kind-name where it is there already",
      );
    }
    const real = new SystemClock(), signal = this.#startAbort.signal;
    const address = cluster.kind === "kind" ? await this.#hostGateway(client, real) : { host: "127.0.0.1" };
    return await hostByUrl({ ...hosting, clock: real }, client, { ...address, port: 0, nowMs: real.now(), signal });
  }

  /** The gateway of the nodes' network, which no other machine reaches. */
  async #hostGateway(client: Client, clock: SystemClock): Promise<HostGateway> {
    const { findHostGateway } = await import("../operator/host_gateway.ts");
    const { signal } = this.#startAbort;
    try {
      return await findHostGateway(client, { clock, isLocal: true, os: Deno.build.os, signal });
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      const otherwise = "run it as a pod: --deployed; or use an embedded or an envtest cluster";
      throw new UsageError(`its webhooks cannot be called while it runs in this process: ${cause.message}`, otherwise, {
        cause,
      });
    }
  }

  #recording(inner: Transport, { fault = () => "pass", before }: InProcessStart): Transport {
    const { timeline, rbac } = this.#options;
    let nthWrite = 0, dead = false;
    const die = () => {
      dead = this.#isDead = true;
      this.#died.resolve();
      return new TypeError("the process is gone");
    };
    return {
      fetch: async (path: string, request: TransportRequest = {}) => {
        if (dead) throw new TypeError("the process is gone");
        const seen = { method: request.method ?? "GET", path };
        this.#requests.push(seen);
        await before?.(seen);
        if (!isWrite(seen)) {
          const response = await inner.fetch(path, request);
          await rbac?.record(seen, response);
          return response;
        }
        const verdict = fault(seen, ++nthWrite);
        if (verdict === "dieBefore") throw die();
        // No later write passes, even during this one.
        dead = verdict === "dieAfter";
        const response = await recorded(inner, { path, request }, "operator", timeline);
        await rbac?.record(seen, response);
        if (verdict === "pass") return response;
        await response.body?.cancel();
        throw die();
      },
      close: () => inner.close(),
    };
  }
}
