import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Booking, operator } from "./operator.ts";

export const suite: Suite = new Suite("admission", operator);
const booking = (spec: object, metadata: object = {}) => ({
  metadata: { name: "b", ...metadata },
  spec: { room: "blue", from: "2030-01-01", to: "2030-01-02", ...spec },
});

suite.scenario("who books is written down, unless it is said", async ({ when, cluster }) => {
  const made = await when("a user books", () => cluster.create(Booking, booking({})));
  const { bookedBy } = made.spec;
  assert.ok(bookedBy, "the API server knows who asks");
  const other = await when(
    "another user books for Ann",
    () => cluster.create(Booking, booking({ bookedBy: "ann" }, { name: "c" })),
  );
  assert.equal(other.spec.bookedBy, "ann");
});

suite.scenario("what only the program's schema knows is refused with its field", async ({ then, cluster }) => {
  const backwards = booking({ from: "2030-01-02", to: "2030-01-01" });
  await then(
    "it is refused",
    () => assert.rejects(cluster.create(Booking, backwards), /spec\.to: must not be before spec\.from/),
  );
});

suite.scenario(
  "a booking keeps its room, and the refusal says why",
  async ({ given, when, then, cluster, ref }) => {
    const b = ref(Booking, "b");
    await given("a booking", () => cluster.create(Booking, booking({})));
    await when("it gets more seats", () => cluster.patch(b, { spec: { seats: 120 } }));
    const move = () => cluster.patch(b, { spec: { room: "red" } });
    await then("it cannot move", () => assert.rejects(move(), /rules.*denied the request: spec\.room stays/));
  },
);

suite.scenario("only its keeper cancels a booking", async ({ given, then, cluster, ref }) => {
  const b = ref(Booking, "b"), keeper = "examples.pintle.dev/keeper";
  await given(
    "a booking that a user keeps",
    () => cluster.create(Booking, booking({}, { annotations: { [keeper]: "ann" } })),
  );
  await then("no other user cancels it", () => assert.rejects(cluster.delete(b), /only ann may cancel/));
  await cluster.patch(b, { metadata: { annotations: { [keeper]: null } } });
  await cluster.delete(b);
});

suite.scenario(
  "while the operator is down nothing is booked, and later everything is",
  async ({ given, when, then, cluster, operator }) => {
    await given("no operator", () => operator.crash());
    await then(
      "nothing is booked",
      () => assert.rejects(cluster.create(Booking, booking({})), /failed calling webhook/),
    );
    await when("it is back", () => operator.start());
    await then("it is booked", () => cluster.create(Booking, booking({})));
  },
  { webhooksStay: true },
);

denoTests(Deno.test, suite, { rbac: true, source: testSource });
