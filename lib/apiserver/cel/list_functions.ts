import { type Declaration, declare, type Overload } from "./functions.ts";
import { add } from "./standard_functions.ts";
import {
  ArrayList,
  CelError,
  compare,
  display,
  Duration,
  EntryMap,
  equal,
  ListValue,
  MapValue,
  Optional,
  sizeOf,
  Timestamp,
  typeName,
  Uint,
  type Value,
} from "./value.ts";

const COMPARABLE = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

const SUMMABLE: Record<string, Value> = { int: 0n, uint: new Uint(0n), double: 0, duration: new Duration(0n) };

const RANGE_MAX = 1_000_000n;

function isSorted(list: ListValue): boolean {
  for (let index = 1; index < list.size; index++) if (compare(list.at(index - 1), list.at(index)) > 0) return false;
  return true;
}

function extreme(name: string, sign: number): (list: ListValue) => Value {
  return (list) => {
    if (list.size === 0) throw new CelError(`${name} called on empty list`);
    let best = list.at(0);
    for (let index = 1; index < list.size; index++) {
      if (compare(list.at(index), best) * sign > 0) best = list.at(index);
    }
    return best;
  };
}

function indexOf(list: ListValue, item: Value): bigint {
  for (let index = 0; index < list.size; index++) if (equal(list.at(index), item)) return BigInt(index);
  return -1n;
}

function lastIndexOf(list: ListValue, item: Value): bigint {
  for (let index = list.size - 1; index >= 0; index--) if (equal(list.at(index), item)) return BigInt(index);
  return -1n;
}

function slice(list: ListValue, start: bigint, end: bigint): ListValue {
  const cannot = (why: string) => new CelError(`cannot slice(${start}, ${end}), ${why}`);
  if (start < 0n || end < 0n) throw cannot("negative indexes not supported");
  if (start > end) throw cannot("start index must be less than or equal to end index");
  if (end > list.size) throw cannot(`list is length ${list.size}`);
  return new ArrayList([...list].slice(Number(start), Number(end)));
}

function flatten(list: ListValue, depth = 1n): ListValue {
  if (depth < 0n) throw new CelError("level must be non-negative");
  const flat = (of: ListValue, left: bigint): Value[] =>
    [...of].flatMap((item) => item instanceof ListValue && left > 0n ? flat(item, left - 1n) : [item]);
  return new ArrayList(flat(list, depth));
}

function sortByKeys(list: ListValue, keys: ListValue): ListValue {
  if (list.size !== keys.size) {
    const what = "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got";
    throw new CelError(`${what} ${list.size} and ${keys.size} elements respectively`);
  }
  if (list.size === 0) return list;
  const type = typeName(keys.at(0));
  const pairs = [...list].map((item, index) => ({ item, key: keys.at(index) }));
  if (pairs.some(({ key }) => typeName(key) !== type)) throw new CelError("list elements must have the same type");
  return new ArrayList(pairs.sort((left, right) => compare(left.key, right.key)).map(({ item }) => item));
}

function distinct(list: ListValue): ListValue {
  const found: Value[] = [];
  for (const item of list) if (!found.some((other) => equal(item, other))) found.push(item);
  return new ArrayList(found);
}

function range(size: bigint): ListValue {
  if (size < 0n) throw new CelError(`lists.range: size must be non-negative, got ${size}`);
  if (size > RANGE_MAX) {
    throw new CelError(`lists.range: size ${size} exceeds maximum allowed (${RANGE_MAX})`);
  }
  return new ArrayList(Array.from({ length: Number(size) }, (_, index) => BigInt(index)));
}

function contains(list: ListValue, part: ListValue): boolean {
  return [...part].every((item) => [...list].some((other) => equal(other, item)));
}

function intersects(left: ListValue, right: ListValue): boolean {
  return [...left].some((item) => [...right].some((other) => equal(other, item)));
}

/** What a comprehension adds to its map. */
function insert(map: MapValue, key: Value | MapValue, value?: Value): MapValue {
  const result = new EntryMap([...map.keys()].map((each) => [each, map.find(each)!]));
  if (value !== undefined) result.insert(key, value);
  else for (const each of (key as MapValue).keys()) result.insert(each, (key as MapValue).find(each)!);
  return result;
}

function isZero(value: Value): boolean {
  if (value === null || value === false) return true;
  if (typeof value === "bigint" || typeof value === "number") return value == 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800_000_000_000n;
  if (value instanceof Optional) return value.value === undefined || isZero(value.value);
  return value instanceof ListValue || value instanceof MapValue || typeof value === "string" ||
      value instanceof Uint8Array
    ? sizeOf(value) === 0
    : false;
}

function valueOf(optional: Optional): Value {
  if (optional.value === undefined) throw new CelError("optional.none() dereference");
  return optional.value;
}

