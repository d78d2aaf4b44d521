import {
  type Clock,
  isObject,
  type LogFields,
  type LogLevel,
  Mask,
  parseJson,
  type Transport,
  type TransportRequest,
} from "../base/mod.ts";

/** What a step of a story is. */
export type StepKind = "given" | "when" | "then" | "teardown";

/** One step, as it went. Times are milliseconds since the Unix epoch. */
export interface StepRecord {
  /** Which part of the story it is. */
  readonly kind: StepKind;
  /** What it does, for the report. */
  readonly title: string;
  /** When it began. */
  readonly startMs: number;
  /** Its place in the record: more than one thing happens in a millisecond. */
  readonly order: number;
  /** Absent while it runs, and for a step that was cut off. */
  endMs?: number;
  /** Why it failed, in words. */
  failure?: string;
}

/** One write to the API server. */
export interface WriteEntry {
  /** `operator`, or `scenario` for the story's own. */
  readonly by: "operator" | "scenario";
  /** HTTP method. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Name of what is created, which the path does not contain; undefined where it is the server's choice. */
  readonly name?: string;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** When it was sent, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Its place in the record: more than one thing happens in a millisecond. */
  readonly order: number;
  /** How long its answer, or the news that none will come, took. */
  readonly tookMs: number;
}

/** One line that the operator logged. */
export interface LogEntry {
  /** How grave it is. */
  readonly level: LogLevel;
  /** The text. */
  readonly message: string;
  /** Its named values. */
  readonly fields: LogFields;
  /** When, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Its place in the record: more than one thing happens in a millisecond. */
  readonly order: number;
}

/** One Kubernetes Event in the scenario's namespaces. */
export interface EventEntry {
  /** `Normal` or `Warning`. */
  readonly type: string;
  /** CamelCase word for programs. */
  readonly reason: string;
  /** The same for people. */
  readonly note: string;
  /** `Replication home/token`. */
  readonly regarding: string;
  /** When, in milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** Most entries of one sort that are kept; what comes later is counted. */
const ENTRIES_MAX = 2_000;

/** Sends a write and enters it, with the answer's status, or with none where no answer came. */
export async function recorded(
  transport: Transport,
  { path, request }: { readonly path: string; readonly request: TransportRequest },
  by: WriteEntry["by"],
  timeline: Timeline,
): Promise<Response> {
  const { method = "GET", body } = request, name = method === "POST" ? nameIn(body) : undefined;
  const atMs = timeline.clock.now(), order = timeline.next();
  let status: number | undefined;
  try {
    const response = await transport.fetch(path, request);
    status = response.status;
    return response;
  } finally {
    timeline.write({ by, method, path, name, status, atMs, order, tookMs: timeline.clock.now() - atMs });
  }
}

function nameIn(body = ""): string | undefined {
  try {
    const object = parseJson(body), metadata = isObject(object) ? object.metadata : undefined;
    return isObject(metadata) && typeof metadata.name === "string" ? metadata.name : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // what is no JSON is the server's to refuse
    throw error;
  }
}

/** What happened while a scenario ran, as data: reports are made of it. Bounded; `dropped` counts what did not fit. */
export class Timeline {
  readonly steps: StepRecord[] = [];
  readonly writes: WriteEntry[] = [];
  readonly logs: LogEntry[] = [];
  readonly events: EventEntry[] = [];
  /**
   * Knows the values of Secrets that the scenario's clients and its operator have read or sent: no report may have
   * them.
   */
  readonly mask = new Mask();
  dropped = 0;
  #next = 0;

  constructor(readonly clock: Clock) {}

  /** The place of what happens now. */
  next(): number {
    return this.#next++;
  }

  /** Begins a step. */
  begin(kind: StepKind, title: string): StepRecord {
    const step: StepRecord = { kind, title, startMs: this.clock.now(), order: this.next() };
    this.#keep(this.steps, step);
    return step;
  }

  /** Enters a write. */
  write(entry: WriteEntry): void {
    this.#keep(this.writes, entry);
  }

  /** Enters a log line. */
  log(entry: Omit<LogEntry, "atMs" | "order">): void {
    this.#keep(this.logs, { ...entry, atMs: this.clock.now(), order: this.next() });
  }

  /** Enters an Event. */
  event(entry: EventEntry): void {
    this.#keep(this.events, entry);
  }

  /**
   * What it holds now, without a Secret's value. No later entry changes it: a body that was left behind may continue.
   */
  snapshot(): Pick<Timeline, "steps" | "writes" | "logs" | "events" | "dropped"> {
    const { mask } = this;
    return {
      steps: this.steps.map((step) => mask.json(step)),
      writes: [...this.writes],
      logs: this.logs.map((entry) => ({
        ...entry,
        message: mask.text(entry.message),
        fields: mask.json(entry.fields),
      })),
      events: this.events.map((entry) => ({ ...entry, note: mask.text(entry.note) })),
      dropped: this.dropped,
    };
  }

  #keep<T>(entries: T[], entry: T): void {
    if (entries.length < ENTRIES_MAX) entries.push(entry);
    else this.dropped++;
  }
}
