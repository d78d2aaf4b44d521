import assert from "node:assert/strict";
import { Binary, DEMO_PERMISSIONS } from "./binary.ts";

// FR-334
Deno.test("queue gauges include selected kinds, and each kind's own number of workers", async () => {
  const args = ["run", "--cluster", "embedded", "--http-port", "0", "--workers-max", "5"];
  await using binary = await Binary.start(args, {
    main: "tests/cli/queues_operator.ts",
    permissions: DEMO_PERMISSIONS,
  });
  const [, port] = await binary.until(/health and metrics are served.* port=(\d+)/);
  for (const kind of ["configmaps", "serviceaccounts"]) {
    await binary.until(new RegExp(`handles a kind that is selected .*kind=${kind}\\b`));
  }
  const body = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const [name, workersMax] of [["widgets.queues.test.pintle.dev", 3], ["configmaps", 2], ["serviceaccounts", 5]]) {
    assert.match(body, new RegExp(`^workqueue_depth\\{name="${name}"\\} \\d+$`, "m"));
    assert.match(body, new RegExp(`^workqueue_longest_running_processor_seconds\\{name="${name}"\\} `, "m"));
    const workers = new RegExp(
      `^controller_runtime_max_concurrent_reconciles\\{controller="${name}"\\} ${workersMax}$`,
      "m",
    );
    assert.match(body, workers);
  }
});
