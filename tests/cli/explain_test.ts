import assert from "node:assert/strict";
import { Client } from "../../lib/client/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Secret, ServiceAccount } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { type Binary, RUN_PERMISSIONS, runBinary } from "./binary.ts";
import { ACCOUNT, InstalledCluster } from "./installed_cluster.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";

/** A Secret with a Replication that copies it, in a cluster where the operator runs. */
async function replicating(cluster: InstalledCluster): Promise<{ from: string; operator: Binary; port: string }> {
  const from = await cluster.namespace("from"), to = await cluster.namespace("to");
  const metadata = { namespace: from, name: "login" };
  await cluster.client.create<KubeObject>(Secret, { metadata, stringData: { password: "hidden-value" } } as KubeObject);
  const spec = { source: { kind: "Secret", name: "login" }, targets: { namespaces: [to] } };
  await cluster.client.create<ReplicationObject>(Replication, { metadata, spec } as ReplicationObject);
  const operator = await cluster.start(["run", "--http-port", "0"]);
  const [, port] = await operator.until(/health and metrics are served.*port=(\d+)/);
  await operator.until(/converged.*created=1/);
  return { from, operator, port: port! };
}

/** A token of a ServiceAccount. */
async function tokenOf(client: Client, account: { namespace: string; name: string }, audiences: string[]) {
  const request = {
    metadata: account,
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { audiences },
  };
  const { status } = await client.create(ServiceAccount, request as never, { subresource: "token" }) as never as {
    status: { token: string };
  };
  return status.token;
}

// FR-513
Deno.test("explain shows why an object was reconciled, what that read and wrote, and no value of a Secret", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, operator, port } = await replicating(cluster);
  await using _operator = operator;
  const lines = await cluster.done("explain", "repl/login", "-n", from, "--http-port", port);
  assert.equal(lines[0], `replication ${from}/login: reconciled, by http://127.0.0.1:${port}`);
  const text = lines.join("\n");
  assert.match(text, /\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} reconcile: done in \d+ms\n {2}why {5}/);
  assert.match(text, /\n {2}read {4}replications\.pintle\.dev \S+\/login at \d+ in memory\n/);
  assert.match(text, /\n {2}wrote {3}create secrets \S+-to\/login \(new at \d+\)\n/);
  assert.match(text, /\+ status\.conditions\.Ready: "True Replicated: 1 of 1 copies show the source"\n/);
  for (const value of ["hidden-value", btoa("hidden-value")]) assert.ok(!text.includes(value));
  const json = await cluster.run(["explain", "repl/login", "-n", from, "--http-port", port, "--output", "json"]);
  const [{ operator: name, entries, present }] = JSON.parse(json.out);
  assert.deepEqual([json.code, name, present.phase], [0, "pintle-replicator", "converging"]);
  assert.equal(entries[0].writes.find(({ verb }: { verb: string }) => verb === "create").plural, "secrets");
});

// FR-512
Deno.test("the operator answers callers that may get the object, and tells the others what is missing", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, operator, port } = await replicating(cluster);
  await using _operator = operator;
  await cluster.client.create<KubeObject>(ServiceAccount, { metadata: { namespace: from, name: "guest" } });
  const guest = await tokenOf(cluster.client, { namespace: from, name: "guest" }, ["explain.pintle.dev"]);
  const known = await tokenOf(cluster.client, ACCOUNT, ["explain.pintle.dev"]);
  const url = `http://127.0.0.1:${port}/explain?resource=replications.pintle.dev&namespace=${from}&name=login`;
  const get = async (token: string | undefined, of = url, method = "GET") => {
    const headers: Record<string, string> = token === undefined ? {} : { "pintle-authorization": `Bearer ${token}` };
    const answer = await fetch(of, { method, headers });
    return [answer.status, await answer.text()] as const;
  };
  const cases: [string | undefined, string, number, RegExp][] = [
    [undefined, url, 401, /a bearer token is missing/],
    ["wrong", url, 401, /the token is unknown, has expired, or is not for explain\.pintle\.dev/],
    [guest, url, 403, /cannot get resource \\"replications\\" in API group \\"pintle\.dev\\" in the namespace/],
    [known, url, 200, /"operator":"pintle-replicator"/],
    [known, url.replace("name=login", "name="), 400, /the query needs resource=PLURAL\.GROUP and name=NAME/],
    [known, url.replace("name=login", "name=other"), 200, /"entries":\[\]/],
  ];
  for (const [token, of, status, says] of cases) {
    const [code, text] = await get(token, of);
    assert.deepEqual([code, says.test(text)], [status, true], text);
  }
  assert.equal((await get(known, url, "POST"))[0], 405);
  const asGuest = ["--service-account", `${from}/guest`];
  const refused = await cluster.run(["explain", "repl/login", "-n", from, "--http-port", port, ...asGuest]);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(refused.err, /answered 403: user "system:serviceaccount:\S+:guest" cannot get resource "replications"/);
});

