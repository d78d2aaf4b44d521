import { isObject } from "../../lib/base/mod.ts";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const RECENT_MS = 900_000;
/** What each server gives from ranges of its own. */
const GIVEN = new Set(["clusterIP", "nodePort", "healthCheckNodePort", "continue"]);

/**
 * Makes what two servers answer to one script comparable: uids, resourceVersions, times, generated names, addresses
 * and tokens become marks in the order in which they first appear, so that what was equal stays equal.
 */
export class Normalizer {
  readonly #marks = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  /** The suffix of the last generated name. */
  #generated = /(?!)/g;
  readonly #own: string;
  readonly #nowMs: number;

  /** `own`: what the script itself writes, which is the same on both servers. */
  constructor(readonly namespace: string, own: string, nowMs: number) {
    this.#own = own;
    this.#nowMs = nowMs;
  }

  /** A body that is JSON, or a text. */
  normalize(body: unknown): unknown {
    if (isObject(body)) this.#generatedName(body);
    return this.#value(body, "", undefined);
  }

  #value(value: unknown, field: string, parent: Record<string, unknown> | undefined): unknown {
    if (typeof value === "string") {
      if (field === "resourceVersion") return this.#version(value, parent!);
      return GIVEN.has(field) && value !== "None" && value !== "" ? `$${field}` : this.#text(value);
    }
    if (typeof value === "number" && GIVEN.has(field)) return `$${field}`;
    if (Array.isArray(value)) {
      // The age of what is new.
      if (field === "cells") {
        return value.map((item) => (/^\d+s$/.test(String(item)) ? "$age" : this.#value(item, "", undefined)));
      }
      if (field === "clusterIPs") return value.map((item) => (item === "None" ? item : "$clusterIP"));
      const items = value.map((item) => this.#value(item, "", undefined));
      // Times of a second order the first, and Go's maps the second.
      return field === "managedFields" || field === "causes" ? items.sort(byText) : items;
    }
    if (!isObject(value)) return value;
    return this.#object(value);
  }

  #object(given: Record<string, unknown>): Record<string, unknown> {
    const value = Array.isArray(given.columnDefinitions) ? this.#withoutDescriptions(given) : given;
    const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    const result: Record<string, unknown> = Object.create(null);
    for (const [field, item] of sorted) result[this.#text(field)] = this.#value(item, field, value);
    const { details } = result;
    if (result.kind === "Status" && isObject(details) && Array.isArray(details.causes) && details.causes.length > 1) {
      // It repeats the causes in an order of its own.
      result.message = String(result.message).replace(/ is invalid: \[.*/s, " is invalid: […]");
    }
    return result;
  }

  /** Descriptions of built-in columns are documentation, which the embedded server shortens. */
  #withoutDescriptions(table: Record<string, unknown>): Record<string, unknown> {
    const columns = (table.columnDefinitions as Record<string, unknown>[]).map(({ description, ...rest }) =>
      description && this.#own.includes(JSON.stringify(description)) ? { ...rest, description } : rest
    );
    return { ...table, columnDefinitions: columns };
  }

  #version(version: string, parent: Record<string, unknown>): string {
    if (version === "" || version === "0") return version;
    // That of a list counts the writes of everybody.
    return "name" in parent || "uid" in parent ? this.#mark("rv", version) : "$listVersion";
  }

  #text(text: string): string {
    return text
      .replaceAll(UUID, (uid) => (this.#own.includes(uid) ? uid : this.#mark("uid", uid)))
      .replaceAll(TIME, (time) => (Math.abs(Date.parse(time) - this.#nowMs) < RECENT_MS ? "$time" : time))
      // Go shows its own struct here.
      .replaceAll(/(Invalid|Duplicate|Unsupported) value: \{.*?\}(?=: |$)/gs, "$1 value: {…}")
      // A whole object as JSON text, with its resourceVersion.
      .replaceAll(/Invalid value: "\{\\".*?\}"(?=: |$)/gs, "Invalid value: {…}")
      .replaceAll(/Invalid value: \[\{.*?\}\](?=: |$)/gs, "Invalid value: [{…}]")
      // A difference of Go structs.
      .replace(/(updates may not change fields |(?:is|are) immutable after creation)([^\n]*)\n.*/s, "$1$2")
      // The clock names the type of `self`.
      .replaceAll(/selfType\d+/g, "selfType")
      .replaceAll(/resource version: (\d+) \(\d+\)/g, "resource version: $1 ($$now)")
      .replaceAll(/current: \d+/g, "current: $$now")
      .replaceAll(/(ResourceVersion in record) \(\d+\)/g, "$1 ($$rv)")
      .replaceAll(/(resourceVersion"?: ?")\d+"/g, '$1$$rv"')
      .replaceAll(this.namespace, "$ns")
      .replaceAll(this.#generated, "$generated");
  }

  #generatedName({ metadata }: Record<string, unknown>): void {
    if (!isObject(metadata) || typeof metadata.generateName !== "string") return;
    const { name, generateName } = metadata;
    if (typeof name !== "string" || !name.startsWith(generateName)) return;
    const suffix = name.slice(generateName.length);
    if (/^[a-z0-9]{5}$/.test(suffix)) this.#generated = new RegExp(`(?<=${RegExp.escape(generateName)})${suffix}`, "g");
  }

  #mark(kind: string, value: string): string {
    const key = `${kind} ${value}`, known = this.#marks.get(key);
    if (known) return known;
    const nth = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, nth);
    const mark = `$${kind}${nth}`;
    this.#marks.set(key, mark);
    return mark;
  }
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
