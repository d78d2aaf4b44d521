import { formatJson, isObject, parseJson } from "../../base/mod.ts";

/**
 * Field paths as a tree of FieldsV1 elements: `f:` field, `k:` item by keys, `v:` by value, `i:` by index. `self`: this
 * path is a member.
 */
export interface FieldTrie {
  self: boolean;
  readonly children: Map<string, FieldTrie>;
}

export function emptyTrie(): FieldTrie {
  return { self: false, children: new Map() };
}

export function insertPath(trie: FieldTrie, path: readonly string[]): void {
  let node = trie;
  for (const element of path) {
    let child = node.children.get(element);
    if (!child) node.children.set(element, child = emptyTrie());
    node = child;
  }
  node.self = true;
}

export function isEmptyTrie(trie: FieldTrie): boolean {
  return !trie.self && trie.children.values().every(isEmptyTrie);
}

export function unionOf(left: FieldTrie, right: FieldTrie): FieldTrie {
  const children = new Map(left.children);
  for (const [element, child] of right.children) {
    const own = children.get(element);
    children.set(element, own ? unionOf(own, child) : child);
  }
  return { self: left.self || right.self, children };
}

export function differenceOf(left: FieldTrie, right: FieldTrie): FieldTrie {
  const children = new Map<string, FieldTrie>();
  for (const [element, child] of left.children) {
    const other = right.children.get(element), rest = other ? differenceOf(child, other) : child;
    if (!isEmptyTrie(rest)) children.set(element, rest);
  }
  return { self: left.self && !right.self, children };
}

export function intersectionOf(left: FieldTrie, right: FieldTrie): FieldTrie {
  const children = new Map<string, FieldTrie>();
  for (const [element, child] of left.children) {
    const other = right.children.get(element), common = other && intersectionOf(child, other);
    if (common && !isEmptyTrie(common)) children.set(element, common);
  }
  return { self: left.self && right.self, children };
}

export function trieEqual(left: FieldTrie, right: FieldTrie): boolean {
  return isEmptyTrie(differenceOf(left, right)) && isEmptyTrie(differenceOf(right, left));
}

export function pathsOf(trie: FieldTrie, prefix: readonly string[] = []): string[][] {
  const paths: string[][] = trie.self && prefix.length > 0 ? [[...prefix]] : [];
  for (const element of [...trie.children.keys()].sort()) {
    paths.push(...pathsOf(trie.children.get(element)!, [...prefix, element]));
  }
  return paths;
}

export function toFieldsV1(trie: FieldTrie): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (trie.self && trie.children.size > 0) fields["."] = {};
  for (const element of [...trie.children.keys()].sort()) {
    const child = trie.children.get(element)!;
    if (!isEmptyTrie(child)) fields[element] = toFieldsV1(child);
  }
  return fields;
}

/** Inverts {@linkcode toFieldsV1}; skips unreadable members. */
export function fromFieldsV1(fields: unknown): FieldTrie {
  const trie = emptyTrie();
  if (!isObject(fields)) return trie;
  for (const [element, child] of Object.entries(fields)) {
    if (element === ".") trie.self = true;
    else if (/^[fkvi]:/.test(element)) {
      const node = fromFieldsV1(child);
      if (node.children.size === 0) node.self = true;
      trie.children.set(normalized(element), node);
    }
  }
  return trie;
}

/** Writers may order an item's keys differently. */
function normalized(element: string): string {
  if (!element.startsWith("k:")) return element;
  try {
    const keys: unknown = parseJson(element.slice(2));
    return isObject(keys) ? keyElement(keys) : element;
  } catch (error) {
    if (error instanceof SyntaxError) return element;
    throw error;
  }
}

export function keyElement(keys: Record<string, unknown>): string {
  return `k:${formatJson(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))))}`;
}

/** As in conflicts: `.spec.containers[name="a"].image`. */
export function formatPath(path: readonly string[]): string {
  return path.map((element) => {
    const text = element.slice(2);
    if (element.startsWith("f:")) return `.${text}`;
    if (element.startsWith("v:")) return `[=${text}]`;
    if (element.startsWith("i:")) return `[${text}]`;
    const keys = parseJson(text) as Record<string, unknown>;
    return `[${Object.entries(keys).map(([key, value]) => `${key}=${formatJson(value)}`).join(",")}]`;
  }).join("");
}
