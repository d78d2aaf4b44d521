import assert from "node:assert/strict";
import { rolloutOf } from "../rollout.ts";

Deno.test("a rollout is over when the present generation is available", () => {
  const spec = { replicas: 2, selector: {}, template: {} }, metadata = { generation: 2 };
  const at = (status: object) =>
    rolloutOf({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec, status }).reason;
  const ready = { observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2 };
  assert.equal(at({}), "RollingOut");
  assert.equal(at({ ...ready, observedGeneration: 1 }), "RollingOut");
  assert.equal(at({ ...ready, updatedReplicas: 1 }), "RollingOut");
  assert.equal(at(ready), "Available");
  assert.equal(at({ ...ready, conditions: [{ type: "Progressing", status: "False" }] }), "RolloutFailed");
});
