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

/** The kind of a step; `fault` is one that an exploration injected. */
export type StepKind = "given" | "when" | "then" | "teardown" | "fault";

/** The record of one step. Times are milliseconds since the Unix epoch. */
export interface StepRecord {
  /** Its kind. */
  readonly kind: StepKind;
  /** Its text in the report. */
  readonly title: string;
  /** When it began. */
  readonly startMs: number;
  /** Orders entries of the same millisecond. */
  readonly order: number;
  /** Absent while it runs, and if it was cut off. */
  endMs?: number;
  /** Why it failed. */
  failure?: string;
}

/** One write to the API server. */
export interface WriteEntry {
  /** `operator`, or `scenario` for the body. */
  readonly by: "operator" | "scenario";
  /** HTTP method. */
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Name of a created object, which the path lacks; undefined if the server chooses it. */
  readonly name?: string;
  /** HTTP status; undefined without an answer. */
  readonly status: number | undefined;
  /** When it was sent, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Orders entries of the same millisecond. */
  readonly order: number;
  /** Milliseconds until its answer, or until its failure was known. */
  readonly tookMs: number;
}

/** A line that the operator logged. */
export interface LogEntry {
  /** Its severity. */
  readonly level: LogLevel;
  /** The text. */
  readonly message: string;
  /** Its named values. */
  readonly fields: LogFields;
  /** When, in milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Orders entries of the same millisecond. */
  readonly order: number;
}

/** A Kubernetes Event in the scenario's namespaces. */
export interface EventEntry {
  /** `Normal` or `Warning`. */
  readonly type: string;
  /** CamelCase word for programs. */
  readonly reason: string;
  /** Text for people. */
  readonly note: string;
  /** Such as `Replication home/token`. */
  readonly regarding: string;
  /** When, in milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** Most entries kept of one sort; later ones are counted. */
const ENTRIES_MAX = 2_000;

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

/** The record of a scenario, from which reports are made. Bounded; `dropped` counts what did not fit. */
export class Timeline {
  readonly steps: StepRecord[] = [];
  readonly writes: WriteEntry[] = [];
  readonly logs: LogEntry[] = [];
  readonly events: EventEntry[] = [];
  /** The values of Secrets that the clients and the operator read or sent, which reports must not contain. */
  readonly mask = new Mask();
  dropped = 0;
  #next = 0;

  constructor(readonly clock: Clock) {}

  next(): number {
    return this.#next++;
  }

  begin(kind: StepKind, title: string): StepRecord {
    const step: StepRecord = { kind, title, startMs: this.clock.now(), order: this.next() };
    this.#keep(this.steps, step);
    return step;
  }

  write(entry: WriteEntry): void {
    this.#keep(this.writes, entry);
  }

  log(entry: Omit<LogEntry, "atMs" | "order">): void {
    this.#keep(this.logs, { ...entry, atMs: this.clock.now(), order: this.next() });
  }

  event(entry: EventEntry): void {
    this.#keep(this.events, entry);
  }

  /** A copy without a Secret's value. Later entries do not change it: an abandoned body may continue. */
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
