import type { ObjectState } from "./end_state.ts";

/** A fake of a system is no deeper. */
const DEPTH_MAX = 6;

/**
 * What a suite's world holds, as objects: each entry of a map, record, set or list. A kind is the name of the
 * collection, such as `world.accounts`. Numbers directly in the world count calls in most fakes, and equal items of a
 * list are calls that were repeated: neither is compared.
 */
export function worldState(world: unknown): ObjectState[] {
  return [...entriesOf(world, "world", 0)];
}

function* entriesOf(value: unknown, kind: string, depth: number): Generator<ObjectState> {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return;
  if (value instanceof Map) {
    for (const [key, item] of value) yield objectOf(kind, textOf(key), item);
  } else if (value instanceof Set || Array.isArray(value)) {
    const items = new Map([...value].map((item) => [textOf(item), item]));
    for (const [text, item] of items) yield objectOf(kind, text, item);
  } else {
    for (const [name, item] of Object.entries(viewOf(value))) {
      if (typeof item === "object") yield* entriesOf(item, `${kind}.${name}`, depth + 1);
      else if (depth > 0 && typeof item !== "function") yield objectOf(kind, name, item);
    }
  }
}

function viewOf(value: object): object {
  const view = "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value;
  return typeof view === "object" && view !== null ? view : { value: view };
}

function objectOf(kind: string, name: string, value: unknown): ObjectState {
  const fields = new Map<string, unknown>();
  collect(value, "value", fields, 0);
  return { kind, namespace: "", name, fields };
}

function collect(value: unknown, path: string, into: Map<string, unknown>, depth: number): void {
  if (typeof value === "function" || depth > DEPTH_MAX) return;
  if (typeof value !== "object" || value === null) return void into.set(path, value);
  if (value instanceof Date) return void into.set(path, value.toISOString());
  const members = value instanceof Map
    ? [...value]
    : value instanceof Set
    ? [...value].entries()
    : Object.entries(viewOf(value));
  for (const [name, member] of members) collect(member, `${path}.${textOf(name)}`, into, depth + 1);
}

function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const fields = new Map<string, unknown>();
  collect(value, "", fields, 0);
  return [...fields].map(([path, item]) => `${path}=${String(item)}`).join(" ");
}
