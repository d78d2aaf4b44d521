import { formatJson, isObject, parseJson } from "../../base/mod.ts";

/**
 * A set of field paths as a tree. Keys are path elements as FieldsV1 writes them: `f:` a field, `k:` an item by its
 * keys, `v:` an item by its value, `i:` an item by its index. `self` is whether the path up to here is a member.
 */
export interface FieldTrie {
  self: boolean;
  readonly children: Map<string, FieldTrie>;
}

/** A set without members. */
export function emptyTrie(): FieldTrie {
  return { self: false, children: new Map() };
}

/** Adds one path. */
export function insertPath(trie: FieldTrie, path: readonly string[]): void {
  let node = trie;
  for (const element of path) {
    let child = node.children.get(element);
    if (!child) node.children.set(element, child = emptyTrie());
    node = child;
  }
  node.self = true;
}

/** Whether no path is a member. */
export function isEmptyTrie(trie: FieldTrie): boolean {
  return !trie.self && trie.children.values().every(isEmptyTrie);
}

/** Paths of either. */
export function unionOf(left: FieldTrie, right: FieldTrie): FieldTrie {
  const children = new Map(left.children);
  for (const [element, child] of right.children) {
    const own = children.get(element);
    children.set(element, own ? unionOf(own, child) : child);
  }
  return { self: left.self || right.self, children };
}

/** Paths of `left` that are not paths of `right`. */
export function differenceOf(left: FieldTrie, right: FieldTrie): FieldTrie {
  return combine(
    left,
    (element) => right.children.get(element),
    left.self && !right.self,
    differenceOf,
    (child) => child,
  );
}

/** Paths of both. */
export function intersectionOf(left: FieldTrie, right: FieldTrie): FieldTrie {
  return combine(left, (element) => right.children.get(element), left.self && right.self, intersectionOf, emptyTrie);
}

function combine(
  left: FieldTrie,
  other: (element: string) => FieldTrie | undefined,
  self: boolean,
  both: (left: FieldTrie, right: FieldTrie) => FieldTrie,
  alone: (child: FieldTrie) => FieldTrie,
): FieldTrie {
  const children = new Map<string, FieldTrie>();
  for (const [element, child] of left.children) {
    const match = other(element);
    const result = match ? both(child, match) : alone(child);
    if (!isEmptyTrie(result)) children.set(element, result);
  }
  return { self, children };
}

/** Whether both hold the same paths. */
export function trieEqual(left: FieldTrie, right: FieldTrie): boolean {
  return isEmptyTrie(differenceOf(left, right)) && isEmptyTrie(differenceOf(right, left));
}

/** Every member, as lists of path elements. */
export function pathsOf(trie: FieldTrie, prefix: readonly string[] = []): string[][] {
  const paths: string[][] = trie.self && prefix.length > 0 ? [[...prefix]] : [];
  for (const element of [...trie.children.keys()].sort()) {
    paths.push(...pathsOf(trie.children.get(element)!, [...prefix, element]));
  }
  return paths;
}

/** The set in the form of `managedFields[].fieldsV1`. */
export function toFieldsV1(trie: FieldTrie): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (trie.self && trie.children.size > 0) fields["."] = {};
  for (const element of [...trie.children.keys()].sort()) {
    const child = trie.children.get(element)!;
    if (!isEmptyTrie(child)) fields[element] = toFieldsV1(child);
  }
  return fields;
}

/** The inverse of {@linkcode toFieldsV1}; what is no FieldsV1 gives the members that can be read. */
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

/** Another writer may order the keys of an item otherwise; one spelling makes them comparable. */
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

/** The path element of a list's item that is known by its keys. */
export function keyElement(keys: Record<string, unknown>): string {
  return `k:${formatJson(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))))}`;
}

/** A path as conflicts name it: `.spec.containers[name="a"].image`. */
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
