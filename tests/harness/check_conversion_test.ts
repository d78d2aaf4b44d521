import assert from "node:assert/strict";
import fc from "fast-check";
import * as z from "zod";
import { checkConversion } from "../../lib/harness/mod.ts";
import { defineResource } from "../../lib/operator/mod.ts";

const hub = () =>
  defineResource({
    group: "check.example.com",
    version: "v2",
    formerVersions: ["v1beta1"],
    kind: "Disk",
    spec: z.object({ mebibytes: z.int().min(1), mode: z.enum(["slow", "fast"]).default("slow") }),
  });
const v1Spec = z.object({ gibibytes: z.int() });
const Disk = hub().withVersion({
  version: "v1",
  spec: v1Spec,
  toHub: ({ spec }) => ({ spec: { mebibytes: spec.gibibytes * 1024 } }),
  fromHub: ({ spec }) => ({ spec: { gibibytes: Math.round(spec.mebibytes / 1024) } }),
});

// FR-254
Deno.test("a field that survives only because it is preserved is reported field by field", () => {
  assert.deepEqual(checkConversion(Disk, [{ version: "v2", spec: { mebibytes: 1500, mode: "fast" } }]), [
    { from: "v2", through: "v1", field: "spec.mebibytes", sent: 1500, returned: 1024 },
    { from: "v2", through: "v1", field: "spec.mode", sent: "fast", returned: undefined },
  ]);
  assert.deepEqual(checkConversion(Disk, [{ version: "v1", spec: { gibibytes: 3 } }]), []);
});

Deno.test("whatever the sizes are, nothing is lost for good", () => {
  fc.assert(fc.property(fc.integer({ min: 512, max: 1e9 }), fc.constantFrom("slow", "fast"), (mebibytes, mode) => {
    checkConversion(Disk, [{ version: "v2", spec: { mebibytes, mode } }]);
  }));
});

// FR-254
Deno.test("functions that fail, make what a schema refuses, or lose fields are reported with the sample", () => {
  const told = (message: RegExp, kind: Parameters<typeof checkConversion>[0], version: string, spec: object) =>
    assert.throws(() => checkConversion(kind, [{ version, spec }]), message);
  told(/"mebibytes":1.* by way of v1: v2 spec\.mebibytes: /, Disk, "v2", { mebibytes: 1 });
  told(/^Error: \{"version":"v2","spec":\{\}\}: spec\.mebibytes: /, Disk, "v2", {});
  const Lossy = hub().withVersion({
    version: "v1",
    spec: v1Spec,
    toHub: ({ spec }) => ({ spec: { mebibytes: spec.gibibytes } }),
    fromHub: ({ spec }) => ({ spec: { gibibytes: spec.mebibytes } }),
    keep: false,
  });
  told(/by way of v1: spec\.mode does not come back/, Lossy, "v2", { mebibytes: 1, mode: "fast" });
});
