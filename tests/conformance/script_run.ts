import { formatJson, isObject, parseJson, type Transport } from "../../lib/base/mod.ts";
import type { Cluster } from "../../lib/harness/mod.ts";
import { Normalizer } from "./normalized.ts";
import { type EventsStep, hasFields, type RequestStep, type Script, type Step, type UntilStep } from "./script.ts";

/** What a server answered to one step, comparable with another server's. */
export interface StepAnswer {
  readonly code?: number;
  /** Where it is not the one that was asked for. */
  readonly type?: string;
  readonly warning?: string;
  /** Those that the step asks for. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of a watch. */
  readonly events?: readonly unknown[];
}

const UNTIL_MS_MAX = 30_000, EVENTS_MS_MAX = 15_000, POLL_MS = 50, TEXT_MAX = 4_000;

/** Runs the steps of a script one by one. */
export class ScriptRun implements AsyncDisposable {
  readonly #kept = new Map<string, string>();
  readonly #watches = new Map<string, WatchLines>();
  readonly #transports = new Map<string, Transport>();
  readonly #normalizer: Normalizer;

  private constructor(readonly cluster: Cluster, readonly namespace: string, own: string) {
    this.#kept.set("ns", namespace);
    this.#normalizer = new Normalizer(namespace, own, Date.now());
  }

  /** Runs a script in a new namespace of this name. One answer for each step that has one. */
  static async run(cluster: Cluster, namespace: string, script: Script): Promise<StepAnswer[]> {
    await using run = new ScriptRun(cluster, namespace, formatJson(script.steps));
    await run.#send({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: namespace } } });
    return await run.#steps(script.steps);
  }

