import * as builtinKinds from "../operator/builtin_kinds.ts";

/** The kind of an operator whose name says nothing else. */
const DEFAULT_KIND = "Widget";
/** Last words of a name that say what the program is, not what it is for. */
const ROLES = new Set(["operator", "controller", "manager"]);

/**
 * The kind that a new operator of this name begins with: `shop-operator` makes a `Shop`, `dns-records` a `DnsRecords`.
 *
 * Last words that name a program (`operator`, `controller`, `manager`) are left out, as are digits before the first letter. Where nothing is
 * left the kind is `Widget`. A kind that Kubernetes has already, or that a program cannot define, ends in `Resource`.
 */
export function kindOf(name: string): string {
  const words = name.split("-").filter(Boolean);
  while (words.length > 0 && ROLES.has(words.at(-1)!)) words.pop();
  const kind = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("").replace(/^\d+/, "");
  const capital = kind.slice(0, 1).toUpperCase() + kind.slice(1);
  if (capital === "") return DEFAULT_KIND;
  return isTaken(capital) ? `${capital}Resource` : capital;
}

/** Whether the name means something else already in a file that imports Pintle, or in every file. */
function isTaken(kind: string): boolean {
  return Object.hasOwn(builtinKinds, kind) || Object.hasOwn(globalThis, kind) ||
    ["Operator", "Suite", "Event", "Client"].includes(kind);
}
