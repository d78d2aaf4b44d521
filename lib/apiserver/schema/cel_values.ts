import { canonicalJson, isObject, jsonEqual } from "../../base/mod.ts";
import {
  ArrayList,
  CelError,
  equal,
  ListValue,
  MapValue,
  noSuchOverload,
  parseTimestamp,
  Timestamp,
  type Value,
} from "../cel/mod.ts";
import { Duration, parseDuration } from "../cel/mod.ts";
import type { Schema } from "../resource_type.ts";
import { escapeField, unescapeField } from "./cel_names.ts";
import { rootSchema } from "./cel_types.ts";

/**
 * A value of a custom resource as expressions see it: what the schema does not describe is invisible. Parts are read
 * where an expression reads them.
 *
 * @throws {CelError} for a value that does not have the schema's type.
 */
export function schemaValue(raw: unknown, schema: Schema): Value {
  if (raw === null || raw === undefined) {
    if (schema.nullable) return null;
    throw new CelError("invalid data, got null for schema with nullable=false");
  }
  if (schema["x-kubernetes-int-or-string"]) {
    if (typeof raw === "string" || typeof raw === "bigint") return raw;
    if (typeof raw === "number" && Number.isInteger(raw)) return BigInt(raw);
    throw new CelError("invalid data, expected XIntOrString value to be either a string or integer");
  }
  switch (schema.type) {
    case "object":
      if (!isObject(raw)) throw wrong("a map for the provided schema with type=object");
      return new ObjectValue(raw, schema["x-kubernetes-embedded-resource"] ? rootSchema(schema) : schema);
    case "array":
      if (!Array.isArray(raw)) throw wrong("an array for the provided schema with type=array");
      return listValue(raw, schema);
    case "string":
      if (typeof raw !== "string") throw wrong("string");
      return textValue(raw, schema.format);
    case "number":
      if (typeof raw !== "number" && typeof raw !== "bigint") throw wrong("float");
      return Number(raw);
    case "integer":
      if (typeof raw === "bigint") return raw;
      if (typeof raw !== "number" || !Number.isInteger(raw)) throw wrong("int");
      return BigInt(raw);
    case "boolean":
      if (typeof raw !== "boolean") throw wrong("bool");
      return raw;
  }
  return new ObjectValue(isObject(raw) ? raw : {}, schema);
}

function wrong(expected: string): CelError {
  return new CelError(`invalid data, expected ${expected}`);
}

