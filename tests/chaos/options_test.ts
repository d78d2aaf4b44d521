import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { FAULTS } from "./faults.ts";
import { parseOptions, scaled, usage } from "./options.ts";

const NAMES = ["kills", "network"];

Deno.test("without arguments a fault run takes twenty minutes, all faults and a seed of its own", () => {
  assert.deepEqual(parseOptions([], NAMES, 7), { seed: 7, minutes: 20 });
});

// FR-372
Deno.test("a seed, a length and faults can be named, in both forms of a flag", () => {
  const options = { seed: 42, minutes: 0.5, only: ["network", "kills"] };
  assert.deepEqual(parseOptions(["--seed", "42", "--minutes", "0.5", "--only", "network,kills"], NAMES, 7), options);
  assert.deepEqual(parseOptions(["--seed=42", "--minutes=0.5", "--only=network", "--only=kills"], NAMES, 7), options);
  assert.equal(parseOptions(["--seed", "1", "--help"], NAMES, 7), undefined);
});

for (
  const [args, message] of [
    [["--seed"], /--seed cannot be ""/],
    [["--seed", "-1"], /--seed cannot be "-1"/],
    [["--seed", "1.5"], /--seed cannot be "1.5"/],
    [["--minutes", "0"], /--minutes cannot be "0"/],
    [["--minutes", "long"], /--minutes cannot be "long"/],
    [["--only", "storms"], /there is no fault "storms"/],
    [["--only"], /there is no fault ""/],
    [["--fast"], /there is no option --fast/],
  ] as const
) {
  Deno.test(`wrong arguments are named: ${args.join(" ")}`, () => {
    assert.throws(
      () => parseOptions(args, NAMES, 7),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}

// FR-372
Deno.test("counts scale with the minutes, and nothing is left out", () => {
  assert.deepEqual([scaled(100, 20), scaled(100, 40), scaled(50, 5), scaled(2, 1)], [100, 200, 13, 1]);
});

Deno.test("the usage names every fault, and no two faults share a name", () => {
  const text = usage(FAULTS);
  for (const { name, what } of FAULTS) assert.ok(text.includes(name) && text.includes(what), name);
  assert.equal(new Set(FAULTS.map(({ name }) => name)).size, FAULTS.length);
});
