import { CHECK_COST, LIST_COST, PATTERN_COST, STRUCT_COST, TEXT_COST } from "./call_cost.ts";
import { exactly, ONE, type Range, scaled, sum, times, UNBOUNDED, union, UNKNOWN, ZERO } from "./cost_range.ts";
import type { Type } from "./type.ts";
import type { Value } from "./value.ts";

/** An operand with what is known of it. */
export interface SizedNode {
  readonly type: Type;
  readonly path?: readonly string[];
  readonly size?: Range;
  readonly literal?: Value;
}

export interface CallNodes {
  readonly target: SizedNode | undefined;
  readonly args: readonly SizedNode[];
  elementSize(list: SizedNode): Range;
}

interface Estimate {
  readonly cost: Range;
  readonly size?: Range;
}

type Rule = (nodes: CallNodes) => Estimate | undefined;

/** The cost of a call without its operands; undefined for those that cost 1 or need more than sizes. */
export function estimateCall(name: string, overload: string, nodes: CallNodes): Estimate | undefined {
  const list = listRule(overload);
  if (list) return list(nodes);
  const known = Object.hasOwn(BY_FUNCTION, name) ? BY_FUNCTION[name]!(nodes) : undefined;
  if (known) return known;
  return Object.hasOwn(BY_OVERLOAD, overload) ? BY_OVERLOAD[overload]!(nodes) : undefined;
}

function sizeOf(node: SizedNode | undefined): Range {
  return node?.size ?? UNKNOWN;
}

function listRule(overload: string): Rule | undefined {
  if (Object.hasOwn(LISTS, overload)) return LISTS[overload];
  const sort = /^list_(\w+)_sort(ByAssociatedKeys)?$/.exec(overload);
  if (!sort) return undefined;
  const factor = /^(?:string|bytes)$/.test(sort[1]!) ? 2 + TEXT_COST : 2;
  return ({ target, args }) => allocating(factor, squared(sizeOf(sort[2] ? args[0] : target)));
}

function squared(size: Range): Range {
  return times(size, size);
}

/** A call that makes a list. */
function allocating(factor: number, size: Range): Estimate {
  return { cost: sum(scaled(size, factor), ONE, exactly(LIST_COST)), size };
}

/** A literal number, if it is one. */
function literalOr(node: SizedNode | undefined, otherwise: number): number {
  return typeof node?.literal === "bigint" ? Math.max(0, Number(node.literal)) : otherwise;
}

function sets(factor: number): Rule {
  return ({ args }) => ({ cost: sum(scaled(times(sizeOf(args[0]), sizeOf(args[1])), factor), ONE) });
}

const LISTS: Record<string, Rule> = {
  list_slice: ({ target, args }) => {
    const start = literalOr(args[0], 0), end = literalOr(args[1], sizeOf(target).max);
    return allocating(1, exactly(end >= start ? end - start : UNBOUNDED));
  },
  lists_range: ({ args }) => allocating(1, exactly(literalOr(args[0], UNBOUNDED))),
  list_reverse: ({ target }) => allocating(1, sizeOf(target)),
  list_flatten: ({ target }) => allocating(1, sizeOf(target)),
  list_flatten_int: ({ target, args }) => allocating(literalOr(args[0], UNBOUNDED), sizeOf(target)),
  list_distinct: ({ target }) => allocating(2, squared(sizeOf(target))),
  sets_contains: sets(1),
  sets_intersects: sets(1),
  sets_equivalent: sets(2),
};

const one: Rule = () => ({ cost: ONE });

/** A text is read `factor` times. */
function readsArgument(factor: number, result = false): Rule {
  return ({ args }) => {
    if (args.length === 0) return undefined;
    const size = sizeOf(args[0]);
    return { cost: scaled(size, factor * TEXT_COST), ...(result && { size }) };
  };
}

function traverses(includeOnly = false): Rule {
  return ({ target, elementSize }) => {
    if (!target) return undefined;
    const element = target.type.params[0];
    if (!element) return { cost: scaled(sizeOf(target), includeOnly ? 1 : TEXT_COST) };
    const text = element.kind === "string" || element.kind === "bytes";
    const each = text ? sum(ONE, scaled(elementSize(target), TEXT_COST)) : ONE;
    return { cost: times(sizeOf(target), each) };
  };
}

const transforms: Rule = ({ target }) => target && { cost: scaled(sizeOf(target), TEXT_COST), size: sizeOf(target) };

const ADDRESS: Range = { min: 4, max: 16 };

function networkRule(part: "IP" | "CIDR"): Rule {
  return ({ args }) => {
    const compared = scaled(sum(ADDRESS, ADDRESS), TEXT_COST);
    const base = part === "IP" ? compared : sum(compared, scaled(ADDRESS, TEXT_COST), ONE);
    return { cost: args[0]!.type.kind === "string" ? sum(base, scaled(sizeOf(args[0]), TEXT_COST)) : base };
  };
}

const split: Rule = ({ target, args }) => {
  if (!target) return undefined;
  const size = sizeOf(target);
  return { cost: scaled(size, 2 * TEXT_COST), size: { min: 0, max: literalOr(args[1], size.max) } };
};

const join: Rule = ({ target, args, elementSize }) => {
  if (!target) return undefined;
  const list = sizeOf(target);
  const text = target.type.params[0] ? times(list, elementSize(target)) : ZERO;
  const separators = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
  const size = args[0] ? sum(text, times(sizeOf(args[0]), separators)) : text;
  return { cost: scaled(size, TEXT_COST), size };
};

