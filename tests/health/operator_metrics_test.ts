import { RESERVED_PREFIXES } from "../../lib/health/operator_metrics.ts";
import assert from "node:assert/strict";
import type { Logger } from "../../lib/base/mod.ts";
import { silentLogger } from "../../lib/base/mod.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { Metrics } from "../../lib/health/metrics.ts";
import { OperatorMetrics } from "../../lib/health/mod.ts";

// FR-413
Deno.test("counters, gauges and histograms of an operator are served as Prometheus reads them", () => {
  const metrics = new OperatorMetrics();
  const sent = metrics.counter("mail_sent_total", "Mails\nsent", { labels: ["result", "to"] });
  const open = metrics.gauge("mail_open", "Open");
  const took = metrics.histogram("mail_seconds", "Time", { labels: ["result"], buckets: [0.1, 1] });
  sent.inc({ result: "ok", to: 'a"b\\' });
  sent.inc({ to: 'a"b\\', result: "ok" }, 2);
  open.set(5);
  open.add(-2);
  for (const seconds of [0.05, 0.5, 5]) took.observe({ result: "ok" }, seconds);
  assert.deepEqual([sent.value({ result: "ok", to: 'a"b\\' }), open.value(), took.count({ result: "ok" })], [3, 3, 3]);
  assert.deepEqual(metrics.text().trimEnd().split("\n"), [
    "# HELP mail_sent_total Mails\\nsent",
    "# TYPE mail_sent_total counter",
    'mail_sent_total{result="ok",to="a\\"b\\\\"} 3',
    "# HELP mail_open Open",
    "# TYPE mail_open gauge",
    "mail_open 3",
    "# HELP mail_seconds Time",
    "# TYPE mail_seconds histogram",
    'mail_seconds_bucket{result="ok",le="0.1"} 1',
    'mail_seconds_bucket{result="ok",le="1"} 2',
    'mail_seconds_bucket{result="ok",le="+Inf"} 3',
    'mail_seconds_sum{result="ok"} 5.55',
    'mail_seconds_count{result="ok"} 3',
  ]);
  open.remove();
  assert.equal(open.value(), 0);
});

// FR-413
Deno.test("a metric has a bounded number of series; the rest is one series and one warning, also where the logger is set later", () => {
  const warned: unknown[] = [], metrics = new OperatorMetrics();
  const logger: Logger = { ...silentLogger, warn: (message, fields) => void warned.push([message, fields]) };
  const seen = metrics.counter("seen_total", "Seen", { labels: ["what"], seriesMax: 2 });
  for (const what of ["a", "b", "c", "d", "a"]) seen.inc({ what });
  metrics.warnTo(logger);
  seen.inc({ what: "e" });
  assert.deepEqual(["a", "b", "c", "_other"].map((what) => seen.value({ what })), [2, 1, 0, 3]);
  assert.deepEqual(warned, [[
    "a metric has too many series: further ones get labels of _other",
    { metric: "seen_total" },
  ]]);
});

Deno.test("invalid names, labels, bounds and values of metrics are refused", () => {
  const metrics = new OperatorMetrics();
  metrics.histogram("a_seconds", "A");
  assert.throws(() => metrics.counter("sent", "S"), /"sent" must end with _total/);
  assert.throws(() => metrics.gauge("1a", "S"), /"1a" is not a valid metric name/);
  assert.throws(() => metrics.gauge("pintle_paused", "S"), /begin with pintle_ are Pintle's/);
  assert.throws(() => metrics.gauge("a_seconds", "S"), /the metric "a_seconds" exists already/);
  assert.throws(() => metrics.gauge("a_seconds_count", "S"), /the metric "a_seconds_count" exists already/);
  assert.throws(() => metrics.gauge("b", "S", { labels: ["a-b"] }), /"a-b" is not a valid label of the metric "b"/);
  assert.throws(() => metrics.gauge("b", "S", { labels: ["a"], seriesMax: 0 }), /seriesMax of the metric "b"/);
  assert.throws(() => metrics.histogram("b", "S", { labels: ["le"] }), /"le" is a label of every histogram/);
  assert.throws(() => metrics.histogram("b", "S", { buckets: [2, 1] }), /buckets of the histogram "b"/);
  assert.throws(() => metrics.gauge("c", "S").set(NaN), /c: NaN is not a number/);
  assert.throws(() => metrics.counter("c_total", "S").inc(-1), /a counter cannot go back by 1/);
});

// FR-413
Deno.test("every metric of Pintle begins with a reserved prefix", () => {
  const metrics = new Metrics(new VirtualClock());
  metrics.leadership("a", () => true);
  metrics.pause("a", () => true);
  metrics.shards("a", () => 1);
  for (const name of metrics.names()) {
    assert.ok(RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)), name);
  }
});
