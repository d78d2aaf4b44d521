import type { CallFate, WriteFate } from "./simulated_cluster.ts";
import type { EventFate } from "./watch_delivery.ts";
import type { TracedEvent, TracedRequest, TraceRecord } from "./trace.ts";

/** One fault, at one place of the reference run. */
export type Fault =
  | { readonly at: "write"; readonly nth: number; readonly fate: Exclude<WriteFate, { readonly kind: "pass" }> }
  | { readonly at: "event"; readonly nth: number; readonly fate: Exclude<EventFate, { readonly kind: "deliver" }> }
  | { readonly at: "call"; readonly nth: number; readonly fate: Exclude<CallFate, { readonly kind: "pass" }> }
  | { readonly at: "bookmark"; readonly nth: number; readonly fate: { readonly kind: "lose" } }
  /** The operator dies once the storage has `revision`; the next process sees the state of `shows`. */
  | { readonly at: "revision"; readonly revision: number; readonly shows: number };

/** How long a process that starts on the past keeps seeing it. */
export const STALE_MS = 15_000;

/** The name of a fault, from which {@linkcode parseFault} makes it again: `write:3:crash:before`. */
export function formatFault(fault: Fault): string {
  if (fault.at === "revision") return `revision:${fault.revision}:shows:${fault.shows}`;
  const { kind, ...details } = fault.fate;
  return [fault.at, fault.nth, kind, ...Object.values(details)].join(":");
}

/** The fault of a name, or undefined. */
export function parseFault(text: string): Fault | undefined {
  const [at, first = "", kind, ...details] = text.split(":"), nth = Number(first);
  if (!Number.isSafeInteger(nth) || nth < 1) return undefined;
  if (at === "revision") {
    const shows = Number(details[0] ?? NaN);
    return kind === "shows" && Number.isSafeInteger(shows) ? { at, revision: nth, shows } : undefined;
  }
  if (at === "call") return kind === "crash" || kind === "fail" ? { at, nth, fate: { kind } } : undefined;
  if (at === "bookmark") return kind === "lose" ? { at, nth, fate: { kind } } : undefined;
  const fate = at === "write" ? writeFate(kind, details) : at === "event" ? eventFate(kind, details) : undefined;
  return fate && { at, nth, fate } as Fault;
}

function writeFate(kind: string | undefined, [first = "", second]: readonly string[]): WriteFate | undefined {
  switch (kind) {
    case "crash":
      return first === "before" || first === "unanswered" || first === "answered" ? { kind, moment: first } : undefined;
    case "fail": {
      const code = Number(first);
      return /^[45]\d\d$/.test(first) ? { kind, code, effect: second === "true" } : undefined;
    }
    case "clock":
      return msOf(first) === undefined ? undefined : { kind, byMs: msOf(first)! };
    case "late":
    case "foreign":
      return { kind };
  }
  return undefined;
}

function eventFate(kind: string | undefined, [first]: readonly string[]): EventFate | undefined {
  switch (kind) {
    case "delay":
      return msOf(first) === undefined ? undefined : { kind, byMs: msOf(first)! };
    case "hide":
    case "repeat":
    case "cut":
    case "expire":
      return { kind };
  }
  return undefined;
}

function msOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** A fault in words. */
export function describeFault(fault: Fault, { requests, events, calls, bookmarks }: TraceRecord): string {
  if (fault.at === "revision") {
    return `the operator dies at version ${fault.revision}; the next process sees the cluster of version ${fault.shows} ` +
      `for ${STALE_MS / 1_000} s`;
  }
  if (fault.at === "write") {
    const request = requests.find(({ nthWrite }) => nthWrite === fault.nth);
    return `${writeWords(fault.fate)} ${request ? describeRequest(request) : `write ${fault.nth}`}`;
  }
  if (fault.at === "call") {
    const call = calls.find(({ nth }) => nth === fault.nth)?.name ?? `call ${fault.nth}`;
    return fault.fate.kind === "crash" ? `the operator dies right after ${call}` : `an error is thrown by ${call}`;
  }
  if (fault.at === "bookmark") {
    const watch = bookmarks.find(({ nth }) => nth === fault.nth)?.watch.split("/").at(-1) ?? `bookmark ${fault.nth}`;
    return `the operator never gets the bookmark that ends the list of ${watch}`;
  }
  const event = events.find(({ nth }) => nth === fault.nth);
  return `${eventWords(fault.fate)} ${event ? describeEvent(event) : `event ${fault.nth}`}`;
}

function writeWords(fate: WriteFate): string {
  switch (fate.kind) {
    case "crash":
      return {
        before: "the operator dies just before it sends",
        unanswered: "the operator dies after the server has carried out, and before it learns the answer to,",
        answered: "the operator dies right after the answer to",
      }[fate.moment];
    case "late":
      return "the operator dies, and only when the next process works the server gets";
    case "fail":
      return `the answer is ${fate.code}, ${fate.effect ? "although" : "and"} the server has ${
        fate.effect ? "" : "not "
      }carried out`;
    case "foreign":
      return "another client changes the object just before";
    case "clock":
      return `the clock is set ${fate.byMs > 0 ? "forward" : "back"} by an hour at`;
    case "pass":
      return "nothing happens to";
  }
}

function eventWords(fate: EventFate): string {
  switch (fate.kind) {
    case "hide":
      return "the operator never sees";
    case "repeat":
      return "the operator gets twice";
    case "delay":
      return `the operator gets ${fate.byMs / 1_000} s late`;
    case "cut":
      return "the watch is cut after";
    case "expire":
      return "the watch ends with 410 Gone after";
    case "deliver":
      return "nothing happens to";
  }
}

/** A request in words: `update widgets/status home/a`. */
export function describeRequest({ target, method, path, createdName }: TracedRequest): string {
  if (!target) return `${method} ${path.split("?")[0]}`;
  const { verb, plural, subresource, namespace, name = createdName } = target;
  const what = subresource ? `${plural}/${subresource}` : plural;
  return [verb, what, [namespace, name].filter(Boolean).join("/")].filter(Boolean).join(" ");
}

/** An event in words: `MODIFIED configmaps home/a`. */
export function describeEvent({ watch, type, namespace, name }: TracedEvent): string {
  return `${type} ${watch.split("/").at(-1)} ${[namespace, name].filter(Boolean).join("/")}`;
}
