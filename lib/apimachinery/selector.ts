export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" }
  /** Of whole numbers. */
  | { readonly key: string; readonly operator: "GreaterThan" | "LessThan"; readonly value: string };

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
      case "GreaterThan":
      case "LessThan":
        return isCompared(value, requirement);
      default:
        return requirement satisfies never;
    }
  });
}

/** A label that is not a whole number meets no comparison. */
function isCompared(
  value: string | undefined,
  { operator, value: bound }: Extract<LabelRequirement, { operator: "GreaterThan" | "LessThan" }>,
): boolean {
  if (value === undefined || !/^[-+]?\d+$/.test(value)) return false;
  return operator === "GreaterThan" ? Number(value) > Number(bound) : Number(value) < Number(bound);
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
      case "GreaterThan":
      case "LessThan":
        return `${requirement.key}${requirement.operator === "GreaterThan" ? ">" : "<"}${requirement.value}`;
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
  return splitUnescaped(text).filter((part) => part !== "").map((part) => {
    const match = /^((?:\\.|[^=!\\])*)(==|=|!=)(.*)$/s.exec(part);
    if (!match) throw new RangeError(`invalid selector: '${text}'; can't understand '${part}'`);
    return { path: match[1]!, equals: match[2] !== "!=", value: unescaped(match[3]!) };
  });
}

/** At commas without a backslash before them. */
function splitUnescaped(text: string): string[] {
  return [...text.matchAll(/(?:\\.|[^,\\])+/gs)].map(([part]) => part);
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.?)/gs, (sequence, character: string) => {
    if (character === "," || character === "=" || character === "\\") return character;
    throw new RangeError(`invalid field selector: invalid escape sequence: ${sequence}`);
  });
}
