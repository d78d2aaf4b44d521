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
import type { Cluster, ClusterUser } from "./cluster.ts";
import type { InProcessControl, InProcessStart, OperatorUnderTest, SeenRequest } from "./operator_under_test.ts";
import { recorded, type Timeline } from "./timeline.ts";

/** Turns of the event loop without work that count as rest, and most turns that are waited for it. */
const QUIET_TURNS = 20, TURNS_MAX = 200_000;
const STOP_GRACE_MS = 10_000;

/** What an operator in this process is made of. */
interface InProcessOptions {
  /** Makes a fresh operator for each start. */
  readonly operator: () => Operator;
  readonly cluster: Cluster;
  /** Its user where a start names no other. */
  readonly user: ClusterUser | undefined;
  readonly clock: Clock;
  /** A source of randomness of its own for each start. */
  readonly random: () => Random;
  readonly timeline: Timeline;
  /** See {@linkcode ScenarioOptions.webhooksStay}. */
  readonly webhooksStay?: boolean;
}

/** An operator in this process, with short backoffs: its requests and logs are recorded, and it can crash. */
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
  #starting: Promise<void> | undefined;
  #abandon = new AbortController();

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  /** See {@linkcode OperatorUnderTest.runs}. One whose fault has struck does not. */
  get runs(): boolean {
    return this.#running !== undefined && !this.#isDead;
  }

  /** See {@linkcode OperatorUnderTest.inProcess}. */
  get inProcess(): InProcessControl {
    return this;
  }

  /** See {@linkcode InProcessControl.running}. */
  get running(): RunningOperator {
    invariant(this.#running, "the operator does not run");
    return this.#running;
  }

  /** See {@linkcode InProcessControl.requests}. */
  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  /** See {@linkcode InProcessControl.writes}. */
  get writes(): readonly SeenRequest[] {
    return this.#requests.filter(isWrite);
  }

  /** See {@linkcode OperatorUnderTest.start} and {@linkcode InProcessControl.start}. */
  async start(how: InProcessStart = {}): Promise<void> {
    if (this.#isDead) await this.#kill(false);
    if (this.#running) return;
    this.#starting ??= this.#begin(how).finally(() => this.#starting = undefined);
    await this.#starting;
  }

  /** See {@linkcode OperatorUnderTest.crash}. */
  async crash(): Promise<void> {
    await this.#kill(!this.#options.webhooksStay);
  }

  async #kill(withdraws: boolean): Promise<void> {
    this.#abandon.abort(new Error("the operator was ended while it started"));
    await this.#starting?.catch(() => {});
    await this.#end((running) => running.crash(), withdraws);
  }

  /** Ends it, and takes the webhook configurations that it left out of the cluster. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill(false);
    const operator = this.#configured, admin = this.#admin;
    this.#configured = this.#admin = undefined;
    if (!admin) return;
    try {
      if (!operator) return;
      const { forgetWebhooks } = await import("../operator/webhook_hosting.ts");
      const { clock, timeline } = this.#options;
      await forgetWebhooks(new Client(admin, { fieldManager: operator.name, clock, mask: timeline.mask }), operator);
    } finally {
      admin.close();
    }
  }

  /** See {@linkcode OperatorUnderTest.restart}. */
  async restart(): Promise<void> {
    await this.#kill(false); // the next one answers for the same configurations
    await this.start();
  }

  /** See {@linkcode OperatorUnderTest.pause}. */
  async pause(): Promise<void> {
    await this.#end((running) => running.stop(STOP_GRACE_MS), !this.#options.webhooksStay);
  }

  /** See {@linkcode OperatorUnderTest.resume}. */
  async resume(): Promise<void> {
    await this.start();
  }

  /** See {@linkcode InProcessControl.idle}. */
  async idle(): Promise<void> {
    // What is on its way counts as work too: rest must hold for a while of turns, not for one.
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns >= TURNS_MAX) throw new Error("the operator does not come to rest");
      await settle(1);
      quiet = this.running.idle ? quiet + 1 : 0;
    }
  }

  /** See {@linkcode InProcessControl.idleThenCrash}. */
  async idleThenCrash(): Promise<void> {
    await Promise.race([this.idle(), this.#died.promise]);
    await this.crash();
  }

  async #begin(how: InProcessStart): Promise<void> {
    const { cluster, clock, random, timeline, user } = this.#options;
    this.#requests = [];
    this.#died = Promise.withResolvers<void>();
    this.#isDead = false;
    this.#abandon = new AbortController();
    const inner = cluster.transport(how.as ?? user);
    try {
      const declared = this.#options.operator();
      this.#running = await declared.start({
        transport: this.#recording(inner, how),
        clock,
        random: random(),
        logger: createLogger((record) => timeline.log(record)),
        mask: timeline.mask,
        controller: { backoff: { initialMs: 5, maxMs: 50 } },
        signal: this.#abandon.signal,
        serve: async (running) => {
          // Only what objects are converted by is needed before there are stores.
          if (declared.conversions.length > 0) this.#hosted = await this.#host(declared, running);
        },
        ...how.options,
      });
      this.#transport = inner;
      this.#hosted ??= await this.#host(declared, this.#running);
      await this.#hosted?.admit();
      // Only what it has configured goes with it: it may have been refused because of an installation's.
      if (this.#hosted) this.#configured = declared;
    } catch (error) {
      const running = this.#running, hosted = this.#hosted;
      this.#running = this.#transport = this.#hosted = undefined;
      await hosted?.close();
      await running?.crash();
      inner.close();
      throw error;
    }
  }

  /** Ends it; where it `withdraws`, API servers no longer call its admission handlers once this resolves. */
  async #end(how: (running: RunningOperator) => Promise<void>, withdraws: boolean): Promise<void> {
    const running = this.#running, transport = this.#transport, hosted = this.#hosted;
    this.#running = this.#transport = this.#hosted = undefined;
    try {
      if (running) await how(running);
    } finally {
      try {
        if (withdraws) await hosted?.withdraw?.();
      } finally {
        await hosted?.close();
        transport?.close();
      }
    }
  }

  /**
   * Has its webhooks called: in this process on an embedded cluster, on a loopback port by a control plane of this
   * machine, on the gateway of kind's nodes.
   */
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
        `the webhooks of ${operator.name} would be in the way of a cluster that others use while it runs in this process`,
        "take an embedded or an envtest cluster, or a kind cluster: --cluster kind, with --reuse --kind-name where it is there already",
      );
    }
    const real = new SystemClock(), signal = this.#abandon.signal;
    const address = cluster.kind === "kind" ? await this.#hostGateway(client, real) : { host: "127.0.0.1" };
    return await hostByUrl({ ...hosting, clock: real }, client, { ...address, port: 0, nowMs: real.now(), signal });
  }

  /** The gateway of the nodes' network: no other machine reaches what listens there. */
  async #hostGateway(client: Client, clock: SystemClock): Promise<HostGateway> {
    const { findHostGateway } = await import("../operator/host_gateway.ts");
    const { signal } = this.#abandon;
    try {
      return await findHostGateway(client, { clock, isLocal: true, os: Deno.build.os, signal });
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      const otherwise = "run it as a pod: --deployed; or take an embedded or an envtest cluster";
      throw new UsageError(`its webhooks cannot be called while it runs in this process: ${cause.message}`, otherwise, {
        cause,
      });
    }
  }

  #recording(inner: Transport, { fault = () => "pass", before }: InProcessStart): Transport {
    const { timeline } = this.#options;
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
        if (!isWrite(seen)) return await inner.fetch(path, request);
        const verdict = fault(seen, ++nthWrite);
        if (verdict === "dieBefore") throw die();
        // Nothing that comes after this write passes, not even while it is on its way.
        dead = verdict === "dieAfter";
        const response = await recorded(inner, { path, request }, "operator", timeline);
        if (verdict === "pass") return response;
        await response.body?.cancel();
        throw die();
      },
      close: () => inner.close(),
    };
  }
}

/** Access reviews are questions, though they are posted. */
function isWrite({ method, path }: SeenRequest): boolean {
  return method !== "GET" && !path.includes("/selfsubjectaccessreviews");
}