function textValue(text: string, format: string | undefined): Value {
  switch (format) {
    case "duration": {
      const days = /^(\d+)(d|w)$/.exec(text);
      const nanos = days ? BigInt(days[1]!) * (days[2] === "w" ? 7n : 1n) * 86_400_000_000_000n : undefined;
      const duration = nanos === undefined ? parseDuration(text) : new Duration(nanos);
      if (!duration) throw new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`);
      return duration;
    }
    case "date":
    case "date-time": {
      const full = format === "date" ? `${text}T00:00:00Z` : text.replace(/t/, "T").replace(/z$/, "Z");
      const time = parseTimestamp(full) ?? lenientTime(text);
      if (!time) throw new CelError(`Invalid ${format} formatted string ${text}`);
      return time;
    }
    case "byte":
      return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  }
  return text;
}

function lenientTime(text: string): Timestamp | undefined {
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? undefined : new Timestamp(BigInt(millis) * 1_000_000n);
}

class ObjectValue extends MapValue {
  readonly raw: Record<string, unknown>;
  readonly #schema: Schema;
  readonly #read = new Map<string, Value>();

  constructor(raw: Record<string, unknown>, schema: Schema) {
    super();
    this.raw = raw;
    this.#schema = schema;
  }

  get size(): number {
    return Object.keys(this.raw).length;
  }

  /** The schema of a field; undefined where rules do not see it. */
  #fieldSchema(name: string): Schema | undefined {
    const { properties, additionalProperties } = this.#schema;
    if (properties) return Object.hasOwn(properties, name) ? properties[name] : undefined;
    return typeof additionalProperties === "object" ? additionalProperties : undefined;
  }

  *keys(): Iterable<Value> {
    for (const name of Object.keys(this.raw)) {
      if (this.#fieldSchema(name)) yield this.#schema.properties ? escapeField(name) ?? name : name;
    }
  }

  find(key: Value): Value | undefined {
    if (typeof key !== "string") throw noSuchOverload();
    const fixed = this.#schema.properties !== undefined, name = fixed ? unescapeField(key) : key;
    if (name === undefined || !Object.hasOwn(this.raw, name)) return undefined;
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const raw = this.raw[name], schema = this.#fieldSchema(name);
    if (!schema || fixed && raw === null) return undefined;
    const value = schemaValue(raw, schema);
    this.#read.set(name, value);
    return value;
  }

  override equals(other: Value): boolean {
    if (!(other instanceof MapValue)) throw noSuchOverload();
    if (this.size !== other.size) return false;
    for (const name of Object.keys(this.raw)) {
      if (this.#fieldSchema(name)) {
        const mine = this.find(name), theirs = other.find(name);
        if (mine === undefined && theirs === undefined) continue;
        if (mine === undefined || theirs === undefined || !equal(mine, theirs)) return false;
      } else {
        if (!(other instanceof ObjectValue)) throw noSuchOverload();
        if (Object.hasOwn(other.raw, name) && !jsonEqual(this.raw[name], other.raw[name])) return false;
      }
    }
    return true;
  }
}

function listValue(raw: readonly unknown[], schema: Schema): ListValue {
  if (!schema.items) throw new CelError("invalid array type, expected Items with a non-empty Schema");
  const list = new SchemaList(raw, schema.items);
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      return new SetList(list);
    case "map":
      return new KeyedList(list, (schema["x-kubernetes-list-map-keys"] ?? []).map((key) => escapeField(key) ?? key));
  }
  return list;
}

/** Kubernetes' lists compare with lists only. */
function asList(value: Value): ListValue {
  if (!(value instanceof ListValue)) throw noSuchOverload();
  return value;
}

class SchemaList extends ListValue {
  readonly #raw: readonly unknown[];
  readonly #items: Schema;
  readonly #read: Value[] = [];

  constructor(raw: readonly unknown[], items: Schema) {
    super();
    this.#raw = raw;
    this.#items = items;
  }

  get size(): number {
    return this.#raw.length;
  }

  at(index: number): Value {
    return this.#read[index] ??= schemaValue(this.#raw[index], this.#items);
  }

  override equals(other: Value): boolean {
    return super.equals(asList(other));
  }
}

/** `x-kubernetes-list-type: set`. */
class SetList extends ListValue {
  readonly #list: ListValue;

  constructor(list: ListValue) {
    super();
    this.#list = list;
  }

  get size(): number {
    return this.#list.size;
  }

  at(index: number): Value {
    return this.#list.at(index);
  }

  override equals(other: Value): boolean {
    const list = asList(other);
    return this.size === list.size && [...list].every((item) => has(this, item)) &&
      [...this].every((item) => has(list, item));
  }

  override concat(other: ListValue): ListValue {
    const added = [...other].filter((item) => !has(this, item));
    return new SetList(new ArrayList([...this, ...added.filter((item, index) => !has(added.slice(0, index), item))]));
  }
}

function has(list: Iterable<Value>, item: Value): boolean {
  for (const each of list) if (equal(each, item)) return true;
  return false;
}

/** `x-kubernetes-list-type: map`. */
class KeyedList extends ListValue {
  readonly #list: ListValue;
  readonly #keys: readonly string[];

  constructor(list: ListValue, keys: readonly string[]) {
    super();
    this.#list = list;
    this.#keys = keys;
  }

  get size(): number {
    return this.#list.size;
  }

  at(index: number): Value {
    return this.#list.at(index);
  }

  #byKey(list: ListValue): Map<string, Value> {
    const keyOf = (item: Value) =>
      canonicalJson(this.#keys.map((key) => item instanceof MapValue ? keyText(item.find(key)) : null));
    return new Map([...list].map((item) => [keyOf(item), item]));
  }

  override equals(other: Value): boolean {
    const list = asList(other);
    if (this.size !== list.size) return false;
    const mine = this.#byKey(this), theirs = this.#byKey(list);
    return mine.size === theirs.size &&
      [...theirs].every(([key, item]) => mine.has(key) && equal(mine.get(key)!, item));
  }

  override concat(other: ListValue): ListValue {
    const merged = new Map([...this.#byKey(this), ...this.#byKey(other)]);
    return new KeyedList(new ArrayList([...merged.values()]), this.#keys);
  }
}

function keyText(value: Value | undefined): string | boolean | null {
  return value === undefined ? null : typeof value === "boolean" ? value : String(value);
}
