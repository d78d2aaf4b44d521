import type { Schema } from "../resource_type.ts";

const ESCAPES: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

/** A rule's `fieldPath`, such as `.a['b']`, as `a[b]`; undefined if it leads to no field of the schema. */
export function rulePath(path: string, schema: Schema): string | undefined {
  const tokens = path.match(/\.[^.[\]]*|\[(?:'(?:\\.|[^'\\])*')\]/g) ?? [];
  if (tokens.join("") !== path || path === "") return undefined;
  let at: Schema | undefined = schema, result = "";
  for (const token of tokens) {
    const name = token.startsWith(".") ? token.slice(1) : unescaped(token.slice(2, -2));
    if (name === undefined || !at) return undefined;
    if (at.properties) {
      at = Object.hasOwn(at.properties, name) ? at.properties[name] : undefined;
      if (!at) return undefined;
      result += result === "" ? name : `.${name}`;
    } else if (typeof at.additionalProperties === "object") {
      at = at.additionalProperties;
      result += `[${name}]`;
    } else return undefined;
  }
  return result;
}

function unescaped(text: string): string | undefined {
  let valid = true;
  const result = text.replaceAll(/\\(.)/g, (_all, letter: string) => {
    if (!Object.hasOwn(ESCAPES, letter)) valid = false;
    return ESCAPES[letter] ?? "";
  });
  return valid ? result : undefined;
}