  /** Runs the setup of an area. @throws {Error} naming a step that failed. */
  static async setUp(cluster: Cluster, steps: readonly Step[]): Promise<void> {
    await using run = new ScriptRun(cluster, "default", "");
    for (const [index, answer] of (await run.#steps(steps)).entries()) {
      if (answer.code === undefined || answer.code < 400 || answer.code === 409) continue;
      throw new Error(`step ${index + 1} of the setup was answered with ${answer.code}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lines of this.#watches.values()) await lines[Symbol.asyncDispose]();
    for (const transport of this.#transports.values()) transport.close();
  }

  async #steps(steps: readonly Step[]): Promise<StepAnswer[]> {
    const answers: StepAnswer[] = [];
    for (const step of steps) {
      if ("method" in step) answers.push(await this.#request(step));
      else if ("watch" in step) answers.push(await this.#watch(step));
      else if ("events" in step) answers.push(await this.#events(step));
      else answers.push(await this.#until(step));
    }
    return answers;
  }

  async #request(step: RequestStep): Promise<StepAnswer> {
    const response = await this.#send(step);
    const text = await response.text(), type = response.headers.get("content-type") ?? "";
    const isJson = type.includes("json") && text !== "";
    const body = isJson ? parsed(text) : text.slice(0, TEXT_MAX);
    for (const [name, path] of Object.entries(step.keep ?? {})) this.#kept.set(name, String(fieldAt(body, path)));
    if (step.codeOnly === true || (step.codeOnly && response.ok)) return { code: response.status };
    const warning = response.headers.get("warning");
    return {
      code: response.status,
      ...type !== "application/json" && type !== "" && { type },
      ...warning !== null && { warning: String(this.#normalizer.normalize(warning)) },
      ...step.shows && { headers: this.#headers(response.headers, step.shows) },
      ...text !== "" && { body: this.#shown(step, step.asText ? text.slice(0, TEXT_MAX) : body) },
    };
  }

  #headers(headers: Headers, names: readonly string[]): Record<string, string> {
    const shown = names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, String(this.#normalizer.normalize(value))]];
    });
    return Object.fromEntries(shown);
  }

  #shown({ only }: RequestStep, body: unknown): unknown {
    const normal = this.#normalizer.normalize(body);
    return only ? Object.fromEntries(only.map((path) => [path, fieldAt(normal, path)])) : normal;
  }

  async #send({ method, path, body, type, accept, headers, user }: RequestStep, streaming = false): Promise<Response> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : formatJson(body);
    return await this.#transport(user).fetch(this.#path(path), {
      method,
      headers: {
        accept: accept ?? "application/json",
        "user-agent": "tester/1",
        ...text !== undefined && { "content-type": type ?? "application/json" },
        ...Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, this.#filled(value)])),
      },
      ...text !== undefined && { body: this.#filled(text) },
      streaming,
    });
  }

  #transport(user: RequestStep["user"]): Transport {
    const key = JSON.stringify(user ?? null), known = this.#transports.get(key);
    if (known) return known;
    const filled = user &&
      { name: this.#filled(user.name), groups: (user.groups ?? []).map((one) => this.#filled(one)) };
    const transport = this.cluster.transport(filled);
    this.#transports.set(key, transport);
    return transport;
  }

  async #watch({ watch, path, accept }: Extract<Step, { watch: string }>): Promise<StepAnswer> {
    const response = await this.#send({ method: "GET", path, ...accept && { accept } }, true);
    if (response.status !== 200) {
      const text = await response.text();
      return { code: response.status, body: this.#normalizer.normalize(text.startsWith("{") ? parsed(text) : text) };
    }
    this.#watches.set(watch, new WatchLines(response));
    return { code: 200 };
  }

  async #events({ events, count, end }: EventsStep): Promise<StepAnswer> {
    const lines = this.#watches.get(events), seen: unknown[] = [];
    if (!lines) return { events: ["the watch is not open"] };
    const deadlineMs = Date.now() + EVENTS_MS_MAX;
    while (seen.length < count || end) {
      const line = await lines.next(Math.max(1, deadlineMs - Date.now()));
      if (line === "late") seen.push("no further event came");
      else if (line === undefined) seen.push("the watch ended");
      else seen.push(this.#normalizer.normalize(parsed(line)));
      if (line === "late" || line === undefined) break;
    }
    return { events: seen };
  }

  async #until({ until, holds, headers }: UntilStep): Promise<StepAnswer> {
    const deadlineMs = Date.now() + UNTIL_MS_MAX;
    for (;;) {
      const response = await this.#send({ method: "GET", path: until, ...headers && { headers } });
      const text = await response.text();
      const isSo = holds === "gone"
        ? response.status === 404
        : response.status === 200 && hasFields(parsed(text), JSON.parse(this.#filled(JSON.stringify(holds))));
      if (isSo) return {};
      if (Date.now() > deadlineMs) return { body: "it did not come about" };
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #path(path: string): string {
    const filled = this.#filled(path);
    if (filled.startsWith("/")) return filled;
    const match = /^((?:[^/?]+\/)?v\d[^/?]*)\/([^/?]+)(.*)$/.exec(filled);
    if (!match) throw new Error(`a path starts with / or a version: ${path}`);
    const [, groupVersion, resource, rest] = match;
    const root = groupVersion!.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
    return `${root}/namespaces/${this.namespace}/${resource}${rest}`;
  }

  /** `$ns`, and `${name}` for what was kept. */
  #filled(text: string): string {
    return text.replaceAll("$ns", this.namespace)
      .replaceAll(/\$\{(\w+)\}/g, (found, name: string) => this.#kept.get(name) ?? found);
  }
}

/** Reads a watch line by line. */
class WatchLines implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  #pending: Promise<ReadableStreamReadResult<string>> | undefined;

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line; undefined at the end. */
  async next(msMax: number): Promise<string | "late" | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      this.#pending ??= this.#reader.read();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), msMax));
      const read = await Promise.race([this.#pending, late]).finally(() => clearTimeout(timer));
      if (read === "late") return "late";
      this.#pending = undefined;
      if (read.done) return undefined;
      this.#text += read.value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return `not JSON: ${text.slice(0, TEXT_MAX)}`;
  }
}

function fieldAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (at, key) => (Array.isArray(at) ? at[Number(key)] : isObject(at) ? at[key] : undefined),
    value,
  );
}
