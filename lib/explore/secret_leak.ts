import type { SimulatedRun } from "./simulated_run.ts";

/** Shorter values occur in other text by chance. */
const LENGTH_MIN = 8;

/** Where the operator shows a value of a Secret: an Event, a status or a log line; undefined if nowhere. */
export function leakedSecret({ settled, cleared, result, trace }: SimulatedRun): string | undefined {
  const values = new Map<string, string>(), texts: (readonly [string, string])[] = [];
  const tables = [settled, cleared].flatMap((snapshot) => [...snapshot.tables.values()]);
  const stored = tables.flatMap((table) => [...table.values()].map(({ object }) => object));
  for (const object of new Set([...stored, ...trace.shown])) {
    const { kind = "", metadata, data, status, note, message } = object as typeof object & Record<string, unknown>;
    const title = `${kind} ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
    if (kind === "Secret") {
      for (const value of valuesOf(data)) values.set(value, title);
    } else if (kind === "Event") texts.push(["an Event", `${note ?? ""} ${message ?? ""}`]);
    else if (status !== undefined) texts.push([`the status of ${title}`, JSON.stringify(status)]);
  }
  for (const { message, fields } of result.logs) texts.push(["a log line", `${message} ${JSON.stringify(fields)}`]);
  for (const { note } of result.events) texts.push(["an Event", note]);
  for (const [value, secret] of values) {
    const place = texts.find(([, text]) => text.includes(value));
    if (place) return `${place[0]} shows a value of ${secret}`;
  }
  return undefined;
}

/** The values, and their base64 as in the Secret. */
function valuesOf(data: unknown): string[] {
  return Object.values(data ?? {}).flatMap((value) => {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(String(value)));
      return text.length >= LENGTH_MIN ? [text, String(value)] : [];
    } catch {
      return []; // binary data
    }
  });
}
