import assert from "node:assert/strict";
import fc from "fast-check";
import { globProblem, matchesGlob, matchesGlobs } from "../../lib/apimachinery/namespace_globs.ts";

Deno.test("a glob matches as its regular expression would, in linear time whatever the pattern", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "-", "*"), { maxLength: 12 }).map((list) => list.join(""));
  const names = fc.array(fc.constantFrom("a", "b", "-"), { maxLength: 16 }).map((list) => list.join(""));
  fc.assert(fc.property(letters, names, (glob, name) => {
    const pattern = new RegExp(`^${glob.replaceAll(/\*+/g, ".*")}$`);
    assert.equal(matchesGlob(glob, name), pattern.test(name));
  }));
  assert.equal(
    matchesGlob("*a".repeat(30), "a".repeat(60) + "b"),
    false,
    "a pattern that makes a backtracking matcher explode",
  );
});

Deno.test("a list of globs includes by any and excludes by any; nothing but exclusions includes the rest", () => {
  assert.ok(matchesGlobs(["team-*", "!team-legacy"], "team-a"));
  assert.ok(!matchesGlobs(["team-*", "!team-legacy"], "team-legacy"));
  assert.ok(!matchesGlobs(["!team-legacy", "team-*"], "team-legacy"), "order does not matter");
  assert.ok(matchesGlobs(["!team-legacy"], "other"));
  assert.ok(!matchesGlobs([], "other"), "an empty list names nothing");
});

Deno.test("a glob that no namespace can match is detected", () => {
  for (const glob of ["", "!", "Team", "a_b", "a.b", "a b", "x".repeat(64)]) assert.ok(globProblem(glob), `"${glob}"`);
  for (const glob of ["*", "!a-*", "a", "team-*-x"]) assert.equal(globProblem(glob), undefined, glob);
});