const replace: Rule = ({ target, args }) => {
  if (!target || args.length < 2) return undefined;
  const size = sizeOf(target), from = sizeOf(args[0]), to = sizeOf(args[1]);
  const count = { min: 0, max: 0 }, kept = { min: 0, max: 0 };
  if (from.min === 0) {
    count.max = Math.min(size.max + 1, UNBOUNDED);
    kept.max = size.max;
  } else if (to.max <= from.min) kept.max = size.max;
  else count.max = Math.ceil(size.max / from.min);
  if (from.max === 0) {
    count.min = Math.min(size.min + 1, UNBOUNDED);
    kept.min = size.min;
  } else if (from.max <= to.min) kept.min = size.min;
  else count.min = Math.ceil(size.min / from.max);
  return { cost: scaled(size, 2 * TEXT_COST), size: sum(times(count, to), kept) };
};

function pattern(text: SizedNode | undefined, regex: SizedNode | undefined): Range {
  return times(scaled(sum(sizeOf(text), ONE), TEXT_COST), scaled(sizeOf(regex), PATTERN_COST));
}

const find: Rule = ({ target, args }) =>
  target && args[0] && { cost: pattern(target, args[0]), size: { min: 0, max: sizeOf(target).max } };

const selector: Rule = ({ args }) => {
  const size = sizeOf(args[0]), requirements = scaled(scaled(size, 0.5), LIST_COST + STRUCT_COST);
  return { cost: sum(exactly(LIST_COST), scaled(size, TEXT_COST), requirements) };
};

const FORMAT_SIZE_MAX = 64, FORMAT_PATTERN_MAX = 128;

/** Values of libraries compare at a fixed cost. */
const equality: Rule = ({ args }) => {
  const [left, right] = args;
  if (!left || !right || left.type.kind !== right.type.kind || left.type.name !== right.type.name) return undefined;
  switch (left.type.name) {
    case "kubernetes.NamedFormat":
      return { cost: scaled({ min: 1, max: FORMAT_SIZE_MAX }, TEXT_COST) };
    case "kubernetes.URL": {
      const size = right.size ? union(right.size, right.size) : ONE;
      return { cost: scaled({ min: 1, max: size.max }, TEXT_COST) };
    }
  }
  const known = left.type.name.startsWith("kubernetes.") || left.type.name.startsWith("net.");
  return known ? { cost: ONE } : undefined;
};

/** Equality and order of texts reads the shorter one. */
const comparison: Rule = ({ args }) => {
  const max = Math.min(sizeOf(args[0]).max, sizeOf(args[1]).max);
  return { cost: scaled({ min: max > 0 ? 1 : 0, max }, TEXT_COST) };
};

const BY_FUNCTION: Record<string, Rule> = {
  check: () => ({ cost: exactly(CHECK_COST) }),
  ...named(
    "serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength " +
      "family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign " +
      "asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme " +
      "getHostname getHost getPort getEscapedPath getQuery",
    one,
  ),
  ...named("fieldSelector labelSelector", selector),
  ...named("isSorted sum max min indexOf lastIndexOf", traverses()),
  includes: traverses(true),
  url: readsArgument(1, true),
  ...named("lowerAscii upperAscii substring trim", transforms),
  replace,
  split,
  join,
  ...named("find findAll", find),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", readsArgument(1)),
  ip: ({ target, args, elementSize }) => target ? { cost: ONE } : readsArgument(1)({ target, args, elementSize }),
  "ip.isCanonical": readsArgument(2),
  containsIP: networkRule("IP"),
  containsCIDR: networkRule("CIDR"),
  validate: ({ args }) => ({
    cost: scaled(scaled(sizeOf(args[0]), TEXT_COST), FORMAT_PATTERN_MAX * PATTERN_COST),
  }),
  "_==_": equality,
};

const BY_OVERLOAD: Record<string, Rule> = {
  string_format: ({ target }) => ({ cost: scaled(sizeOf(target), TEXT_COST) }),
  string_to_bytes: ({ args }) => {
    const size = sizeOf(args[0]);
    return { cost: scaled(size, TEXT_COST), size: { min: size.min, max: Math.min(size.max * 4, UNBOUNDED) } };
  },
  bytes_to_string: ({ args }) => {
    const size = sizeOf(args[0]);
    return { cost: scaled(size, TEXT_COST), size: { min: Math.floor(size.min / 4), max: size.max } };
  },
  strings_quote: ({ args }) => {
    const size = sizeOf(args[0]);
    return { cost: scaled(size, TEXT_COST), size: { min: size.min + 2, max: Math.min(size.max * 2 + 2, UNBOUNDED) } };
  },
  ...named("starts_with_string ends_with_string", readsArgument(1)),
  in_list: ({ args }) => ({ cost: sizeOf(args[1]) }),
  matches: ({ args }) => ({ cost: pattern(args[0], args[1]) }),
  matches_string: ({ target, args }) => ({ cost: pattern(target, args[0]) }),
  contains_string: ({ target, args }) => ({
    cost: times(scaled(sizeOf(target), TEXT_COST), scaled(sizeOf(args[0]), TEXT_COST)),
  }),
  ...named(
    "equals not_equals less_string greater_string less_equals_string greater_equals_string less_bytes greater_bytes " +
      "less_equals_bytes greater_equals_bytes",
    comparison,
  ),
};

function named(names: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}
