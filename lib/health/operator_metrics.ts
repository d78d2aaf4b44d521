import { type Logger, UsageError } from "../base/mod.ts";

/** Prefixes of Pintle's own metrics. */
export const RESERVED_PREFIXES: readonly string[] = [
  "controller_runtime_",
  "leader_election_",
  "pintle_",
  "process_",
  "rest_client_",
  "workqueue_",
];

const SERIES_MAX = 1_000;
const SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** In the overflow series. */
const OVERFLOW = "_other";

export interface MetricOptions<Label extends string> {
  /** Their values must be few: never names of objects. */
  readonly labels?: readonly Label[];
  /** 1,000 by default; further ones share one series, with one warning. */
  readonly seriesMax?: number;
}

/** The labels' values, then the method's arguments. */
export type MetricArguments<Label extends string, Rest extends unknown[]> = [Label] extends [never] ? Rest
  : [labels: Readonly<Record<Label, string>>, ...rest: Rest];

export type MetricType = "counter" | "gauge" | "histogram";

export interface Series {
  /** Names and values in a scrape. */
  readonly labels: string;
  /** The sum for a histogram. */
  value: number;
  count: number;
  /** How many values are at most each bound. */
  readonly buckets: number[];
}

/** Series by the values of their labels. */
abstract class Metric<Label extends string> {
  readonly #series = new Map<string, Series>();
  readonly #labels: readonly Label[];
  readonly #seriesMax: number;
  readonly #onOverflow: () => void;

  /** {@linkcode OperatorMetrics} makes them. */
  constructor(
    readonly name: string,
    readonly help: string,
    readonly type: MetricType,
    options: MetricOptions<Label> & { readonly onOverflow: () => void },
  ) {
    this.#labels = options.labels ?? [];
    this.#seriesMax = options.seriesMax ?? SERIES_MAX;
    this.#onOverflow = options.onOverflow;
  }

  /** Drops one series, for example of an object that is gone. */
  remove(...labels: MetricArguments<Label, []>): void {
    this.#series.delete(this.#textOf(labels[0]));
  }

  /** The sum for a histogram; 0 if the series does not exist. */
  value(...labels: MetricArguments<Label, []>): number {
    return this.#series.get(this.#textOf(labels[0]))?.value ?? 0;
  }

  /** Prometheus text format. */
  *lines(): Iterable<string> {
    yield `# HELP ${this.name} ${this.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`;
    yield `# TYPE ${this.name} ${this.type}`;
    for (const series of this.#series.values()) yield* this.linesOf(series);
  }

  protected *linesOf({ labels, value }: Series): Iterable<string> {
    yield `${this.name}${labels && `{${labels}}`} ${value}`;
  }

  protected take(given: readonly unknown[]): { series: Series; value: number | undefined } {
    const hasLabels = this.#labels.length > 0, value = given[hasLabels ? 1 : 0] as number | undefined;
    if (value !== undefined && !Number.isFinite(value)) throw new RangeError(`${this.name}: ${value} is not a number`);
    return { series: this.#seriesOf(this.#textOf(hasLabels ? given[0] : undefined)), value };
  }

  protected find(labels: unknown): Series | undefined {
    return this.#series.get(this.#textOf(labels));
  }

  #seriesOf(text: string): Series {
    const known = this.#series.get(text);
    if (known) return known;
    const overflow = this.#textOf(Object.fromEntries(this.#labels.map((label) => [label, OVERFLOW])));
    if (text !== overflow && this.#series.size - (this.#series.has(overflow) ? 1 : 0) >= this.#seriesMax) {
      this.#onOverflow();
      return this.#seriesOf(overflow);
    }
    const made = { labels: text, value: 0, count: 0, buckets: [] };
    this.#series.set(text, made);
    return made;
  }

  #textOf(given: unknown): string {
    const values = (given ?? {}) as Readonly<Record<string, unknown>>;
    return this.#labels.map((label) => `${label}="${escaped(String(values[label] ?? ""))}"`).join(",");
  }
}

/** A number that only grows, such as of events. */
class OperatorCounter<Label extends string = never> extends Metric<Label> {
  /** Adds 1, or `by`. @throws {RangeError} for a number below 0. */
  inc(...given: MetricArguments<Label, [by?: number]>): void {
    const { series, value: by = 1 } = this.take(given);
    if (by < 0) throw new RangeError(`${this.name}: a counter cannot go back by ${-by}`);
    series.value += by;
  }
}

/** A number that goes up and down. */
class OperatorGauge<Label extends string = never> extends Metric<Label> {
  set(...given: MetricArguments<Label, [value: number]>): void {
    const { series, value = 0 } = this.take(given);
    series.value = value;
  }

  /** A number below 0 subtracts. */
  add(...given: MetricArguments<Label, [by: number]>): void {
    const { series, value = 0 } = this.take(given);
    series.value += value;
  }
}

/** Numbers, counted by size. */
class OperatorHistogram<Label extends string = never> extends Metric<Label> {
  readonly #bounds: readonly number[];

  /** {@linkcode OperatorMetrics.histogram} makes them; `bounds` are the upper ones, in order. */
  constructor(
    name: string,
    help: string,
    options: MetricOptions<Label> & { readonly onOverflow: () => void; readonly bounds: readonly number[] },
  ) {
    super(name, help, "histogram", options);
    this.#bounds = options.bounds;
  }

  /** Durations are in seconds. */
  observe(...given: MetricArguments<Label, [value: number]>): void {
    const { series, value = 0 } = this.take(given);
    series.value += value;
    series.count++;
    for (const [index, bound] of this.#bounds.entries()) {
      series.buckets[index] = (series.buckets[index] ?? 0) + (value <= bound ? 1 : 0);
    }
  }

