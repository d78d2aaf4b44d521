import { formatJson, isObject, parseJson } from "../../base/mod.ts";

type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" }
  | {
    readonly kind: "where";
    readonly path: readonly string[];
    readonly operator: "==" | "!=";
    readonly value: unknown;
  };

type JsonPath = readonly Step[];

const FIELD = /^\.((?:\\.|[^.[\]\\])+)/;
const BRACKET = /^\.?\[(?:'([^']*)'|"([^"]*)"|(-?\d+)|(\*))\]/;
const FILTER = /^\[\?\(\s*@((?:\.[\w-]+)+)\s*(==|!=)\s*("[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)\s*\)\]/;

/**
 * kubectl's JSONPath for printer columns, scale and selectable fields: `.a.b`, `['x']`, `[0]`, `[*]`,
 * `[?(@.type=="Ready")]`, `.labels.a\.b`.
 *
 * @throws {RangeError} for any other path.
 */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text.replace(/^\{(.*)\}$/, "$1").replace(/^\$/, "");
  if (rest !== "" && !/^[.[]/.test(rest)) throw new RangeError(`a path starts with a dot: ${text}`);
  while (rest !== "" && rest !== ".") {
    const bracket = BRACKET.exec(rest), filter = bracket ? null : FILTER.exec(rest);
    const field = bracket || filter ? null : FIELD.exec(rest);
    if (bracket) steps.push(bracketStep(bracket));
    else if (filter) {
      const value: unknown = parseJson(
        filter[3]!.startsWith("'") ? formatJson(filter[3]!.slice(1, -1)) : filter[3]!,
      );
      steps.push({ kind: "where", path: filter[1]!.slice(1).split("."), operator: filter[2] as "==" | "!=", value });
    } else if (field) {
      const name = field[1]!.replaceAll(/\\(.)/g, "$1");
      steps.push(name === "*" ? { kind: "all" } : { kind: "field", name });
    } else throw new RangeError(`unrecognized character in path: ${rest}`);
    rest = rest.slice((bracket ?? filter ?? field)![0].length);
  }
  return steps;
}

function bracketStep([, single, double, index, all]: RegExpExecArray): Step {
  if (all) return { kind: "all" };
  if (index !== undefined) return { kind: "index", index: Number(index) };
  return { kind: "field", name: single ?? double ?? "" };
}

export function valuesAt(value: unknown, path: JsonPath): unknown[] {
  let current = [value];
  for (const step of path) current = current.flatMap((item) => follow(item, step));
  return current;
}

function follow(item: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case "field":
      return isObject(item) && Object.hasOwn(item, step.name) ? [item[step.name]] : [];
    case "index": {
      const found = Array.isArray(item) ? item.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case "all":
      return Array.isArray(item) ? item : isObject(item) ? Object.values(item) : [];
    case "where":
      return (Array.isArray(item) ? item : []).filter((one) => {
        let found: unknown = one;
        for (const name of step.path) found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
        return (found === step.value) === (step.operator === "==");
      });
    default:
      return step satisfies never;
  }
}
