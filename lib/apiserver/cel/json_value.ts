import { isObject } from "../../base/mod.ts";
import { CelError, ListValue, MapValue, noSuchOverload, type Value } from "./value.ts";

/** JSON without a schema as expressions see it. Parts are read where an expression reads them. */
export function jsonValue(raw: unknown): Value {
  switch (typeof raw) {
    case "string":
    case "boolean":
    case "bigint":
      return raw;
    case "number":
      return Number.isSafeInteger(raw) ? BigInt(raw) : raw;
  }
  if (raw === null || raw === undefined) return null;
  if (Array.isArray(raw)) return new JsonList(raw);
  if (isObject(raw)) return new JsonMap(raw);
  throw new CelError(`unsupported conversion to ref.Val: (${typeof raw})`);
}

class JsonMap extends MapValue {
  readonly #raw: Record<string, unknown>;
  readonly #read = new Map<string, Value>();

  constructor(raw: Record<string, unknown>) {
    super();
    this.#raw = raw;
  }

  get size(): number {
    return Object.keys(this.#raw).length;
  }

  keys(): Iterable<Value> {
    return Object.keys(this.#raw);
  }

  find(key: Value): Value | undefined {
    if (typeof key !== "string") throw noSuchOverload();
    if (!Object.hasOwn(this.#raw, key)) return undefined;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const value = jsonValue(this.#raw[key]);
    this.#read.set(key, value);
    return value;
  }
}

class JsonList extends ListValue {
  readonly #raw: readonly unknown[];
  readonly #read: Value[] = [];

  constructor(raw: readonly unknown[]) {
    super();
    this.#raw = raw;
  }

  get size(): number {
    return this.#raw.length;
  }

  at(index: number): Value {
    return this.#read[index] ??= jsonValue(this.#raw[index]);
  }
}