function unwrap(list: ListValue): ListValue {
  return new ArrayList(
    [...list].flatMap((item) => {
      if (!(item instanceof Optional)) throw new CelError(`value ${display(item)} is not optional`);
      return item.value === undefined ? [] : [item.value];
    }),
  );
}

const never = (): Value => {
  throw new CelError("no such overload");
};

/** The evaluator reads paths itself. */
const OPTIONALS: Declaration[] = [
  ["optional_of", "optional.of(V): optional(V)", Optional.of],
  [
    "optional_ofNonZeroValue",
    "optional.ofNonZeroValue(V): optional(V)",
    (value: Value) => isZero(value) ? Optional.none : Optional.of(value),
  ],
  ["optional_none", "optional.none(): optional(V)", () => Optional.none],
  ["optional_value", "optional(V)#value(): V", valueOf],
  ["optional_hasValue", "optional(V)#hasValue(): bool", ({ value }: Optional) => value !== undefined],
  ["optional_or_optional", "optional(V)#or(optional(V)): optional(V)", never],
  ["optional_orValue_value", "optional(V)#orValue(V): V", never],
  ["select_optional_field", "_?._(dyn, string): optional(V)", never],
  ["list_optindex_optional_int", "_[?_](list(V), int): optional(V)", never],
  ["optional_list_optindex_optional_int", "_[?_](optional(list(V)), int): optional(V)", never],
  ["map_optindex_optional_value", "_[?_](map(K, V), K): optional(V)", never],
  ["optional_map_optindex_optional_value", "_[?_](optional(map(K, V)), K): optional(V)", never],
  ["optional_list_index_int", "_[_](optional(list(V)), int): optional(V)", never],
  ["optional_map_index_value", "_[_](optional(map(K, V)), K): optional(V)", never],
  [
    "list_last",
    "list(V)#last(): optional(V)",
    (list: ListValue) => list.size === 0 ? Optional.none : Optional.of(list.at(list.size - 1)),
  ],
  [
    "list_first",
    "list(V)#first(): optional(V)",
    (list: ListValue) => list.size === 0 ? Optional.none : Optional.of(list.at(0)),
  ],
  ["optional_unwrap", "optional.unwrap(list(optional(V))): list(V)", unwrap],
  ["optional_unwrapOpt", "list(optional(V))#unwrapOpt(): list(V)", unwrap],
];

function listDeclarations(): Declaration[] {
  return [
    ...COMPARABLE.flatMap((type): Declaration[] => [
      [`list_${type}_is_sorted_bool`, `list(${type})#isSorted(): bool`, isSorted],
      [`list_${type}_max_${type}`, `list(${type})#max(): ${type}`, extreme("max", 1)],
      [`list_${type}_min_${type}`, `list(${type})#min(): ${type}`, extreme("min", -1)],
      [`list_${type}_sort`, `list(${type})#sort(): list(${type})`, (list: ListValue) => sortByKeys(list, list)],
      [
        `list_${type}_sortByAssociatedKeys`,
        `list(T)#@sortByAssociatedKeys(list(${type})): list(T)`,
        sortByKeys,
      ],
    ]),
    ...Object.entries(SUMMABLE).map(([type, zero]): Declaration => [
      `list_${type}_sum_${type}`,
      `list(${type})#sum(): ${type}`,
      (list: ListValue) => [...list].reduce(add, zero),
    ]),
    ["list_a_index_of_int", "list(A)#indexOf(A): int", indexOf],
    ["list_a_last_index_of_int", "list(A)#lastIndexOf(A): int", lastIndexOf],
    ["list_slice", "list(T)#slice(int, int): list(T)", slice],
    ["list_flatten", "list(list(T))#flatten(): list(T)", flatten],
    ["list_flatten_int", "list(dyn)#flatten(int): list(dyn)", flatten],
    ["lists_range", "lists.range(int): list(int)", range],
    ["list_reverse", "list(T)#reverse(): list(T)", (list: ListValue) => new ArrayList([...list].reverse())],
    ["list_distinct", "list(T)#distinct(): list(T)", distinct],
    ["sets_contains", "sets.contains(list(T), list(T)): bool", contains],
    [
      "sets_equivalent",
      "sets.equivalent(list(T), list(T)): bool",
      (left: ListValue, right: ListValue) => contains(left, right) && contains(right, left),
    ],
    ["sets_intersects", "sets.intersects(list(T), list(T)): bool", intersects],
    ["map_insert_key_value", "cel.@mapInsert(map(K, V), K, V): map(K, V)", insert],
    ["map_insert_map", "cel.@mapInsert(map(K, V), map(K, V)): map(K, V)", insert],
  ];
}

export function declareLists(table: Map<string, Overload[]>): void {
  declare(table, OPTIONALS);
  declare(table, listDeclarations());
}
