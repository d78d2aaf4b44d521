import assert from "node:assert/strict";
import { World } from "../../tests/world.ts";
import { Greeting, operator } from "../minimal/operator.ts";
import { Application } from "./operator.ts";

// FR-266
Deno.test("a program with an operator in it serves, handles objects, and ends both", async () => {
  await using world = await World.open(operator());
  const key = { namespace: await world.namespace("a"), name: "g" };
  {
    await using application = await Application.start(operator(), world.cluster.transport());
    await world.client.create(Greeting, { metadata: key, spec: { to: "world" } } as never);
    await world.untilObject<
      Awaited<ReturnType<typeof world.client.get>> & { status?: { observedGeneration?: number } }
    >(
      Greeting,
      key,
      ({ status }) => status?.observedGeneration === 1,
    );
    const answer = await (await fetch(application.url)).json();
    assert.equal(answer.state, "running");
  }
  // Both have ended: the leak checks of this test would tell of a watch or a socket.
});

// FR-266
Deno.test("where the operator cannot start, the program does not, and nothing is left running", async () => {
  await using world = await World.open(operator());
  const broken = operator().startup(() => {
    throw new Error("not today");
  });
  await assert.rejects(Application.start(broken, world.cluster.transport()), /not today/);
  const calledOff = AbortSignal.abort(new Error("called off"));
  await assert.rejects(Application.start(operator(), world.cluster.transport(), calledOff), /called off/);
});

Deno.test("an operator that was killed is followed by one that begins where it was", async () => {
  await using world = await World.open(operator());
  const key = { namespace: await world.namespace("a"), name: "g" };
  const running = await operator().start({ transport: world.cluster.transport() });
  await running.crash();
  await world.client.create(Greeting, { metadata: key, spec: { to: "world" } } as never);
  await using _application = await Application.start(operator(), world.cluster.transport());
  await world.untilObject<Awaited<ReturnType<typeof world.client.get>> & { status?: { observedGeneration?: number } }>(
    Greeting,
    key,
    ({ status }) => status?.observedGeneration === 1,
  );
});
