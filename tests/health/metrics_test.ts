import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { Metrics } from "../../lib/health/metrics.ts";

/** Names that dashboards of client-go and controller-runtime check for, then those that are this project's own. */
const NAMES = [
  "workqueue_adds_total",
  "workqueue_depth",
  "workqueue_longest_running_processor_seconds",
  "workqueue_queue_duration_seconds",
  "workqueue_retries_total",
  "workqueue_unfinished_work_seconds",
  "workqueue_work_duration_seconds",
  "controller_runtime_active_workers",
  "controller_runtime_max_concurrent_reconciles",
  "controller_runtime_reconcile_errors_total",
  "controller_runtime_reconcile_time_seconds",
  "controller_runtime_reconcile_total",
  "controller_runtime_terminal_reconcile_errors_total",
  "controller_runtime_webhook_latency_seconds",
  "controller_runtime_webhook_requests_total",
  "rest_client_request_duration_seconds",
  "rest_client_requests_total",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
  "pintle_hot_keys",
  "pintle_reconcile_writes_total",
  "pintle_stale_reads_avoided_total",
  "pintle_unhandled_errors_total",
  "pintle_store_objects",
  "pintle_watch_reconnects",
  "pintle_watch_relists",
  "pintle_watch_staleness_seconds",
  "pintle_webhook_denials_total",
];

/** The samples of a scrape by name and labels. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const { body } = await metrics.scrape();
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

// FR-101
Deno.test("metrics have the names that dashboards use, and no others", () => {
  assert.deepEqual(new Metrics(new VirtualClock()).names().sort(), [...NAMES].sort());
});

// FR-252
Deno.test("reviews are counted by webhook and code, and those that were refused apart", async () => {
  const metrics = new Metrics(new VirtualClock()), webhook = "/validate/size.widgets.example.com";
  metrics.review({ webhook, code: 200, denied: false, durationMs: 2 });
  metrics.review({ webhook, code: 200, denied: true, durationMs: 3 });
  metrics.review({ webhook, code: 500, denied: false, durationMs: 4 });
  const found = await samples(metrics);
  assert.equal(found.get(`controller_runtime_webhook_requests_total{webhook="${webhook}",code="200"}`), 2);
  assert.equal(found.get(`controller_runtime_webhook_requests_total{webhook="${webhook}",code="500"}`), 1);
  assert.equal(found.get(`controller_runtime_webhook_latency_seconds_count{webhook="${webhook}"}`), 3);
  assert.equal(found.get(`pintle_webhook_denials_total{webhook="${webhook}"}`), 1);
});

// FR-101
Deno.test("a queue is counted under client-go's names, with the name of its controller", async () => {
  const clock = new VirtualClock(), metrics = new Metrics(clock), startMs = clock.now();
  metrics.controllers(() => [{
    name: "a",
    depth: 3,
    workingSinceMs: [startMs, startMs + 1_000],
    workersMax: 16,
  }]);
  const { queue } = metrics.observer("a");
  queue.added();
  queue.added();
  queue.taken(20);
  queue.done(300);
  queue.retried();
  await clock.advance(4_000);
  const seen = await samples(metrics);
  const expected: Record<string, number> = {
    workqueue_adds_total: 2,
    workqueue_depth: 3,
    workqueue_retries_total: 1,
    workqueue_unfinished_work_seconds: 7,
    workqueue_longest_running_processor_seconds: 4,
    workqueue_queue_duration_seconds_count: 1,
    workqueue_queue_duration_seconds_sum: 0.02,
    workqueue_work_duration_seconds_count: 1,
    workqueue_work_duration_seconds_sum: 0.3,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(seen.get(`${name}{name="a"}`), value, name);
  assert.equal(seen.get('controller_runtime_max_concurrent_reconciles{controller="a"}'), 16);
});

// FR-101
Deno.test("reconciles are counted under controller-runtime's names, by how they ended", async () => {
  const metrics = new Metrics(new VirtualClock()), observer = metrics.observer("a");
  for (const result of ["success", "error", "failed", "requeue_after"]) {
    observer.passStarted();
    observer.passEnded(result, 40, 1);
  }
  observer.passStarted();
  observer.hot("x", true);
  observer.stale();
  const seen = await samples(metrics);
  for (const result of ["success", "error", "failed", "requeue_after"]) {
    assert.equal(seen.get(`controller_runtime_reconcile_total{controller="a",result="${result}"}`), 1, result);
  }
  for (
    const [name, value] of Object.entries({
      controller_runtime_reconcile_errors_total: 1,
      controller_runtime_terminal_reconcile_errors_total: 1,
      controller_runtime_reconcile_time_seconds_count: 4,
      controller_runtime_active_workers: 1,
      pintle_reconcile_writes_total: 4,
      pintle_hot_keys: 1,
      pintle_stale_reads_avoided_total: 1,
    })
  ) assert.equal(seen.get(`${name}{controller="a"}`), value, name);
});

Deno.test("several watches of a resource have the sum of their objects and the longest silence", async () => {
  const metrics = new Metrics(new VirtualClock());
  metrics.watches(() => [
    { resource: "secrets", objects: 2, stalenessMs: 1_000, relists: 1, reconnects: 4 },
    { resource: "secrets", objects: 3, stalenessMs: 9_000, relists: 1, reconnects: 0 },
  ]);
  const seen = await samples(metrics);
  for (
    const [name, value] of Object.entries({
      pintle_store_objects: 5,
      pintle_watch_staleness_seconds: 9,
      pintle_watch_relists: 2,
      pintle_watch_reconnects: 4,
    })
  ) assert.equal(seen.get(`${name}{resource="secrets"}`), value, name);
});
