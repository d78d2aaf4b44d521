// FR-392, FR-396
// Mistakes in suites that the compiler finds: `deno task check` fails where one of them compiles.
import { ConfigMap, Operator } from "../../lib/mod.ts";
import { Suite } from "../../lib/harness/mod.ts";

class Fakes {
  readonly calls: string[] = [];
}

const make = (fakes: Fakes) => new Operator(`calls-${fakes.calls.length}`);

const suite = new Suite("worlds", { world: () => new Fakes(), operator: make });
suite.scenario("its world is typed", ({ world }) => {
  const calls: string[] = world.calls;
  // @ts-expect-error: no such field
  void world.answers;
  return Promise.resolve(void calls);
});

new Suite("worlds", {
  world: () => Promise.resolve(new Fakes()),
  operator: (fakes) => {
    const calls: string[] = fakes.calls;
    // @ts-expect-error: no such field
    void fakes.answers;
    return make({ calls });
  },
}).scenario("a world may be made later", ({ world }) => Promise.resolve(void world.calls));

// @ts-expect-error: the operator needs a world, and none is made
new Suite("worlds", { operator: make });

// @ts-expect-error: the operator needs another world
new Suite("worlds", { world: () => "none", operator: make });

// @ts-expect-error: no suite without an operator
new Suite("worlds", { given: [] });

new Suite("worlds", () => new Operator("plain")).scenario("it has no world", ({ world }) => {
  // @ts-expect-error: nothing is known of a world that is not there
  void world.calls;
  return Promise.resolve();
});

new Suite("kinds", () => new Operator("plain")).scenario("a wait names kinds", async ({ eventually }) => {
  await eventually("anything", [ConfigMap], () => Promise.resolve({ holds: false, seen: "nothing" }));
  // @ts-expect-error: without a kind nothing wakes the wait
  await eventually("nothing", [], () => Promise.resolve({ holds: true }));
});

// @ts-expect-error: a file is named by its URL
new Suite("given", { given: ["./crds.yaml"], operator: () => new Operator("plain") });

/** Suites of any world are run together. */
export const suites: readonly Suite[] = [suite, new Suite("plain", () => new Operator("plain"))];
