import { type Clock, SeededRandom, sleep, type Transport, type TransportRequest, untilAborted } from "../base/mod.ts";
import type { RunningOperator } from "../operator/mod.ts";
import {
  comparable,
  type Exchange,
  knownDigest,
  type RecordedRequest,
  type Recording,
  withoutOwnSecrets,
} from "./recording.ts";
import { Simulation } from "./simulation.ts";

/** A replay is as fast as its operator: what the recorded process had no time to send is no difference. */
const CUT_OFF_MS = 1_000;

/** The first request that is not as recorded. */
export interface ReplayDifference {
  readonly atMs: number;
  /** Undefined if the replay left out a request that was recorded. */
  readonly sent?: RecordedRequest;
  /** The recorded request that it stands for, if one is alike. */
  readonly recorded?: RecordedRequest;
}

export interface ReplayResult {
  /** Requests that were sent as recorded. */
  readonly requests: number;
  readonly writes: number;
  readonly difference?: ReplayDifference;
  /** What no code handled. */
  readonly uncaught: readonly string[];
  /** Calls that the recording does not answer. */
  readonly warnings: readonly string[];
}

interface ReplayOptions {
  /** Starts the operator; called inside of the simulation. */
  readonly start: (parts: ReplayParts) => Promise<RunningOperator>;
  /** Called for each request that is as recorded. */
  readonly onRequest?: (request: RecordedRequest, atMs: number) => void;
  readonly signal: AbortSignal;
}

/** What a replayed operator gets instead of a cluster and the machine. */
export interface ReplayParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: SeededRandom;
  /** Aborts at the first difference, and at the end. */
  readonly signal: AbortSignal;
}

/**
 * Runs an operator on what it observed once: recorded answers and events, at their times, on a virtual clock.
 *
 * Guarantees: nothing is sent. Requests may be in another order than recorded, since workers run at once; each must be
 * among the recorded ones.
 */
export async function replay(recording: Recording, { start, onRequest, signal }: ReplayOptions): Promise<ReplayResult> {
  const { header: { seed, startMs }, endMs } = recording;
  const simulation = new Simulation(seed, startMs - new Simulation(seed).clock.now()), { clock } = simulation;
  const ended = new AbortController();
  const transport = new ReplayTransport(recording, { clock, onRequest, onDifference: () => ended.abort() });
  const stop = () => ended.abort();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await simulation.run(async () => {
      const random = new SeededRandom(seed);
      const starting = start({ transport, clock, random, signal: ended.signal });
      starting.catch(() => {}); // a start whose requests were never answered ends with the recording
      await sleep(clock, endMs, ended.signal).catch(() => {});
      ended.abort(new Error("the recording ends"));
      const running = await starting.catch(() => undefined);
      await running?.crash();
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  const { warnings, uncaughtErrors: uncaught } = simulation;
  return { ...transport.result(), warnings, uncaught };
}

interface TransportOptions extends Pick<ReplayOptions, "onRequest"> {
  readonly clock: Clock;
  readonly onDifference: () => void;
}

/** Answers from a recording. */
class ReplayTransport implements Transport {
  readonly #options: TransportOptions;
  /** By request: the exchanges that were not replayed yet. */
  readonly #left = new Map<string, Exchange[]>();
  readonly #beginMs: number;
  /** What is sent later may have been cut off. */
  readonly #cutOffMs: number;
  #requests = 0;
  #writes = 0;
  #difference: ReplayDifference | undefined;

  constructor(recording: Recording, options: TransportOptions) {
    this.#options = options;
    this.#beginMs = options.clock.elapsed();
    const { exchanges, endMs } = recording;
    this.#cutOffMs = Math.max(endMs - CUT_OFF_MS, exchanges.at(-1)?.sentMs ?? 0);
    for (const exchange of recording.exchanges) {
      const key = keyOf(exchange.request);
      this.#left.set(key, [...this.#left.get(key) ?? [], exchange]);
    }
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    const { method, body, headers, signal } = request;
    signal?.throwIfAborted();
    const sent = comparable(path, {
      method,
      accept: headers?.accept,
      body: body && withoutOwnSecrets(path, body, knownDigest),
    });
    const exchange = this.#left.get(keyOf(sent))?.shift();
    if (!exchange) {
      this.#differs(sent);
      return await never(signal);
    }
    this.#requests++;
    if (sent.method !== "GET") this.#writes++;
    this.#options.onRequest?.(exchange.request, this.#atMs);
    const { answer, failed } = exchange, settled = answer ?? failed;
    if (!settled) return await never(signal);
    await this.#until(settled.atMs, signal);
    if (failed) throw new TypeError(failed.message);
    const { status, headers: answered, body: text } = answer!;
    if (exchange.streams && status === 200) {
      return new Response(this.#stream(exchange, signal), { status, headers: answered });
    }
    return new Response(status === 204 ? null : text ?? "", { status, headers: answered });
  }

  close(): void {}

  result(): Pick<ReplayResult, "requests" | "writes" | "difference"> {
    const difference = this.#difference ?? this.#leftOut();
    return { requests: this.#requests, writes: this.#writes, ...(difference && { difference }) };
  }

  get #atMs(): number {
    return this.#options.clock.elapsed() - this.#beginMs;
  }

  #differs(sent: RecordedRequest): void {
    const atMs = this.#atMs;
    if (this.#difference || atMs >= this.#cutOffMs) return;
    this.#difference = { atMs, sent, recorded: this.#alike(sent) };
    this.#options.onDifference();
  }

  /** A recorded write that the replay did not send. Reads and watches may end sooner. */
  #leftOut(): ReplayDifference | undefined {
    const left =
      [...this.#left.values()].flat().filter(({ request, answer, sentMs }) =>
        request.method !== "GET" && answer && sentMs < this.#cutOffMs
      ).sort((one, other) => one.sentMs - other.sentMs)[0];
    return left && { atMs: left.sentMs, recorded: left.request };
  }

  /** An unanswered request of the same method and path. */
  #alike({ method, path }: RecordedRequest): RecordedRequest | undefined {
    const left = [...this.#left.values()].flat().sort((one, other) => one.sentMs - other.sentMs);
    return left.find(({ request }) => request.method === method && request.path === path)?.request ??
      left.find(({ request }) => request.method !== "GET")?.request;
  }

  async #until(atMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#options;
    await sleep(clock, Math.max(0, atMs - this.#atMs), signal);
  }

  #stream({ events, end }: Exchange, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder(), left = [...events];
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const next = left.shift();
          if (next) {
            await this.#until(next.atMs, signal);
            return controller.enqueue(encoder.encode(`${next.text}\n`));
          }
          if (!end) return await never(signal);
          await this.#until(end.atMs, signal);
          if (end.error === null) controller.close();
          else controller.error(new TypeError(end.error));
        } catch (error) {
          controller.error(error);
        }
      },
    }, { highWaterMark: 0 });
  }
}

function keyOf({ method, path, accept = "", body = "" }: RecordedRequest): string {
  return [method, path, accept, body].join("\n");
}

async function never(signal: AbortSignal | undefined): Promise<never> {
  const pending = new Promise<never>(() => {});
  return await (signal ? untilAborted(pending, signal) : pending);
}
