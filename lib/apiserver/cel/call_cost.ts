import { ListValue, MapValue, OpaqueValue, Optional, sizeOf, type Value } from "./value.ts";

/** Cost units for each letter of a string that is read once, and for each letter of a regular expression. */
export const TEXT_COST = 0.1, PATTERN_COST = 0.25;
export const LIST_COST = 10, MAP_COST = 30, STRUCT_COST = 40;
/** An authorization check is dear: an expression has room for two. */
export const CHECK_COST = 350_000;

type Cost = (args: readonly Value[], result: Value) => number;

const one: Cost = () => 1;
const textOf = (index: number, factor = 1): Cost => (args) => Math.ceil(actualSize(args[index]!) * factor * TEXT_COST);
const smaller: Cost = ([left, right]) => Math.ceil(Math.min(actualSize(left!), actualSize(right!)) * TEXT_COST);
const both: Cost = ([left, right]) => Math.ceil((actualSize(left!) + actualSize(right!)) * TEXT_COST);
const pattern: Cost = ([text, regex]) =>
  Math.ceil((1 + actualSize(text!)) * TEXT_COST) * Math.ceil(actualSize(regex!) * PATTERN_COST);
const traversed: Cost = ([list]) => traversalCost(list!);

/** Of functions, whatever the overload: Kubernetes' libraries. */
const BY_FUNCTION: Record<string, Cost> = {
  check: () => CHECK_COST,
  ...names(
    "serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength " +
      "family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign " +
      "asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme " +
      "getHostname getHost getPort getEscapedPath getQuery",
    one,
  ),
  ...names("fieldSelector labelSelector", ([, selector]) => selectorCost(actualSize(selector!))),
  ...names("isSorted sum max min indexOf lastIndexOf", traversed),
  ...names("url lowerAscii upperAscii substring trim cidr isIP isCIDR quantity isQuantity semver isSemver", textOf(0)),
  ...names("replace split ip.isCanonical", textOf(0, 2)),
  join: (_args, result) => Math.ceil(actualSize(result) * 2 * TEXT_COST),
  ...names("find findAll", pattern),
  validate: ([format, text]) =>
    Math.ceil((1 + actualSize(text!)) * TEXT_COST) *
    Math.ceil((format as unknown as { patternSize: number }).patternSize * PATTERN_COST),
};

/** Of overloads; the rest costs 1. */
const BY_OVERLOAD: Record<string, Cost> = {
  cidr_ip: one,
  string_to_ip: textOf(0),
  ...names("starts_with_string ends_with_string", textOf(1)),
  ...names("string_to_bytes bytes_to_string string_format", textOf(0)),
  in_list: ([, list]) => actualSize(list!),
  ...names(
    "less_string greater_string less_equals_string greater_equals_string less_bytes greater_bytes less_equals_bytes " +
      "greater_equals_bytes not_equals",
    smaller,
  ),
  equals: (args, result) => args[0] instanceof OpaqueValue ? 1 : smaller(args, result),
  ...names("add_string add_bytes", both),
  ...names("matches matches_string", pattern),
  contains_string: ([text, other]) =>
    Math.ceil(actualSize(text!) * TEXT_COST) * Math.ceil(actualSize(other!) * TEXT_COST),
  ...names("list_slice lists_range list_reverse", (_args, result) => listCost(1, actualSize(result))),
  ...names("list_flatten list_flatten_int", ([list, depth]) => {
    const factor = depth === undefined ? 1 : Number(depth);
    return listCost(factor < 0 ? 1 : factor, actualSize(list!));
  }),
  list_distinct: ([list]) => compareAllCost(list!),
  ...names("sets_contains sets_intersects", setsCost(1)),
  sets_equivalent: setsCost(2),
  cidr_contains_ip_string: ([cidr, text]) => networkCost(cidr!) + Math.ceil(actualSize(text!) * TEXT_COST),
  cidr_contains_ip_ip: ([cidr]) => networkCost(cidr!),
  cidr_contains_cidr: ([cidr]) => networkCost(cidr!) + Math.ceil(actualSize(cidr!) * TEXT_COST) + 1,
  cidr_contains_cidr_string: ([cidr, text]) =>
    networkCost(cidr!) + Math.ceil(actualSize(cidr!) * TEXT_COST) + 1 + Math.ceil(actualSize(text!) * TEXT_COST),
};

function names(list: string, cost: Cost): Record<string, Cost> {
  return Object.fromEntries(list.split(" ").map((name) => [name, cost]));
}

/** What a call costs; `overload` is absent where it is known only at run time. */
export function costOf(name: string, overload: string | undefined): Cost {
  const known = overload === undefined ? undefined : BY_OVERLOAD[overload];
  if (known) return known;
  if (overload?.endsWith("_sort")) return ([list]) => compareAllCost(list!);
  if (overload?.endsWith("_sortByAssociatedKeys")) return ([, keys]) => compareAllCost(keys!);
  return (Object.hasOwn(BY_FUNCTION, name) ? BY_FUNCTION[name] : undefined) ?? one;
}

function actualSize(value: Value): number {
  if (value instanceof Optional && value.value !== undefined) return actualSize(value.value);
  return sizeOf(value) ?? 1;
}

function traversalCost(value: Value): number {
  if (typeof value === "string" || value instanceof Uint8Array) return Math.floor(byteLength(value) * TEXT_COST);
  let cost = 0;
  if (value instanceof ListValue) { for (const item of value) cost += traversalCost(item); }
  else if (value instanceof MapValue) {
    for (const key of value.keys()) cost += traversalCost(key) + traversalCost(value.find(key)!);
  } else return 1;
  return cost;
}

function byteLength(value: string | Uint8Array): number {
  return typeof value === "string" ? new TextEncoder().encode(value).length : value.length;
}

function selectorCost(length: number): number {
  return LIST_COST + Math.ceil(length * TEXT_COST) + Math.ceil(Math.ceil(length * 0.5) * (LIST_COST + STRUCT_COST));
}

function listCost(factor: number, size: number): number {
  return Math.floor(size * factor) + 1 + LIST_COST;
}

function compareAllCost(list: Value): number {
  const size = actualSize(list), first = list instanceof ListValue && size > 0 ? list.at(0) : undefined;
  const text = typeof first === "string" || first instanceof Uint8Array;
  return listCost(text ? 2 + TEXT_COST : 2, size * size);
}

function setsCost(factor: number): Cost {
  return ([left, right]) => 1 + Math.floor(actualSize(left!) * actualSize(right!) * factor);
}

function networkCost(cidr: Value): number {
  return Math.ceil(actualSize(cidr) * 2 * TEXT_COST);
}
