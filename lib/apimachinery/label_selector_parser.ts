import { isLabelValue, isQualifiedName } from "./name.ts";
import type { LabelRequirement } from "./selector.ts";

/** What is wrong with a key or a value: no texts where nothing is. */
export interface SelectorFaults {
  key(text: string): readonly string[];
  value(text: string): readonly string[];
}

const PLAIN: SelectorFaults = {
  key: (text) => (isQualifiedName(text) ? [] : ["not a label key"]),
  value: (text) => (isLabelValue(text) ? [] : ["not a label value"]),
};

const TOKEN = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y;
const SPECIAL = /^(?:==|!=|[=!(),<>])$/;
const OPERATORS = ["in", "notin", "=", "==", "!=", ">", "<"];
const REQUIREMENT = "unable to parse requirement: ";

/**
 * Parses a `labelSelector` query parameter, such as `app=demo,tier in (a,b),!old`.
 *
 * @throws {RangeError} in kube-apiserver's words; `faults` may say more of a key or value.
 */
export function parseLabelSelector(text: string, faults: SelectorFaults = PLAIN): LabelRequirement[] {
  return new SelectorParser(tokensOf(text), faults).parse();
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) tokens.push(match[1]!);
  return tokens;
}

/** Reads tokens from left to right; `""` stands for the end. */
class SelectorParser {
  readonly #tokens: readonly string[];
  readonly #faults: SelectorFaults;
  #position = 0;

  constructor(tokens: readonly string[], faults: SelectorFaults) {
    this.#tokens = tokens;
    this.#faults = faults;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    while (this.#next !== "") {
      if (!isWord(this.#next) && this.#next !== "!") {
        throw new RangeError(`found '${this.#next}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after === "") break;
      if (after !== ",") throw new RangeError(`found '${after}', expected: ',' or 'end of string'`);
      if (!isWord(this.#next) && this.#next !== "!") {
        throw new RangeError(`found '${this.#next}', expected: identifier after ','`);
      }
    }
    return requirements;
  }

  get #next(): string {
    return this.#tokens[this.#position] ?? "";
  }

  #take(): string {
    const token = this.#next;
    this.#position++;
    return token;
  }

  #requirement(): LabelRequirement {
    const isNegated = this.#next === "!";
    if (isNegated) this.#position++;
    const key = this.#take();
    if (!isWord(key)) throw this.#unexpected(key, "identifier");
    for (const fault of this.#faults.key(key)) throw invalid("<nil>", key, fault);
    if (isNegated) return { key, operator: "DoesNotExist" };
    if (this.#next === "" || this.#next === ",") return { key, operator: "Exists" };
    const operator = this.#take();
    if (!OPERATORS.includes(operator)) throw this.#unexpected(operator, "in, notin, =, ==, !=, gt, lt");
    const isSet = operator === "in" || operator === "notin";
    const values = isSet ? this.#values() : [this.#value()];
    if (operator === ">" || operator === "<") return compared(key, operator, values[0]!);
    for (const [index, value] of values.entries()) {
      for (const fault of this.#faults.value(value)) throw invalid(`values[${index}][${key}]`, value, fault);
    }
    return { key, operator: operator === "notin" || operator === "!=" ? "NotIn" : "In", values };
  }

  #value(): string {
    if (this.#next === "" || this.#next === ",") return "";
    const value = this.#take();
    if (!isWord(value)) throw this.#unexpected(value, "identifier");
    return value;
  }

  /** `(a, b)`: an empty place is an empty value. */
  #values(): string[] {
    const open = this.#take();
    if (open !== "(") throw new RangeError(`${REQUIREMENT}found '${open}' expected: '('`);
    if (this.#next === ")") {
      this.#position++;
      return [];
    }
    if (!isWord(this.#next) && this.#next !== ",") throw this.#unexpected(this.#next, "',', ')' or identifier");
    const values = new Set<string>();
    for (;;) {
      values.add(isWord(this.#next) ? this.#take() : "");
      const after = this.#take();
      if (after === ")") return [...values].sort();
      if (after !== ",") throw this.#unexpected(after, "',' or ')'");
    }
  }

  #unexpected(found: string, expected: string): RangeError {
    return new RangeError(`${REQUIREMENT}found '${found}', expected: ${expected}`);
  }
}

function isWord(token: string): boolean {
  return token !== "" && !SPECIAL.test(token);
}

function invalid(path: string, value: string, fault: string): RangeError {
  return new RangeError(`${REQUIREMENT}${path}: Invalid value: ${JSON.stringify(value)}: ${fault}`);
}

function compared(key: string, operator: ">" | "<", value: string): LabelRequirement {
  if (!/^[-+]?\d+$/.test(value)) {
    throw invalid("values[0]", value, "for 'Gt', 'Lt' operators, the value must be an integer");
  }
  return { key, operator: operator === ">" ? "GreaterThan" : "LessThan", value };
}
