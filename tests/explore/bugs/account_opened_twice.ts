// An account is opened without a key of its own: repeated after a crash, a second one is opened, and one leaks.
import { defineResource, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Account = defineResource({
  group: "accounts.example.com",
  version: "v1",
  kind: "Account",
  spec: z.object({ owner: z.string().min(1) }),
  status: z.object({ number: z.string().optional() }),
});

/** A bank; calls with a key that it knows open nothing. */
class Bank {
  readonly accounts = new Map<string, string>();

  open(owner: string, key = `${this.accounts.size}`): string {
    const number = this.accounts.get(key) ?? `${owner}-${this.accounts.size + 1}`;
    this.accounts.set(key, number);
    return number;
  }

  close(number: string): void {
    for (const [key, known] of this.accounts) if (known === number) this.accounts.delete(key);
  }
}

function operator(bank: Bank, isFixed: boolean): Operator {
  const made = new Operator("accounts");
  made.on(Account)
    .create(({ uid, spec, status }) => {
      status.set({ number: isFixed ? bank.open(spec.owner, uid) : bank.open(spec.owner) });
    }, { id: "open" })
    .delete(({ object }) => {
      if (object.status?.number) bank.close(object.status.number);
    }, { id: "close" });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("account_opened_twice", {
    world: () => new Bank(),
    operator: (bank) => operator(bank, isFixed),
  });
  suite.scenario("an account is opened and closed", async ({ given, when, then, cluster, expect, ref, world }) => {
    const account = ref(Account, "ann");
    await given("an account", () => cluster.create(Account, { metadata: { name: "ann" }, spec: { owner: "ann" } }));
    await then("it has a number", () => expect(account).toHaveCondition("Ready"));
    await when("it is deleted", () => cluster.delete(account));
    await then("it is gone", () => expect(account).toBeGone());
    await then("the bank has no account", () => {
      if (world.accounts.size > 0) throw new Error(`the bank still has ${[...world.accounts.values()].join(", ")}`);
    });
  });
  return suite as Suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
