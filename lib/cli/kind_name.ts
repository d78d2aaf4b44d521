import * as builtinKinds from "../operator/builtin_kinds.ts";

/** The kind of an operator whose name contains no other word. */
const DEFAULT_KIND = "Widget";
/** Last words of a name that name the program rather than its purpose. */
const ROLES = new Set(["operator", "controller", "manager"]);

/**
 * The kind that a new operator of this name begins with: `shop-operator` makes a `Shop`, `dns-records` a `DnsRecords`.
 *
 * Last words that name a program (`operator`, `controller`, `manager`) are left out, as are digits before the first
 * letter. Where nothing is left the kind is `Widget`. One of more than 16 letters is cut after a word, if there is one.
 * A kind that Kubernetes has already, or that a program cannot define, ends in `Resource`.
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

/** With longer kinds the lines of the template would be longer than `deno fmt` leaves them. */
const KIND_LENGTH_MAX = 16;

/** The first words of a kind that are not too long together; the beginning of its first word where that one is. */
function shortened(kind: string): string {
  if (kind.length <= KIND_LENGTH_MAX) return kind;
  const cut = kind.slice(0, KIND_LENGTH_MAX + 1), end = cut.search(/[A-Z][^A-Z]*$/);
  return kind.slice(0, end > 0 ? end : KIND_LENGTH_MAX);
}

/** Whether Pintle or JavaScript has the name already. */
function isTaken(kind: string): boolean {
  return Object.hasOwn(builtinKinds, kind) || Object.hasOwn(globalThis, kind) ||
    ["Operator", "Suite", "Event", "Client"].includes(kind);
}
