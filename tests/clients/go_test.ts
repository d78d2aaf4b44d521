import assert from "node:assert/strict";
import { runProgram, testWith } from "../outside_program.ts";
import { openServedCluster } from "../served_cluster.ts";
import { buildGoProgram, GO_MISSING } from "./go_program.ts";

/** Few enough that a scenario can outlive what the server remembers. */
const LIMITS = { logLengthMax: 100 };

let building: Promise<string> | undefined;

/** The path of the program in `go/`, built once; Go's own cache keeps it from being compiled again. */
function built(): Promise<string> {
  return building ??= buildGoProgram("go", ".");
}

const SCENARIOS: Readonly<Record<string, string>> = {
  // FR-6
  protobuf: "client-go: writes in protobuf come back as they were, and each refusal is the error that client-go knows",
  subresources: "client-go: status, scale and eviction are doors of their own",
  // FR-6
  informers: "client-go: an informer streams its list, follows, and lists again when it was cut off for too long",
  // FR-6
  metadata: "client-go: a metadata informer streams its list and drops what no longer matches",
  watches: "client-go: pages add up, a watch ends at its timeout, and what is forgotten is expired",
  // FR-6
  apply: "client-go: typed apply configurations own, conflict, force, extract and give up",
  // FR-6
  election: "client-go: leader election by a Lease hands over when the leader resigns",
  events: "client-go: both event recorders aggregate, and each group shows the events of the other",
  access: "client-go: a ServiceAccount's token and impersonation act within their role",
  discovery: "client-go: discovery, REST mapping, the dynamic client and OpenAPI find a custom resource",
  // FR-6
  manager: "controller-runtime: a reconciler converges, repairs, finalizes, and hands over by election",
};

testWith(GO_MISSING, "the Go programs are built from pinned modules", async () => {
  assert.ok((await Deno.stat(await built())).isFile);
});

for (const [scenario, claim] of Object.entries(SCENARIOS)) {
  testWith(GO_MISSING, claim, async () => {
    const path = await built();
    await using cluster = await openServedCluster(LIMITS);
    const flags = cluster.kind === "embedded" ? ["-compacts"] : [];
    const env = { KUBECONFIG: cluster.kubeconfigPath };
    const { code, err } = await runProgram(path, [...flags, scenario], { env });
    assert.equal(code, 0, err);
  });
}
