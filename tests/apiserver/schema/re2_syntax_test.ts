import assert from "node:assert/strict";
import { re2Fault } from "../../../lib/apiserver/schema/re2_syntax.ts";

// FR-632
Deno.test("a pattern that RE2 cannot read is refused in the words of Go", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["(a", "missing closing ): `(a`"],
    ["a)", "unexpected ): `a)`"],
    ["(?!a)b", "invalid or unsupported Perl syntax: `(?!`"],
    ["(?<=a)b", "invalid named capture: `(?<=a)b`"],
    ["(a)\\1", "invalid escape sequence: `\\1`"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["*a", "missing argument to repetition operator: `*`"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["[z-a]", "invalid character class range: `z-a`"],
    ["[a", "missing closing ]: `[a`"],
  ];
  for (const [pattern, why] of cases) assert.equal(re2Fault(pattern), `error parsing regexp: ${why}`);
});

Deno.test("a pattern of RE2 is accepted", () => {
  const patterns = [
    "^[a-z]([-a-z0-9]*[a-z0-9])?$",
    "a{2,}?b{,3}",
    "[[:alpha:]\\d\\]-]",
    "\\Qa*(\\E",
    "(?i)x(?s:.)",
    "\\pL\\p{Greek}",
  ];
  for (const pattern of patterns) assert.equal(re2Fault(pattern), undefined, pattern);
});
