import assert from "node:assert/strict";
import { trustCheck } from "../../lib/replicator/trust_check.ts";

// FR-323
Deno.test("doctor warns of consent that is too wide, or none", async () => {
  const looked = async (accept: string) => {
    const items = [{ metadata: { name: "team", annotations: { "pintle.dev/accept-from": accept } } }];
    const client = { list: () => Promise.resolve({ items, metadata: {} }) } as never;
    const { signal } = new AbortController();
    const found = await trustCheck.run({ client, settings: { trustedNamespaces: [] }, signal });
    return found.slice(1).map(({ verdict, message }) => `${verdict}: ${message}`).join("; ");
  };
  assert.match(await looked("platform"), /^ok: namespace team accepts copies from platform$/);
  assert.match(await looked("**, !evil"), /^warning: .* which is every namespace$/);
  assert.match(await looked("!evil"), /^warning: .* has only exclusions: it accepts nothing$/);
  assert.match(await looked("a,".repeat(10_000)), /^warning: .* more than 16384 characters: it accepts nothing$/);
});
