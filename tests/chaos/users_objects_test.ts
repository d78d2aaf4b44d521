import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { placeOf, UsersObjects } from "./users_objects.ts";

const PLACE = placeOf("ConfigMap", { namespace: "home", name: "own" });
const object = (metadata: object) =>
  ({ metadata: { uid: "1", ...metadata }, value: "v" }) as KubeObject & { value: string };
const problems = (users: UsersObjects, found: (KubeObject & { value: string }) | undefined) =>
  users.problems(() => found, ({ value }) => value);

Deno.test("a user's object that is as it was made is no problem", () => {
  const users = new UsersObjects();
  users.created(PLACE, "1", "v");
  assert.deepEqual(problems(users, object({})), []);
});

// FR-371
Deno.test("a user's object that is gone, another one, changed or taken is a problem", () => {
  const users = new UsersObjects();
  users.created(PLACE, "1", "v");
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "boss", uid: "9" };
  assert.deepEqual(
    [
      problems(users, undefined),
      problems(users, object({ uid: "2" })),
      problems(users, { ...object({}), value: "other" }),
      problems(users, object({ ownerReferences: [owner] })),
    ].map(([problem]) => problem),
    [
      `${PLACE}: a user's object is gone`,
      `${PLACE}: a user's object was replaced`,
      `${PLACE}: a user's object was changed`,
      `${PLACE}: a user's object was taken`,
    ],
  );
});

Deno.test("after a write without an answer a place may hold a user's object, or none", () => {
  const users = new UsersObjects();
  users.begin(PLACE);
  assert.equal(users.mayHave(PLACE), true);
  assert.deepEqual(problems(users, undefined), []);
  users.gone(PLACE);
  assert.equal(users.mayHave(PLACE), false);
});

Deno.test("a namespace that goes takes its users' objects along; one that may go leaves them in doubt", () => {
  const users = new UsersObjects();
  users.created(PLACE, "1", "v");
  users.namespaceMayGo("home");
  assert.deepEqual([users.mayHave(PLACE), problems(users, undefined)], [true, []]);
  users.namespaceGoes("home");
  assert.equal(users.mayHave(PLACE), false);
});
