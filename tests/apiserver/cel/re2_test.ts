import assert from "node:assert/strict";
import { compilePattern, findAll } from "../../../lib/apiserver/cel/re2.ts";

// FR-610
Deno.test("RE2's syntax matches what Go matches", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["^.$", ["a", "\r", "\u2028"], ["\n", ""]],
    ["(?s)^.$", ["\n"], [""]],
    ["a$", ["a"], ["a\n"]],
    ["(?m)^b$", ["a\nb\nc"], ["ab"]],
    ["\\Aab\\z", ["ab"], ["ab\n"]],
    ["(?i)straße", ["STRAßE"], ["strasse"]],
    ["a(?i:b)c", ["aBc"], ["aBC"]],
    ["^\\w\\s\\d$", ["a 1", "_\t0"], ["ä 1", "a\u00a01", "a ١"]],
    ["^[[:upper:][:digit:]_]+$", ["A1_"], ["a"]],
    ["^[^\\d\\s]$", ["a"], ["1", " "]],
    ["^[\\W]$", ["-"], ["a"]],
    ["^\\p{Greek}\\pL$", ["αb"], ["ab"]],
    ["\\Qa.b\\E+", ["a.bb"], ["axb"]],
    ["^a{2}$", ["aa"], ["a"]],
    ["^a{,2}$", ["a{,2}"], ["aa"]],
    ["^(?P<name>a)(?<other>b)$", ["ab"], ["ba"]],
    ["^\\x41\\x{1F600}\\101$", ["A😀A"], ["AA"]],
    ["^[]a]$", ["]", "a"], ["b"]],
    ["^[a-]$", ["-"], ["b"]],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const text of yes) assert.ok(compilePattern(pattern).test(text), `${pattern} on ${JSON.stringify(text)}`);
    for (const text of no) assert.ok(!compilePattern(pattern).test(text), `${pattern} on ${JSON.stringify(text)}`);
  }
});

// FR-610
Deno.test("what RE2 lacks or cannot read is refused with Go's words", () => {
  const cases: Record<string, string> = {
    "(?=a)": "invalid or unsupported Perl syntax: `(?=`",
    "(?<!a)b": "invalid named capture: `(?<!a)b`",
    "(a)\\1": "invalid escape sequence: `\\1`",
    "a**": "invalid nested repetition operator: `**`",
    "*a": "missing argument to repetition operator: `*`",
    "a{1001}": "invalid repeat count: `{1001}`",
    "[z-a]": "invalid character class range: `z-a`",
    "[a": "missing closing ]: `[a`",
    "(a": "missing closing ): `(a`",
    "a)": "unexpected ): `a)`",
    "a\\": "trailing backslash at end of expression: ``",
    "\\p{Nothing}": "invalid character class range: `\\p{Nothing}`",
  };
  for (const [pattern, why] of Object.entries(cases)) {
    assert.throws(() => compilePattern(pattern), { message: `error parsing regexp: ${why}` }, pattern);
  }
});

// FR-610
Deno.test("an empty match next to a match is not found", () => {
  assert.deepEqual(findAll("baac", "a*", -1), ["", "aa", ""]);
  assert.deepEqual(findAll("abc", "", 2), ["", ""]);
});
