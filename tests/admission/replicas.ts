import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { request as httpsRequest } from "node:https";
import { createLogger, type LogRecord, VirtualClock } from "../../lib/base/mod.ts";
import { webhookConfigurations } from "../../lib/admission/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { EmbeddedCluster } from "../../lib/harness/mod.ts";
import type { Operator, RunningOperator } from "../../lib/operator/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { configurationOf, hostByService, type HostedWebhooks } from "../../lib/operator/webhook_hosting.ts";

/**
 * Short enough to stay within the five minutes by which certificates are backdated: their checks go by the machine's
 * time.
 */
const BOUNDS = { lifetimeMs: 200_000, renewBeforeMs: 190_000, settleMs: 10_000 };
export const CHECK_MS = 1_000;
/** Replicas of one operator on an embedded cluster, on a clock that the test turns. */
export class Replicas implements AsyncDisposable {
  readonly clock = new VirtualClock(Date.now());
  readonly cluster = new EmbeddedCluster();
  readonly client = new Client(this.cluster.transport(), { fieldManager: "test" });
  readonly lines: LogRecord[] = [];
  readonly #hosts: (() => Promise<void>)[] = [];
  readonly ports: number[] = [];
  readonly startMs: number = this.clock.now();
  readonly #declared: () => Operator;
  readonly #checkMs: number;

  constructor(declared: () => Operator, { checkMs = CHECK_MS }: { readonly checkMs?: number } = {}) {
    this.#declared = declared;
    this.#checkMs = checkMs;
  }

  /** What `install` does before anything runs. */
  async install(): Promise<void> {
    const operator = this.#declared(), service = { namespace: "default", name: `${operator.name}-webhook` };
    await applyCrds(this.client, operator);
    for (const { resource, object } of webhookConfigurations(configurationOf(operator, { service }))) {
      await this.client.apply(resource, object);
    }
  }

  /** Starts one; where something is converted its webhooks are served before its stores fill, as `run` does. */
  async start(leads: () => boolean): Promise<HostedWebhooks> {
    const operator = this.#declared(), { clock } = this, logger = createLogger((record) => this.lines.push(record));
    const index = this.#hosts.length, admin = this.client;
    let hosted: HostedWebhooks | undefined, running: RunningOperator | undefined;
    const host = (begun: RunningOperator) => {
      running = begun;
      return hosted ??= hostByService({ operator, running, clock, logger }, admin, {
        namespace: "default",
        host: "127.0.0.1",
        port: 0,
        leads,
        bounds: BOUNDS,
        checkMs: this.#checkMs,
        firstCheckMs: CHECK_MS,
        onServing: (port) => this.ports[index] = port,
      });
    };
    this.#hosts.push(async () => {
      await hosted?.close();
      await running?.crash();
    });
    const serve = operator.conversions.length > 0 ? (begun: RunningOperator) => void host(begun) : undefined;
    return host(await operator.start({ transport: this.cluster.transport(), clock, logger, serve }));
  }

  /** The steps of rotations so far, of all replicas. */
  get steps(): unknown[] {
    return this.lines.flatMap(({ message, fields }) =>
      message.includes("certificates were written") ? [fields.step] : []
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#hosts) await stop();
    await this.cluster[Symbol.asyncDispose]();
  }
}

/** Asks a replica as an API server does, with what it trusts; the answer's `response`, undefined where it is none. */
export function ask(
  port: number,
  ca: string,
  { path, servername, review }: { readonly path: string; readonly servername: string; readonly review: object },
): Promise<Record<string, unknown> | undefined> {
  const body = JSON.stringify(review);
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    };
    const options = { host: "127.0.0.1", port, servername, ca, path, headers, method: "POST", agent: false };
    const outgoing = httpsRequest(options, (answer) => {
      let text = "";
      answer.on("data", (chunk) => text += chunk);
      answer.on("end", () => resolve(answer.statusCode === 200 ? JSON.parse(text).response : undefined));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Advances the clock by half a check until `holds`. */
export async function turn(replicas: Replicas, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let count = 0; !(await holds()); count++) {
    assert.ok(count < 500, "the condition never holds");
    await replicas.clock.advance(CHECK_MS / 2);
  }
}
