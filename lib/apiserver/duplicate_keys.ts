import { isObject } from "../base/mod.ts";

/** A text of JSON, and the colon after it where it is a key. */
const KEY = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * Paths of fields that a JSON text has twice, where the last one won. A text whose keys are as many as those of its
 * value has none: it is not read again.
 */
export function duplicateKeys(text: string, value: unknown): string[] {
  let written = 0;
  for (const [, colon] of text.matchAll(KEY)) if (colon !== undefined) written++;
  return written === countKeys(value) ? [] : new DuplicateReader(text).paths();
}

/** With a stack of its own: depth costs no calls. */
function countKeys(value: unknown): number {
  const open = [value];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) open.push(...next);
    else if (isObject(next)) {
      const items = Object.values(next);
      count += items.length;
      open.push(...items.filter((item) => typeof item === "object"));
    }
  }
  return count;
}

interface Level {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  key: string;
  index: number;
}

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/g;

/** Reads valid JSON with a stack of its own: depth costs no calls. */
class DuplicateReader {
  readonly #text: string;
  readonly #found = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  paths(): string[] {
    const levels: Level[] = [];
    for (const [token, colon] of this.#text.matchAll(TOKEN)) {
      const top = levels.at(-1);
      if (token === "{" || token === "[") {
        levels.push({ keys: token === "{" ? new Set() : undefined, path: childPath(top), key: "", index: 0 });
      } else if (token === "}" || token === "]") levels.pop();
      else if (token === ",") top!.index++;
      else if (colon !== undefined) this.#key(top!, token.slice(0, -colon.length));
    }
    return [...this.#found];
  }

  #key(level: Level, text: string): void {
    level.key = JSON.parse(text);
    if (level.keys!.has(level.key)) this.#found.add(childPath(level));
    level.keys!.add(level.key);
  }
}

function childPath(level: Level | undefined): string {
  if (!level) return "";
  if (!level.keys) return `${level.path}[${level.index}]`;
  return level.path === "" ? level.key : `${level.path}.${level.key}`;
}
