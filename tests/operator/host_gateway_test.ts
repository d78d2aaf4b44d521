import assert from "node:assert/strict";
import { SystemClock, UsageError } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { findHostGateway, type HostGatewayOptions } from "../../lib/operator/host_gateway.ts";
import { answer, refuse, ScriptedTransport, type Step } from "../client/scripted_transport.ts";

function look(step: Step, options: Partial<HostGatewayOptions> = {}) {
  const clock = new SystemClock(), transport = new ScriptedTransport(step);
  const client = new Client(transport, { fieldManager: "test", clock });
  return { transport, found: findHostGateway(client, { clock, isLocal: true, os: "linux", ...options }) };
}

function nodes(...status: unknown[]): Step {
  return answer({ kind: "NodeList", apiVersion: "v1", metadata: {}, items: status.map((status) => ({ status })) });
}

function node(port: number | undefined, ...addresses: string[]): unknown {
  return {
    addresses: [
      { type: "Hostname", address: "control-plane" },
      ...addresses.map((address) => ({ type: "InternalIP", address })),
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
}

/** A port of this machine without a listener. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

// FR-250
Deno.test("the way back is this machine's end of a connection to the control plane's kubelet", async () => {
  using kubelet = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { transport, found } = look(nodes(node(closedPort(), "127.0.0.1"), node(kubelet.addr.port, "127.0.0.1")));
  assert.deepEqual(await found, { host: "127.0.0.1", name: "127.0.0.1" });
  assert.deepEqual(transport.seen.map(({ path, query }) => [path, query.get("labelSelector")]), [
    ["/api/v1/nodes", "node-role.kubernetes.io/control-plane"],
  ]);
  (await kubelet.accept()).close();
});

// FR-250
Deno.test("without an address that the API server reaches, the error states why and what to set", async () => {
  const closed = closedPort();
  const cases: [string, Step, RegExp][] = [
    ["a control plane that is run elsewhere", nodes(), /lists no control plane among its nodes/],
    ["an API server without nodes", refuse(404, "NotFound"), /lists no control plane among its nodes/],
    ["nodes that say nothing of themselves", nodes(undefined, {}, node(undefined, "127.0.0.1")), /no control plane/],
    [
      "nodes that are out of reach",
      nodes(node(closed, "127.0.0.1")),
      new RegExp(`does not reach.*127.0.0.1:${closed}: `),
    ],
    ["an address that is none", nodes(node(closed, "no address")), /does not reach its nodes \(no address:/],
    [
      "a user who may not list nodes",
      refuse(403, "Forbidden"),
      /cannot look for an address that the API server reaches: /,
    ],
  ];
  for (const [what, step, told] of cases) {
    await assert.rejects(look(step).found, (error) => {
      assert.ok(error instanceof UsageError, `${what}: ${error}`);
      assert.match(error.message, told, what);
      assert.match(error.hint ?? "", /set PINTLE_WEBHOOK_URL to an https address/, what);
      return true;
    });
  }
  await assert.rejects(
    look(refuse(500, "InternalError"), { signal: AbortSignal.abort(new Error("stopped")) }).found,
    /stopped/,
  );
});

// FR-250
Deno.test("at most four addresses are tried", async () => {
  using kubelet = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dead = Array.from({ length: 4 }, () => node(closedPort(), "127.0.0.1"));
  await assert.rejects(look(nodes(...dead, node(kubelet.addr.port, "127.0.0.1"))).found, UsageError);
});

// FR-250
Deno.test("nodes in a virtual machine of a desktop know it by a name, and reach its loopback; a cluster elsewhere does not", async () => {
  const unreached = nodes(node(closedPort(), "127.0.0.1"));
  for (const os of ["darwin", "windows"] as const) {
    assert.deepEqual(await look(unreached, { os }).found, { host: "127.0.0.1", name: "host.docker.internal" });
    await assert.rejects(look(unreached, { os, isLocal: false }).found, UsageError);
    await assert.rejects(look(nodes(), { os }).found, UsageError);
  }
});
