import assert from "node:assert/strict";
import { type Identity, TestAuthority } from "../client/test_authority.ts";
import { Binary, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

const HERE = [{ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }] as const;
const ELSEWHERE = [{ type: "dns", value: "api.elsewhere.example" }] as const;
const authority = await TestAuthority.create();

/** The cluster's API, for anybody, behind another certificate. */
function front(cluster: HttpsCluster, identity: Identity) {
  const cut = new AbortController();
  const transport = cluster.api.transport();
  const handler = async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    return await transport.fetch(pathname + search, {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body: await request.text() || undefined,
      signal: request.signal,
      streaming: true,
    });
  };
  const settings = { hostname: "127.0.0.1", port: 0, ...identity, onListen: () => {}, signal: cut.signal };
  const server = Deno.serve(settings, handler);
  return {
    server: `https://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: async () => {
      cut.abort();
      await server.finished;
    },
  };
}

function trusting(server: string, more: object = {}) {
  return { cluster: { server, "certificate-authority-data": btoa(authority.pem), ...more }, user: { token: "t" } };
}

/** What `run` says where the server cannot be trusted: exit 3, one problem with its fix, and nothing more. */
async function distrusted(cluster: HttpsCluster, parts: object): Promise<string> {
  const { code, err } = await runBinary(["run", "--http-port", "0", "--kubeconfig", await cluster.kubeconfig(parts)]);
  assert.equal(code, 3, err);
  assert.match(
    err,
    /^pintle: cannot get \/version: the API server https:\/\/127\.0\.0\.1:\d+ cannot be reached: .+\n {2}fix: .+\n$/,
  );
  return err;
}

// FR-124
Deno.test("a server of an authority that is not trusted is exit 3, and the fix names certificate-authority-data", async () => {
  await using cluster = await HttpsCluster.open();
  const foreign = await TestAuthority.create("somebody else");
  const parts = { cluster: { "certificate-authority-data": btoa(foreign.pem) } };
  assert.match(
    await distrusted(cluster, parts),
    /authority that is not trusted\n {2}fix: check certificate-authority-data/,
  );
});

// FR-124
Deno.test("a certificate for another name is exit 3; tls-server-name and insecure-skip-tls-verify let run work", async () => {
  await using cluster = await HttpsCluster.open();
  await using elsewhere = front(cluster, await authority.issue("server", [...ELSEWHERE]));
  const { server } = elsewhere;
  assert.match(await distrusted(cluster, trusting(server)), /is for another name\n {2}fix: .*set tls-server-name/);
  const wrong = trusting(server, { "tls-server-name": "other.example" });
  assert.match(await distrusted(cluster, wrong), /is for another name\n/);
  const insecure = { "insecure-skip-tls-verify": true, "certificate-authority-data": undefined };
  for (const more of [{ "tls-server-name": "api.elsewhere.example" }, insecure]) {
    const kubeconfig = await cluster.kubeconfig(trusting(server, more));
    await using binary = await Binary.start(["run", "--kubeconfig", kubeconfig, "--http-port", "0"]);
    await binary.until(/operator runs/);
    binary.kill("SIGINT");
    const { code, err } = await binary.ended();
    assert.deepEqual([code, err], [0, ""]);
  }
});

// FR-124
Deno.test("an expired certificate is exit 3 and says so", async () => {
  await using cluster = await HttpsCluster.open();
  await using old = front(cluster, await authority.issue("server", [...HERE], -5));
  const said = await distrusted(cluster, trusting(old.server));
  assert.match(said, /is not valid at this time\n {2}fix: renew it, and check both clocks\n/);
});

// FR-124
Deno.test("a port that speaks no TLS is exit 3 and says so", async () => {
  await using cluster = await HttpsCluster.open();
  await using plain = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("hello"));
  const said = await distrusted(cluster, trusting(`https://127.0.0.1:${plain.addr.port}`));
  assert.match(said, /the TLS handshake failed: .*\n {2}fix: check that the port speaks TLS/);
});
