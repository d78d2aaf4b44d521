import { isObject, UsageError } from "../base/mod.ts";

/** Another number means that this program cannot replay it. */
export const RECORDING_FORMAT = 1;

/** The first line of a recording. */
export interface RecordingHeader {
  readonly recording: "pintle";
  readonly format: number;
  readonly operator: string;
  /** The program's, for people. */
  readonly version: string;
  /** The machine's clock when it began. */
  readonly startMs: number;
  /** Of the engine's randomness. */
  readonly seed: number;
  /** The settings' texts, by variable. No secret ones. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A request as compared: times, and what the engine drew at random, are left out. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly accept?: string;
  /** JSON as text; another body as it is. */
  readonly body?: string;
}

/** What happened after so many milliseconds. `n` is the request's number. */
export type RecordingLine =
  & { readonly atMs: number }
  & (
    | { readonly n: number; readonly send: RecordedRequest; readonly streams?: true }
    | { readonly n: number; readonly status: number; readonly headers: Record<string, string>; readonly body?: string }
    /** One line of a watch. */
    | { readonly n: number; readonly event: string }
    /** A watch ended; with a text, it broke. */
    | { readonly n: number; readonly end: string | null }
    /** No answer came. */
    | { readonly n: number; readonly failed: string }
    /** The last line of a complete recording. */
    | { readonly stopped: string }
  );

/** One request with what followed. */
export interface Exchange {
  readonly request: RecordedRequest;
  readonly sentMs: number;
  readonly streams: boolean;
  answer?: {
    readonly atMs: number;
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body?: string;
  };
  failed?: { readonly atMs: number; readonly message: string };
  readonly events: { readonly atMs: number; readonly text: string }[];
  end?: { readonly atMs: number; readonly error: string | null };
}

export interface Recording {
  readonly header: RecordingHeader;
  /** In the order in which they were sent. */
  readonly exchanges: readonly Exchange[];
  readonly endMs: number;
  /** Why it ends; undefined if the file was cut off. */
  readonly stopped: string | undefined;
  /** Whether its last line is incomplete. */
  readonly isTorn: boolean;
}

/**
 * Reads a recording. A last line that is cut off is left out.
 *
 * @throws {UsageError} for a file that is no recording, or of another format.
 */
export function parseRecording(text: string, file: string): Recording {
  const [first = "", ...rest] = text.split("\n"), header = lineOf<RecordingHeader>(first);
  if (header?.recording !== "pintle") {
    throw new UsageError(`${file} is not a recording of an operator`, "`run --record FILE` makes one");
  }
  if (header.format !== RECORDING_FORMAT) {
    throw new UsageError(
      `${file} has the format ${header.format} of another release, and this program reads ${RECORDING_FORMAT}`,
      `replay it with the release that recorded it: ${header.version}`,
    );
  }
  const exchanges = new Map<number, Exchange>();
  let endMs = 0, stopped: string | undefined, isTorn = false;
  for (const [index, text] of rest.entries()) {
    if (text === "") continue;
    const line = lineOf<RecordingLine>(text);
    if (line === undefined) {
      isTorn = rest.slice(index + 1).every((later) => later === "");
      if (isTorn) break;
      throw new UsageError(`${file} is damaged: line ${index + 2} is not JSON`, "record again");
    }
    endMs = Math.max(endMs, line.atMs);
    if ("stopped" in line) stopped = line.stopped;
    else enter(exchanges, line);
  }
  return { header, exchanges: [...exchanges.values()], endMs, stopped, isTorn };
}

function lineOf<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value as T : undefined;
  } catch {
    return undefined;
  }
}

