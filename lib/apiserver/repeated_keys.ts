import { isObject } from "../base/mod.ts";

/**
 * Paths of keys that a JSON text repeats, in document order; empty for YAML. `value` is the parsed text: counting its
 * keys is fast, and almost no text needs the scan.
 */
export function repeatedKeys(text: string, value: unknown): string[] {
  if (!/^\s*\{/.test(text) || (text.match(/"\s*:/g)?.length ?? 0) === countKeys(value)) return [];
  return new KeyScan(text).paths();
}

function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countKeys(item), 0);
  if (!isObject(value)) return 0;
  const items = Object.values(value);
  return items.reduce((sum: number, item) => sum + countKeys(item), items.length);
}

/** What the scan is inside of. */
interface Frame {
  readonly path: string;
  /** Absent in a list. */
  readonly keys?: Set<string>;
  /** Of the value that comes next: a key, or an index. */
  next: string | number;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs;

class KeyScan {
  constructor(readonly text: string) {}

  paths(): string[] {
    const frames: Frame[] = [], found: string[] = [];
    let isKey = false;
    for (const [token] of this.text.matchAll(TOKEN)) {
      const top = frames.at(-1);
      if (token === "{" || token === "[") {
        frames.push({ path: top ? within(top) : "", ...token === "{" ? { keys: new Set(), next: "" } : { next: 0 } });
        isKey = token === "{";
      } else if (token === "}" || token === "]") frames.pop();
      else if (token === ",") {
        isKey = top?.keys !== undefined;
        if (top && typeof top.next === "number") top.next++;
      } else if (isKey && top?.keys && token !== ":") {
        top.next = String(JSON.parse(token));
        const path = within(top);
        if (top.keys.has(top.next) && !found.includes(path)) found.push(path);
        top.keys.add(top.next);
        isKey = false;
      }
    }
    return found;
  }
}

function within({ path, next }: Frame): string {
  if (typeof next === "number") return `${path}[${next}]`;
  return path === "" ? next : `${path}.${next}`;
}
