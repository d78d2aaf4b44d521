import * as builtinKinds from "../operator/builtin_kinds.ts";

const DEFAULT_KIND = "Widget";
/** These words name the program, not its purpose. */
const ROLES = new Set(["operator", "controller", "manager"]);

/**
 * A new operator's first kind: `shop-operator` makes a `Shop`, `dns-records` a `DnsRecords`.
 *
 * It drops last words that name a program (`operator`, `controller`, `manager`), and digits before the first letter. An
 * empty rest becomes `Widget`; more than 16 letters are cut after a word, if possible. A kind that Kubernetes has, or
 * that a program cannot define, gets the suffix `Resource`.
 */
export function kindOf(name: string): string {
  const words = name.split("-").filter(Boolean);
  while (words.length > 0 && ROLES.has(words.at(-1)!)) words.pop();
  const capitals = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("").replace(/^\d+/, "");
  const kind = shortened(capitals);
  const capital = kind.slice(0, 1).toUpperCase() + kind.slice(1);
  if (capital === "") return DEFAULT_KIND;
  return isTaken(capital) ? `${capital}Resource` : capital;
}

/** Longer kinds make the template's lines longer than `deno fmt` leaves them. */
const KIND_LENGTH_MAX = 16;

function shortened(kind: string): string {
  if (kind.length <= KIND_LENGTH_MAX) return kind;
  const cut = kind.slice(0, KIND_LENGTH_MAX + 1), end = cut.search(/[A-Z][^A-Z]*$/);
  return kind.slice(0, end > 0 ? end : KIND_LENGTH_MAX);
}

function isTaken(kind: string): boolean {
  return Object.hasOwn(builtinKinds, kind) || Object.hasOwn(globalThis, kind) ||
    ["Operator", "Suite", "Event", "Client"].includes(kind);
}
