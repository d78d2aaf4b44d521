import assert from "node:assert/strict";
import { declaring, methodsDeclare, UsageError } from "../../lib/base/mod.ts";

function declare(act: () => unknown): unknown {
  return declaring(declare, act);
}

function refuse(): never {
  throw new UsageError("it is taken");
}

class Registry {
  #names: string[] = [];

  add(name: string): this {
    if (this.#names.includes(name)) refuse();
    this.#names.push(name);
    return this;
  }

  addAll(add: (registry: Registry) => void): void {
    add(this);
  }

  get names(): readonly string[] {
    return this.#names;
  }

  static {
    methodsDeclare(this);
  }
}

/** The function in which the stack of what `act` throws begins. */
function beginOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return /\n {4}at (\S+)/.exec((error as Error).stack!)![1]!;
  }
  return "nothing is thrown";
}

// FR-574
Deno.test("the stack of a refused declaration begins where it was declared, of every other error where it was thrown", () => {
  assert.equal(
    beginOf(function user() {
      declare(refuse);
    }),
    "user",
  );
  const bug = () => {
    throw new TypeError("a bug");
  };
  assert.equal(beginOf(() => declare(bug)), "bug");
});

// FR-574
Deno.test("methods of a class that declares are the same, and their mistakes begin at their caller", () => {
  const registry = new Registry();
  assert.deepEqual(registry.add("a").add("b").names, ["a", "b"]);
  assert.equal(
    beginOf(function user() {
      registry.add("a");
    }),
    "user",
  );
});

// FR-574
Deno.test("a mistake in a function that a declaration calls begins in that function", () => {
  const registry = new Registry().add("a");
  assert.equal(
    beginOf(() =>
      registry.addAll(function inner() {
        registry.add("a");
      })
    ),
    "inner",
  );
});
