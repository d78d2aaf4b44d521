import process from "node:process";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../base/mod.ts";

interface ControllerGauges {
  readonly name: string;
  readonly depth: number;
  /** In elapsed time. */
  readonly workingSinceMs: readonly number[];
  readonly workersMax: number;
}

interface WatchGauges {
  readonly resource: string;
  readonly objects: number;
  readonly stalenessMs: number;
  readonly relists: number;
  readonly reconnects: number;
}

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * Named as dashboards expect: `workqueue_*` of client-go, `controller_runtime_*` of controller-runtime,
 * `rest_client_*`, and `pintle_*` for the rest. Labels never hold object names: kinds bound their number.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #clock: Clock;
  #controllers: () => Iterable<ControllerGauges> = () => [];
  #watches: () => Iterable<WatchGauges> = () => [];
  readonly #queue = this.#queueMetrics();
  readonly #passes = this.#passMetrics();
  readonly #requests = this.#requestMetrics();
  readonly #reviews = this.#reviewMetrics();
  readonly #hot = this.#gauge("pintle_hot_keys", "Objects in a hot loop, which are slowed down", [
    "controller",
  ]);

  readonly #unhandled = this.#counter(
    "pintle_unhandled_errors_total",
    "Errors that the operator's code did not catch: unawaited promises, timer callbacks",
    [],
  );

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#collectQueues();
    this.#collectWatches();
    this.#collectProcess();
  }

  /** Each scrape reads the source: controllers of selected kinds change. */
  controllers(source: () => Iterable<ControllerGauges>): void {
    this.#controllers = source;
  }

  watches(source: () => Iterable<WatchGauges>): void {
    this.#watches = source;
  }

  /** Without leader election there is no such metric. */
  leadership(name: string, isLeader: () => boolean): void {
    this.#gauge(
      "leader_election_master_status",
      "1 if this replica is the leader, 0 if it is on standby",
      ["name"],
      (gauge) => {
        gauge.set({ name }, isLeader() ? 1 : 0);
      },
    );
  }

  /** Paused for a peer, or waiting for one. Without peering there is no such metric. */
  pause(name: string, isPaused: () => boolean): void {
    this.#gauge(
      "pintle_paused",
      "1 if this process is paused for a peer, else 0",
      ["name"],
      (gauge) => {
        gauge.set({ name }, isPaused() ? 1 : 0);
      },
    );
  }

  /** Without shards there is no such metric. */
  shards(name: string, held: () => number): void {
    this.#gauge("pintle_shards", "Shards of namespaces that this replica owns", ["name"], (gauge) => {
      gauge.set({ name }, held());
    });
  }

  observer(controller: string): {
    queue: { added(): void; taken(waitedMs: number): void; done(workedMs: number): void; retried(): void };
    passStarted(): void;
    passEnded(result: string, durationMs: number, writes: number): void;
    hot(key: string, hot: boolean): void;
    stale(): void;
  } {
    const queue = this.#queue, passes = this.#passes, name = { name: controller }, label = { controller };
    return {
      queue: {
        added: () => queue.adds.inc(name),
        taken: (waitedMs) => queue.waited.observe(name, waitedMs / 1_000),
        done: (workedMs) => queue.worked.observe(name, workedMs / 1_000),
        retried: () => queue.retries.inc(name),
      },
      passStarted: () => passes.active.inc(label),
      passEnded: (result, durationMs, writes) => {
        passes.active.dec(label);
        passes.total.inc({ controller, result });
        passes.seconds.observe(label, durationMs / 1_000);
        passes.writes.inc(label, writes);
        if (result === "error") passes.errors.inc(label);
        if (result === "failed") passes.failed.inc(label);
      },
      hot: (_key, hot) => this.#hot.inc(label, hot ? 1 : -1),
      stale: () => passes.stale.inc(label),
    };
  }

  unhandledError(): void {
    this.#unhandled.inc();
  }

  /** Counts one API request. `code` 0 (no response) is counted as `<error>`, as in client-go. */
  request(record: { verb: string; code: number; durationMs: number }): void {
    const code = record.code === 0 ? "<error>" : `${record.code}`;
    this.#requests.total.inc({ code, method: record.verb });
    this.#requests.seconds.observe({ verb: record.verb }, record.durationMs / 1_000);
  }

  /** Counts one admission or conversion review. */
  review(record: { webhook: string; code: number; denied: boolean; durationMs: number }): void {
    const { webhook, code, denied, durationMs } = record;
    this.#reviews.total.inc({ webhook, code: `${code}` });
    this.#reviews.seconds.observe({ webhook }, durationMs / 1_000);
    if (denied) this.#reviews.denied.inc({ webhook });
  }

  async scrape(): Promise<{ body: string; contentType: string }> {
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[], collect?: (gauge: Gauge) => void): Gauge {
    const registers = [this.#registry];
    return new Gauge({
      name,
      help,
      labelNames,
      registers,
      ...(collect && {
        collect() {
          this.reset();
          collect(this);
        },
      }),
    });
  }

  #histogram(name: string, help: string, labelNames: string[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.#registry] });
  }

  #queueMetrics() {
    return {
      adds: this.#counter("workqueue_adds_total", "Keys added to the queue", ["name"]),
      retries: this.#counter("workqueue_retries_total", "Keys that are retried after an error", ["name"]),
      waited: this.#histogram("workqueue_queue_duration_seconds", "Time that a key waits in the queue", ["name"]),
      worked: this.#histogram("workqueue_work_duration_seconds", "Time to process a key", ["name"]),
    };
  }

  #passMetrics() {
    const label = ["controller"];
    return {
      total: this.#counter("controller_runtime_reconcile_total", "Reconciles by result", [...label, "result"]),
      errors: this.#counter("controller_runtime_reconcile_errors_total", "Reconciles that will be retried", label),
      failed: this.#counter(
        "controller_runtime_terminal_reconcile_errors_total",
        "Reconciles with a terminal error",
        label,
      ),
      seconds: this.#histogram("controller_runtime_reconcile_time_seconds", "Duration of a reconcile", label),
      active: this.#gauge("controller_runtime_active_workers", "Reconciles in progress", label),
      writes: this.#counter("pintle_reconcile_writes_total", "API writes made by reconciles", label),
      stale: this.#counter(
        "pintle_stale_reads_avoided_total",
        "Reconciles delayed because a store did not show the object's last writes in time",
        label,
      ),
    };
  }

  #requestMetrics() {
    return {
      total: this.#counter("rest_client_requests_total", "API requests by status code and verb", ["code", "method"]),
      seconds: this.#histogram("rest_client_request_duration_seconds", "Latency of API requests", ["verb"]),
    };
  }

  #reviewMetrics() {
    const label = ["webhook"];
    return {
      total: this.#counter("controller_runtime_webhook_requests_total", "Webhook calls by code", [...label, "code"]),
      seconds: this.#histogram("controller_runtime_webhook_latency_seconds", "Latency of webhook reviews", label),
      denied: this.#counter(
        "pintle_webhook_denials_total",
        "Webhook reviews that an admission handler or a conversion function refused",
        label,
      ),
    };
  }

  #collectQueues(): void {
    const collect = (label: string, value: (each: ControllerGauges) => number) => (gauge: Gauge) => {
      for (const each of this.#controllers()) gauge.set({ [label]: each.name }, value(each));
    };
    const ages = ({ workingSinceMs }: ControllerGauges) =>
      workingSinceMs.map((sinceMs) => (this.#clock.elapsed() - sinceMs) / 1_000);
    this.#gauge("workqueue_depth", "Keys waiting in the queue", ["name"], collect("name", ({ depth }) => depth));
    this.#gauge(
      "workqueue_unfinished_work_seconds",
      "Total processing time so far of the keys in progress",
      ["name"],
      collect("name", (each) => ages(each).reduce((a, b) => a + b, 0)),
    );
    this.#gauge(
      "workqueue_longest_running_processor_seconds",
      "Longest processing time so far of a key in progress",
      ["name"],
      collect("name", (each) => Math.max(0, ...ages(each))),
    );
    this.#gauge(
      "controller_runtime_max_concurrent_reconciles",
      "Maximum of concurrent reconciles",
      ["controller"],
      collect("controller", ({ workersMax }) => workersMax),
    );
  }

  #collectWatches(): void {
    const collect =
      (value: (watch: WatchGauges) => number, combine: (a: number, b: number) => number) => (gauge: Gauge) => {
        gauge.reset(); // drops the series of watches that have ended
        const byResource = new Map<string, number>();
        for (const watch of this.#watches()) {
          byResource.set(watch.resource, combine(byResource.get(watch.resource) ?? 0, value(watch)));
        }
        for (const [resource, total] of byResource) gauge.set({ resource }, total);
      };
    const sum = (a: number, b: number) => a + b;
    const label = ["resource"];
    this.#gauge("pintle_store_objects", "Objects in the stores", label, collect(({ objects }) => objects, sum));
    this.#gauge(
      "pintle_watch_staleness_seconds",
      "Time since the server last sent data, of the watch that waits longest",
      label,
      collect(({ stalenessMs }) => stalenessMs / 1_000, Math.max),
    );
    this.#gauge(
      "pintle_watch_relists",
      "Relists of the running watches",
      label,
      collect(({ relists }) => relists, sum),
    );
    this.#gauge(
      "pintle_watch_reconnects",
      "Reconnects of the running watches",
      label,
      collect(({ reconnects }) => reconnects, sum),
    );
  }

  #collectProcess(): void {
    const startedSeconds = this.#clock.now() / 1_000;
    this.#gauge(
      "process_resident_memory_bytes",
      "Resident memory",
      [],
      (gauge) => gauge.set(process.memoryUsage().rss),
    );
    new Counter({
      name: "process_cpu_seconds_total",
      help: "CPU time, user and system",
      registers: [this.#registry],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    });
    this.#gauge(
      "process_start_time_seconds",
      "Start time, in seconds since the Unix epoch",
      [],
      (gauge) => gauge.set(startedSeconds),
    );
  }
}
