const RESERVED = new Set(
  ("as break const continue else false for function if import in let loop null package namespace return true var " +
    "void while").split(" "),
);

const PARTS: Record<string, string> = { "__": "underscores", ".": "dot", "-": "dash", "/": "slash" };

const escapes = new Map<string, string | undefined>();
const ESCAPES_MAX = 5_000;

/** A field's name in CEL: `a-b` is `a__dash__b`. Undefined for a name that expressions cannot write. */
export function escapeField(name: string): string | undefined {
  if (/^[a-z][A-Za-z0-9]*$/.test(name) && !RESERVED.has(name)) return name;
  if (escapes.has(name)) return escapes.get(name);
  if (escapes.size >= ESCAPES_MAX) escapes.clear();
  const escaped = computeEscape(name);
  escapes.set(name, escaped);
  return escaped;
}

function computeEscape(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name.replaceAll(/__|[-./]/g, (part) => `__${PARTS[part]}__`);
}

/** The field that an expression names; undefined if none can have that name. */
export function unescapeField(name: string): string | undefined {
  if (!name.includes("__")) return name;
  let valid = true;
  const field = name.replaceAll(/__([^_]+)__/g, (all, word: string) => {
    const part = Object.keys(PARTS).find((each) => PARTS[each] === word);
    if (part !== undefined) return part;
    if (!RESERVED.has(word) || all.length !== name.length) valid = false;
    return word;
  });
  return valid ? field : undefined;
}