// FR-513
Deno.test("what explain cannot show is said, with what to do", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, operator, port } = await replicating(cluster);
  await using _operator = operator;
  const other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    return url.includes("name=login") ? Response.json({ operator: "other" }) : new Response("no", { status: 404 });
  });
  const otherPort = `${other.addr.port}`;
  const here = ["--http-port", port], login = ["repl/login", "-n", from];
  const cases: [string[], number, RegExp][] = [
    [
      ["widget/a", ...here],
      2,
      /the operator has no kind "widget"\n {2}fix: give KIND\/NAME; its kinds are replication\n$/,
    ],
    [["repl", ...here], 2, /repl names no object\n {2}fix: give KIND\/NAME; its kinds are replication\n$/],
    [
      ["repl/other", "-n", from, ...here],
      1,
      /there is no Replication \S+\/other\n {2}fix: name its namespace.*, or correct its name: `kubectl get replications/,
    ],
    [[...login, "--cluster", "embedded"], 2, /would start a new cluster\n {2}fix: .*--kubeconfig FILE/],
    [[...login, "--http-port", "1"], 2, /nothing answers at http:\/\/127\.0\.0\.1:1\n {2}fix: --pod-namespace/],
    [[...login, "--http-port", otherPort], 1, /is not the operator pintle-replicator\n$/],
    [["repl/other", "-n", from, "--http-port", otherPort], 1, /has no journal: .* or another program\n$/],
    [[...login, ...here, "--pod-namespace", "nowhere"], 2, /there is no ServiceAccount nowhere\/pintle-replicator/],
    [[...login, ...here, "--service-account", "one"], 2, /"one" names no account\n {2}fix: give NAMESPACE\/NAME/],
  ];
  for (const [args, expected, says] of cases) {
    const { code, out, err } = await cluster.run(["explain", ...args]);
    assert.deepEqual([code, out, says.test(err)], [expected, "", true], err);
  }
  await other.shutdown();
});

/** An API server with pods of the operator, each of which answers as `pods` says. */
function podsServer(pods: Record<string, (request: Request) => Response>): { path: Promise<string> } & AsyncDisposable {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url), list = `/api/v1/namespaces/${ACCOUNT.namespace}/pods`;
    if (pathname === list) {
      const spec = { serviceAccountName: ACCOUNT.name, containers: [{ ports: [{ name: "http", containerPort: 9 }] }] };
      const items = Object.keys(pods).map((name) => ({
        metadata: { ...ACCOUNT, name },
        spec,
        status: { phase: "Running" },
      }));
      return Response.json({ kind: "PodList", metadata: {}, items });
    }
    if (pathname.endsWith("/token")) return Response.json({ metadata: {}, status: { token: "short" } });
    const [, name] = /\/pods\/([^:/]+):9\/proxy\/explain$/.exec(pathname) ?? [];
    return name ? pods[name]!(request) : Response.json({ kind: "Status", message: pathname }, { status: 404 });
  });
  const path = Deno.makeTempFile().then(async (path) => {
    await Deno.writeTextFile(path, kubeconfigText(`http://127.0.0.1:${server.addr.port}`, "own-token"));
    return path;
  });
  const close = async () => {
    await server.shutdown();
    await Deno.remove(await path);
  };
  return { path, [Symbol.asyncDispose]: close };
}

// FR-513
Deno.test("explain asks each pod through the API server, with a short token and never the caller's own", async () => {
  const asked: (string | null)[] = [], operator = "pintle-replicator";
  const entry = (startMs: number) => ({
    startMs,
    durationMs: 5,
    cause: "reconcile",
    reasons: ["timer"],
    reads: [],
    writes: [],
    result: "success",
    failures: 0,
  });
  const answer = (state: string, entries: unknown[]) => (request: Request) => {
    asked.push(request.headers.get("pintle-authorization"), request.headers.get("authorization"));
    return Response.json({ operator, state, entries, dropped: 0, nowMs: 9 });
  };
  await using server = podsServer({
    one: answer("running", [entry(1_000), entry(3_000)]),
    two: answer("running", [entry(2_000)]),
    three: answer("standby", []),
    four: () => Response.json({ kind: "Status", message: "dial tcp: i/o timeout" }, { status: 503 }),
    five: () => new Response("not found: this server has /livez", { status: 404 }),
  });
  const env = { KUBECONFIG: await server.path };
  const { code, out, err } = await runBinary(["explain", "repl/a"], { env, permissions: RUN_PERMISSIONS });
  assert.equal(code, 0, err);
  assert.deepEqual(
    out.match(/\.\d{3} reconcile.*by pod \S+/g),
    [
      "1970-01-01 00:00:01.000 reconcile: done in 5ms, by pod pintle-system/one",
      "1970-01-01 00:00:02.000 reconcile: done in 5ms, by pod pintle-system/two",
      "1970-01-01 00:00:03.000 reconcile: done in 5ms, by pod pintle-system/one",
    ].map((line) => line.slice(19)),
  );
  assert.match(err, /pod pintle-system\/four answered 503: dial tcp: i\/o timeout\n/);
  assert.match(err, /pod pintle-system\/five has no journal: it is of an earlier release/);
  assert.deepEqual(new Set(asked.filter((_, index) => index % 2 === 0)), new Set(["Bearer short"]));
});