  /** How many values a series has counted. */
  count(...labels: MetricArguments<Label, []>): number {
    return this.find(labels[0])?.count ?? 0;
  }

  protected override *linesOf({ labels, value, count, buckets }: Series): Iterable<string> {
    const before = labels && `${labels},`, within = labels && `{${labels}}`;
    for (const [index, bound] of this.#bounds.entries()) {
      yield `${this.name}_bucket{${before}le="${bound}"} ${buckets[index] ?? 0}`;
    }
    yield `${this.name}_bucket{${before}le="+Inf"} ${count}`;
    yield `${this.name}_sum${within} ${value}`;
    yield `${this.name}_count${within} ${count}`;
  }
}

/**
 * An operator's own metrics, served at `/metrics` beside Pintle's, with a bounded number of series each. Names follow
 * Prometheus: the operator's subject first, the unit last, `_total` for counters.
 *
 * @example
 * ```ts
 * import { OperatorMetrics } from "./operator_metrics.ts";
 * const sent = new OperatorMetrics().counter("mail_sent_total", "Mails sent", { labels: ["result"] });
 * sent.inc({ result: "ok" });
 * if (sent.value({ result: "ok" }) !== 1) throw new Error("it counts");
 * ```
 */
export class OperatorMetrics {
  readonly #metrics = new Map<string, { readonly type: MetricType; lines(): Iterable<string> }>();
  readonly #overflown = new Set<string>();
  #logger: Logger | undefined;

  /**
   * A number that only grows; its name ends with `_total`.
   *
   * @throws {UsageError} for an invalid name, label or bound, and a name that exists.
   */
  counter<const Label extends string = never>(
    name: string,
    help: string,
    options: MetricOptions<Label> = {},
  ): OperatorCounter<Label> {
    if (!name.endsWith("_total")) throw new UsageError(`the counter "${name}" must end with _total`);
    return this.#add(new OperatorCounter<Label>(name, help, "counter", this.#checked(name, options)));
  }

  /**
   * A number that goes up and down.
   *
   * @throws {UsageError} as {@linkcode OperatorMetrics.counter}.
   */
  gauge<const Label extends string = never>(
    name: string,
    help: string,
    options: MetricOptions<Label> = {},
  ): OperatorGauge<Label> {
    return this.#add(new OperatorGauge<Label>(name, help, "gauge", this.#checked(name, options)));
  }

  /**
   * `buckets` are upper bounds in ascending order; seconds from 5 ms to 10 s by default.
   *
   * @throws {UsageError} as {@linkcode OperatorMetrics.counter}.
   */
  histogram<const Label extends string = never>(
    name: string,
    help: string,
    options: MetricOptions<Label> & { readonly buckets?: readonly number[] } = {},
  ): OperatorHistogram<Label> {
    const { buckets: bounds = SECONDS, ...rest } = options;
    if (bounds.length === 0 || bounds.some((bound, index) => !Number.isFinite(bound) || bound <= bounds[index - 1]!)) {
      throw new UsageError(`buckets of the histogram "${name}" must be numbers in ascending order`);
    }
    if ((rest.labels as readonly string[] | undefined)?.includes("le")) {
      throw new UsageError(`"le" is a label of every histogram: rename that of "${name}"`);
    }
    return this.#add(new OperatorHistogram<Label>(name, help, { ...this.#checked(name, rest), bounds }));
  }

  /** The text of a scrape; empty without metrics. */
  text(): string {
    const lines = [...this.#metrics.values()].flatMap((metric) => [...metric.lines()]);
    return lines.map((line) => `${line}\n`).join("");
  }

  /** For the one warning per metric with too many series. */
  warnTo(logger: Logger): void {
    this.#logger = logger;
    for (const name of this.#overflown) this.#warn(name);
  }

  #checked<Label extends string>(
    name: string,
    options: MetricOptions<Label>,
  ): MetricOptions<Label> & { readonly onOverflow: () => void } {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
      throw new UsageError(`"${name}" is not a valid metric name`, "letters, digits and _, no digit first");
    }
    const reserved = RESERVED_PREFIXES.find((prefix) => name.startsWith(prefix));
    if (reserved) throw new UsageError(`metric "${name}": names that begin with ${reserved} are Pintle's`);
    const labels: readonly string[] = options.labels ?? [];
    for (const [index, label] of labels.entries()) {
      if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith("__") || labels.indexOf(label) !== index) {
        throw new UsageError(
          `"${label}" is not a valid label of the metric "${name}"`,
          "letters, digits and _, each name once",
        );
      }
    }
    const { seriesMax = SERIES_MAX } = options;
    if (!Number.isInteger(seriesMax) || seriesMax < 1) {
      throw new UsageError(`seriesMax of the metric "${name}" must be a whole number, at least 1`);
    }
    const onOverflow = () => {
      if (this.#overflown.has(name)) return;
      this.#overflown.add(name);
      this.#warn(name);
    };
    return { ...options, onOverflow };
  }

  #add<M extends { readonly name: string; readonly type: MetricType; lines(): Iterable<string> }>(metric: M): M {
    const names = (name: string, type: MetricType) =>
      type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    const taken = new Set([...this.#metrics].flatMap(([name, { type }]) => names(name, type)));
    const clash = names(metric.name, metric.type).find((name) => taken.has(name));
    if (clash) throw new UsageError(`the metric "${clash}" exists already`);
    this.#metrics.set(metric.name, metric);
    return metric;
  }

  #warn(metric: string): void {
    this.#logger?.warn("a metric has too many series: further ones get labels of _other", { metric });
  }
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