function enter(exchanges: Map<number, Exchange>, line: Exclude<RecordingLine, { stopped: string }>): void {
  const { n, atMs } = line;
  if ("send" in line) {
    exchanges.set(n, { request: line.send, sentMs: atMs, streams: line.streams === true, events: [] });
    return;
  }
  const exchange = exchanges.get(n);
  if (!exchange) return;
  if ("status" in line) exchange.answer = { atMs, status: line.status, headers: line.headers, body: line.body };
  else if ("event" in line) exchange.events.push({ atMs, text: line.event });
  else if ("end" in line) exchange.end = { atMs, error: line.end };
  else exchange.failed = { atMs, message: line.failed };
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g;

/** What is compared of a request: times differ between a run and its replay, and so do names that the engine draws. */
export function comparable(
  path: string,
  { method = "GET", accept, body }: { readonly method?: string; readonly accept?: string; readonly body?: string },
): RecordedRequest {
  const stable = path.replace(/([?&])timeoutSeconds=\d+/, "$1timeoutSeconds=any");
  const isEvent = /^\/apis\/events\.k8s\.io\/[^/]+\/namespaces\/[^/]+\/events/.test(path);
  const text = body?.replaceAll(TIME, "<time>");
  return {
    method,
    path: isEvent ? stable.replace(/\/events\/[^/?]+/, "/events/<name>") : stable,
    ...(accept === undefined || accept === "application/json" ? {} : { accept }),
    ...(text === undefined
      ? {}
      : { body: isEvent ? text.replace(/"name":"[^"]*\.[0-9a-z]+"/, '"name":"<name>"') : text }),
  };
}

/** Its beginning is rare in values of Secrets, so that no mask hides it. */
const DIGEST = /^hmac-[\w-]{22}$/;
/** A value of a Secret that the operator made itself: its next run makes another. */
const OWN = "<made by the operator>";

/**
 * Replaces each value of each Secret in an answer, a watch event, an object or a patch. `replace` gets values without
 * base64; its result is encoded where the value was.
 */
export function withSecretValues(body: unknown, ofSecrets: boolean, replace: (value: string) => string): unknown {
  const values = (fields: unknown, encoded: boolean) =>
    isObject(fields)
      ? Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, replaced(value, encoded)]))
      : fields;
  const replaced = (value: unknown, encoded: boolean): unknown => {
    if (typeof value !== "string") return isObject(value) ? values(value, encoded) : value;
    const decoded = encoded ? decodedText(value) : undefined;
    return decoded === undefined ? replace(value) : btoa(replace(decoded));
  };
  const walk = (node: unknown, ofSecrets: boolean): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, ofSecrets));
    if (!isObject(node)) return node;
    if (ofSecrets && typeof node.op === "string" && typeof node.path === "string") {
      const isValue = /^\/(data|stringData)\b/.exec(node.path);
      return isValue ? { ...node, value: replaced(node.value, isValue[1] === "data") } : node;
    }
    if (Array.isArray(node.items)) return { ...node, items: walk(node.items, ofSecrets || node.kind === "SecretList") };
    if (typeof node.type === "string" && isObject(node.object)) {
      return { ...node, object: walk(node.object, ofSecrets) };
    }
    if (node.kind === undefined ? !ofSecrets : !(node.kind === "Secret" && node.apiVersion === "v1")) return node;
    const { data, stringData } = node;
    return {
      ...node,
      ...(data === undefined ? {} : { data: values(data, true) }),
      ...(stringData === undefined ? {} : { stringData: values(stringData, false) }),
      ...withoutApplied(node.metadata, replace),
    };
  };
  return walk(body, ofSecrets);
}

const APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** kubectl's annotation repeats the data. */
function withoutApplied(metadata: unknown, replace: (value: string) => string): { metadata?: unknown } {
  if (!isObject(metadata) || !isObject(metadata.annotations)) return {};
  const applied = metadata.annotations[APPLIED];
  if (typeof applied !== "string") return {};
  return { metadata: { ...metadata, annotations: { ...metadata.annotations, [APPLIED]: replace(applied) } } };
}

function decodedText(base64: string): string | undefined {
  try {
    return atob(base64);
  } catch {
    return undefined;
  }
}

/** Whether a path is one of Secrets, so that a patch needs no kind. */
export function isOfSecrets(path: string): boolean {
  return /^\/api\/v1\/(namespaces\/[^/]+\/)?secrets([/?]|$)/.test(path);
}

/** What is compared of a body of a write: values that no answer showed before differ from run to run. */
export function withoutOwnSecrets(path: string, body: string, known: (value: string) => string | undefined): string {
  if (!isOfSecrets(path)) return body;
  try {
    return JSON.stringify(withSecretValues(JSON.parse(body), true, (value) => known(value) ?? OWN));
  } catch {
    return body;
  }
}

/** Of 22 characters that tell one value from another. */
export function digestText(characters: string): string {
  return `hmac-${characters.slice(0, 22)}`;
}

/** For a replay: digests stand for themselves. */
export function knownDigest(value: string): string | undefined {
  return DIGEST.test(value) ? value : undefined;
}
