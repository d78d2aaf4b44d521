import { formatJson, parseJson, truncate } from "../base/mod.ts";
import { isSecretResource, type ObjectKey } from "../apimachinery/mod.ts";
import type { ObjectChange } from "./object_changes.ts";
import type { PassResult } from "./report.ts";

/** Something that a pass read. */
export interface JournalRead {
  /** `configmaps home/w`; without a name for a list. */
  readonly object: string;
  /** From memory, or by a request. */
  readonly from: "cache" | "server";
  /** The resourceVersion; null if there was no such object. Absent for a read that failed or has none. */
  readonly version?: string | null;
  /** Of a list: its number of objects. */
  readonly count?: number;
  readonly error?: string;
}

/** A request of a pass that changes something. */
export interface JournalWrite {
  readonly verb: "create" | "replace" | "apply" | "patch" | "delete";
  readonly group: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
  /** The resourceVersion before, if the object was in memory. */
  readonly before?: string;
  /** The resourceVersion afterwards. */
  readonly version?: string;
  /** Whether the object did not exist before. */
  readonly isNew?: boolean;
  /** Values of Secrets are masked. */
  readonly changes?: readonly ObjectChange[];
  /** Whether `changes` is what was sent, since the object was not in memory. */
  readonly isSent?: boolean;
  readonly error?: string;
}

/** One pass of one object. Times are milliseconds since the epoch. */
export interface JournalEntry {
  readonly startMs: number;
  readonly durationMs: number;
  readonly cause: "reconcile" | "delete";
  /** Why it ran: `changed`, `owned configmaps home/w`, `timer`, `retry`. */
  readonly reasons: readonly string[];
  readonly reads: readonly JournalRead[];
  readonly writes: readonly JournalWrite[];
  /** Reads and writes beyond the bounds of an entry. */
  readonly omitted?: number;
  readonly result: PassResult | "interrupted";
  /** Why it failed. */
  readonly error?: string;
  /** Consecutive failures by now. */
  readonly failures: number;
  /** When it is due without a change; absent if only a change causes a pass. */
  readonly next?: { readonly atMs: number; readonly reason: string };
}

interface JournalBounds {
  /** Objects; the one that was not reconciled for the longest time goes first. */
  readonly objectsMax: number;
  /** Passes of one object; the oldest goes first. */
  readonly entriesMax: number;
  /** Characters of all entries. */
  readonly charactersMax: number;
}

const JOURNAL_BOUNDS: JournalBounds = { objectsMax: 20_000, entriesMax: 16, charactersMax: 8 * 2 ** 20 };

/** An entry beyond loses the values of its changes. */
const ENTRY_CHARACTERS_MAX = 32_768;

interface Ring {
  /** Texts: an entry must not keep objects in memory. */
  readonly entries: string[];
  /** Passes that are forgotten. */
  dropped: number;
}

/** What happened to an object, the newest pass last. */
export interface ObjectJournal {
  readonly entries: readonly JournalEntry[];
  /** Earlier passes that are forgotten. */
  readonly dropped: number;
}

/** The last passes of every object, in bounded memory. */
export class Journal {
  readonly #bounds: JournalBounds;
  /** The object of the oldest pass first. */
  readonly #rings = new Map<string, Ring>();
  #characters = 0;

  constructor(bounds: Partial<JournalBounds> = {}) {
    this.#bounds = { ...JOURNAL_BOUNDS, ...bounds };
  }

  /** `object` identifies it: {@linkcode journalKey}. */
  add(object: string, entry: JournalEntry): void {
    const { objectsMax, entriesMax, charactersMax } = this.#bounds;
    const ring = this.#rings.get(object) ?? { entries: [], dropped: 0 };
    this.#rings.delete(object);
    this.#rings.set(object, ring);
    const text = textOf(entry);
    ring.entries.push(text);
    this.#characters += text.length;
    while (ring.entries.length > entriesMax) this.#drop(ring);
    for (const [oldest, { entries }] of this.#rings) {
      if (this.#rings.size <= objectsMax && this.#characters <= charactersMax) break;
      if (oldest === object) break;
      for (const { length } of entries) this.#characters -= length;
      this.#rings.delete(oldest);
    }
    while (this.#characters > charactersMax && ring.entries.length > 1) this.#drop(ring);
  }

  of(object: string): ObjectJournal | undefined {
    const ring = this.#rings.get(object);
    return ring && { entries: ring.entries.map((text) => parseJson<never>(text)), dropped: ring.dropped };
  }

  /** For metrics and tests. */
  get size(): { readonly objects: number; readonly characters: number } {
    return { objects: this.#rings.size, characters: this.#characters };
  }

  #drop(ring: Ring): void {
    this.#characters -= ring.entries.shift()!.length;
    ring.dropped++;
  }
}

/** `resource` is `plural.group`. */
export function journalKey(resource: string, { namespace = "", name }: ObjectKey): string {
  return `${resource} ${namespace}/${name}`;
}

function textOf(entry: JournalEntry): string {
  const text = formatJson(entry);
  if (text.length <= ENTRY_CHARACTERS_MAX) return text;
  const writes = entry.writes.map(({ changes: _, ...write }) => write);
  return formatJson({ ...entry, writes, omitted: (entry.omitted ?? 0) + entry.writes.length });
}

const READS_MAX = 50, WRITES_MAX = 50, CHANGES_MAX = 20, VALUE_LENGTH_MAX = 160, TEXT_LENGTH_MAX = 1_000;

/** Collects what one pass reads and writes. */
export class PassRecord {
  readonly reads: JournalRead[] = [];
  readonly writes: JournalWrite[] = [];
  omitted = 0;
  readonly #known = new Set<string>();

  /** A repeated read of the same version counts once. */
  read(read: JournalRead): void {
    const known = `${read.object} ${read.from} ${read.version}`;
    if (this.#known.has(known)) return;
    if (this.reads.length >= READS_MAX) return void this.omitted++;
    this.#known.add(known);
    this.reads.push(read);
  }

  write({ changes, ...write }: JournalWrite): void {
    if (this.writes.length >= WRITES_MAX) return void this.omitted++;
    const kept = changes?.slice(0, CHANGES_MAX).map(bounded);
    if (kept) this.omitted += changes!.length - kept.length;
    this.writes.push({ ...write, ...(kept && { changes: kept }) });
  }
}

/** Values as text where they are long. */
function bounded({ operation, path, old, next }: ObjectChange): ObjectChange {
  return {
    operation,
    path,
    ...(operation !== "add" && { old: shortValue(old) }),
    ...(operation !== "remove" && { next: shortValue(next) }),
  };
}

function shortValue(value: unknown): unknown {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "string" && value.length <= VALUE_LENGTH_MAX) return value;
  const text = typeof value === "string" ? value : formatJson(value) ?? "";
  if (text.length <= VALUE_LENGTH_MAX) return value;
  return `${truncate(text, VALUE_LENGTH_MAX)}… (${text.length} characters)`;
}

export function journalError(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${truncate(text, TEXT_LENGTH_MAX)}…` : text;
}

/** Without values that a reader of the object may not read: those of its children, unless `may` allows it. */
export function withoutValues(entry: JournalEntry, may: (write: JournalWrite) => boolean): JournalEntry {
  const writes = entry.writes.map((write) => {
    if (!write.changes || may(write) || isSecretResource(write)) return write;
    const changes = write.changes.map(({ operation, path }) => ({ operation, path }));
    return { ...write, changes };
  });
  return { ...entry, writes };
}
