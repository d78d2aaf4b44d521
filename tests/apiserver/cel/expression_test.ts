import assert from "node:assert/strict";
import {
  CompileError,
  compileExpression,
  CostLimitError,
  DYN,
  Environment,
  INT,
  jsonValue,
  listOf,
  STRING,
  structType,
} from "../../../lib/apiserver/cel/mod.ts";

const SELF = structType("Self", new Map([["n", INT], ["text", STRING], ["list", listOf(INT)], ["any", DYN]]));
const environment = new Environment([["self", SELF]]);
const self = jsonValue({ n: 5, text: "hello", list: [1, 2, 3], any: "a" });

function run(source: string, costMax = 1_000_000) {
  return compileExpression(source, environment).run({ self }, costMax);
}

// FR-610
Deno.test("a macro absorbs the errors of items that do not decide", () => {
  assert.equal(run("self.list.exists(x, 1 / (x - 1) == 1 && x == 2)").value, true);
  assert.equal(run("self.list.all(x, 1 / (x - 1) > 9 && x > 9)").value, false);
  assert.match(run("self.list.exists(x, 1 / (x - 1) == 9)").error!.message, /division by zero/);
});

// FR-610
Deno.test("a variable of a macro hides one of the same name around it", () => {
  assert.equal(run("self.list.all(x, ['a'].all(x, x == 'a') && x > 0)").value, true);
  assert.equal(run("[1].map(self, self + 1) == [2] && self.n == 5").value, true);
});

// FR-610
Deno.test("optMap evaluates its value once, and only where it is there", () => {
  assert.equal(run("self.?n.optMap(x, x + x).orValue(0) == 10").value, true);
  assert.equal(run("optional.none().optMap(x, 1 / 0).orValue(7) == 7").value, true);
});

// FR-610
Deno.test("what does not compile is reported with each position in the source", () => {
  assert.throws(() => compileExpression("self.no == 1 &&\n  self.text == 2", environment), (error: unknown) => {
    assert.ok(error instanceof CompileError);
    assert.deepEqual(error.message.split("\n").filter((line) => line.startsWith("ERROR")), [
      "ERROR: <input>:1:5: undefined field 'no'",
      "ERROR: <input>:2:13: found no matching overload for '_==_' applied to '(string, int)'",
    ]);
    return true;
  });
});

// FR-610
Deno.test("an expression that nests too deep is refused, whatever it nests", () => {
  const deep = [`${"(".repeat(2_000)}1${")".repeat(2_000)}`, `${"[".repeat(2_000)}${"]".repeat(2_000)}`];
  for (const source of deep) assert.throws(() => compileExpression(source, environment), /recursion limit exceeded/);
});

// FR-611
Deno.test("a run stops at its cost, and nothing in the expression absorbs that", () => {
  const source = "true || lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))";
  assert.equal(run(source).value, true, "the second operand is not evaluated");
  const { error, cost } = run("lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0)) || true", 10_000);
  assert.ok(error instanceof CostLimitError);
  assert.ok(cost > 10_000 && cost < 13_000, `${cost}`);
});

// FR-611
Deno.test("the estimated cost is never below that of a run", () => {
  const sizes = (path: readonly string[]) => ({ min: 0, max: path.at(-1) === "list" ? 3 : 5 });
  const sources = [
    "self.list.all(x, x > 0)",
    "self.text.startsWith('he') && self.text.matches('^h.*$')",
    "self.list.map(x, x * 2).exists(y, y == 4)",
    "self.list.sort() == [1, 2, 3] || self.text.split('l').join('-') == ''",
    "self.list.filter(x, x > 1).size() == 2 ? self.text.upperAscii() == 'HELLO' : self.any == 1",
  ];
  for (const source of sources) {
    const expression = compileExpression(source, environment), { cost } = expression.run({ self }, 1_000_000);
    assert.ok(cost <= expression.costMax(sizes), `${source}: ${cost} of ${expression.costMax(sizes)}`);
  }
});
