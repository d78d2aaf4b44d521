/** Why RE2, which API servers use, misreads or refuses a pattern. */
interface PatternProblem {
  readonly what: string;
  readonly instead: string;
}

/** RE2's limit of repetitions. */
const REPEATS_MAX = 1_000;

/** Parts that RE2 (github.com/google/re2, wiki/Syntax) lacks or reads otherwise. */
const LACKING: readonly (readonly [part: RegExp, what: string, instead: string])[] = [
  [/\(\?<?[=!]/, "RE2 has no look-around", "use withRules() for a CEL rule"],
  [/\\(?:[1-9]|k<)/, "RE2 has no back-references", "use withRules() for a CEL rule"],
  [/\\u/, "RE2 does not read \\u", "write the character itself"],
  [/\\c[A-Za-z]/, "RE2 does not read \\c", "write \\x and two digits"],
  [/\\p\{[^}]*=/, "RE2 does not read properties with a value", "write the name alone, as \\p{Greek}"],
  [/\[\^?\]/, "RE2 has no empty classes", "name the characters"],
];

/** Undefined if API servers take the pattern. */
export function re2Problem({ source, flags }: Pick<RegExp, "source" | "flags">): PatternProblem | undefined {
  const flag = [...flags].find((each) => !"gu".includes(each)); // g and u change nothing here
  if (flag === "i") return { what: "a CRD's patterns have no flags", instead: "write both cases, as [Aa]" };
  if (flag) return { what: `a CRD's patterns have no flags, and no "${flag}"`, instead: "write it without" };
  const plain = source.replaceAll(/\\\\/g, ""); // an escaped backslash escapes nothing after it
  const lacking = LACKING.find(([part]) => part.test(plain));
  if (lacking) return { what: lacking[1], instead: lacking[2] };
  const repeats = [...plain.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].flatMap((
    [, least, most],
  ) => [Number(least), Number(most ?? 0)]);
  if (repeats.some((times) => times > REPEATS_MAX)) {
    return { what: `RE2 repeats at most ${REPEATS_MAX} times`, instead: "bound the length with min() and max()" };
  }
  return undefined;
}
