import assert from "node:assert/strict";
import { runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

// FR-335
Deno.test("a kind of another owner that is not served is named with its owner: doctor, run and plan do not offer install", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const options = { main: "tests/cli/borrowing_operator.ts", env: { KUBECONFIG: await cluster.kubeconfig() } };
  const fix = "it belongs to the owner of borrowed\\.test\\.pintle\\.dev: install that CRD or API server; " +
    "`deno run -A \\S+ install` does not bring it";
  const before = await runBinary(["doctor"], options);
  assert.match(
    before.out,
    /^warning: you: `deno run -A \S+ run` does not work here: .* widgets\.own\.test\.pintle\.dev in /m,
  );
  assert.match(before.out, /^ {2}fix: run `deno run -A \S+ install` as an admin: it applies the operator's CRDs$/m);
  assert.equal((await runBinary(["install"], options)).code, 0);
  const doctor = await runBinary(["doctor"], options);
  assert.equal(doctor.code, 1);
  const run = await runBinary(["run", "--http-port", "0"], options), plan = await runBinary(["plan"], options);
  assert.deepEqual([run.code, plan.code], [1, 1]);
  for (const plural of ["childs", "sources", "handleds"]) {
    const says =
      `the cluster does not serve ${plural}\\.borrowed\\.test\\.pintle\\.dev in borrowed\\.test\\.pintle\\.dev/v1`;
    assert.match(doctor.out, new RegExp(`^problem: kinds: ${says}\n  fix: ${fix}$`, "m"));
    for (const { err } of [run, plan]) assert.match(err, new RegExp(`${says}\n  fix: ${fix}$`, "m"));
  }
  assert.doesNotMatch(doctor.out, /problem: installation/);
  assert.match(doctor.out, /^warning: you: `deno run -A \S+ run` does not work here: the cluster does not serve /m);
  for (const text of [doctor.out, run.err, plan.err]) assert.doesNotMatch(text, /run `[^`]+ install` as/);
});
