import { isLabelValue, isQualifiedName } from "./name.ts";
export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** metav1.LabelSelector. */
export interface LabelSelector {
  /** Labels that an object must have. */
  matchLabels?: Record<string, string>;
  /** All must hold; operators are `In`, `NotIn`, `Exists` and `DoesNotExist`. */
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** Undefined counts as none. */
export type Labels = Readonly<Record<string, string>> | undefined;

/** Whether labels meet every requirement. An absent label meets `NotIn`, as in Kubernetes. */
export function matchesLabels(requirements: readonly LabelRequirement[], labels: Labels): boolean {
  return requirements.every((requirement) => {
    const value = labels && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    switch (requirement.operator) {
      case "In":
        return value !== undefined && requirement.values.includes(value);
      case "NotIn":
        return value === undefined || !requirement.values.includes(value);
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
      default:
        return requirement satisfies never;
    }
  });
}

/**
 * Requirements of a `metav1.LabelSelector`; an empty one matches everything.
 *
 * @throws {RangeError} for what Kubernetes refuses; the message names it.
 */
export function requirementsOf(selector: LabelSelector): LabelRequirement[] {
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {})
    .map(([key, value]) => ({ key, operator: "In", values: [value] }));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) throw new RangeError(`label selector: ${operator} on "${key}" takes no values`);
      requirements.push({ key, operator });
    } else if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) throw new RangeError(`label selector: ${operator} on "${key}" needs at least one value`);
      requirements.push({ key, operator, values });
    } else throw new RangeError(`label selector: "${operator}" is not a valid operator`);
  }
  return requirements;
}

const SET = /^\s*([^\s,=!()]+)\s+(in|notin)\s*\(([^()]*)\)\s*(?:,|$)/;
const EQUALITY = /^\s*([^\s,=!()]+)\s*(==|=|!=)\s*([^\s,=!()]*)\s*(?:,|$)/;
const EXISTENCE = /^\s*(!?)\s*([^\s,=!()]+)\s*(?:,|$)/;

/**
 * Parses a `labelSelector` query parameter, such as `a=b,c!=d,e in (f,g),h,!i`.
 *
 * @throws {RangeError} for an invalid selector.
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  const requirements: LabelRequirement[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const set = SET.exec(rest), equality = set ? null : EQUALITY.exec(rest);
    const existence = set || equality ? null : EXISTENCE.exec(rest);
    if (set) {
      const values = set[3]!.split(",").map((value) => value.trim());
      requirements.push({ key: set[1]!, operator: set[2] === "in" ? "In" : "NotIn", values });
    } else if (equality) {
      requirements.push({ key: equality[1]!, operator: equality[2] === "!=" ? "NotIn" : "In", values: [equality[3]!] });
    } else if (existence) {
      requirements.push({ key: existence[2]!, operator: existence[1] ? "DoesNotExist" : "Exists" });
    }
    if (!(set || equality || existence) || !isValid(requirements.at(-1)!)) {
      throw new RangeError(`unable to parse requirement: "${rest}"`);
    }
    rest = rest.slice((set ?? equality ?? existence)![0].length).trim();
  }
  return requirements;
}

function isValid(requirement: LabelRequirement): boolean {
  return isQualifiedName(requirement.key) && (!("values" in requirement) || requirement.values.every(isLabelValue));
}

export function formatLabelSelector(requirements: readonly LabelRequirement[]): string {
  return requirements.map((requirement) => {
    switch (requirement.operator) {
      case "In":
      case "NotIn": {
        const word = requirement.operator === "In" ? "in" : "notin";
        if (requirement.values.length > 1) return `${requirement.key} ${word} (${requirement.values.join(",")})`;
        return `${requirement.key}${requirement.operator === "In" ? "=" : "!="}${requirement.values[0]}`;
      }
      case "Exists":
        return requirement.key;
      case "DoesNotExist":
        return `!${requirement.key}`;
      default:
        return requirement satisfies never;
    }
  }).join(",");
}

export interface FieldRequirement {
  readonly path: string;
  readonly equals: boolean;
  readonly value: string;
}

/**
 * Parses a `fieldSelector` query parameter, such as `metadata.name=a,status.phase!=Failed`.
 *
 * @throws {RangeError} for an invalid selector.
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "").map((part) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
    if (!match) throw new RangeError(`invalid selector: '${part}'; can't understand '${part}'`);
    return { path: match[1]!.trim(), equals: match[2] !== "!=", value: match[3]!.trim() };
  });
}
