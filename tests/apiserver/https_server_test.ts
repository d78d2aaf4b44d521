import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { EmbeddedApiServer, type HttpsOptions, HttpsServer, type Identity } from "../../lib/apiserver/mod.ts";

interface Door extends AsyncDisposable {
  readonly api: EmbeddedApiServer;
  readonly https: HttpsServer;
}

async function open(
  limits: { bodyBytesMax?: number } = {},
  bounds: Pick<HttpsOptions, "connectionsMax" | "headersTimeoutMs" | "requestTimeoutMs"> = {},
): Promise<Door> {
  const api = new EmbeddedApiServer({ limits });
  const https = await HttpsServer.start(api, { nowMs: Date.now(), ...bounds });
  return {
    api,
    https,
    [Symbol.asyncDispose]: async () => {
      await https[Symbol.asyncDispose]();
      api.close();
    },
  };
}

interface Call {
  method?: string;
  body?: string;
  headers?: Record<string, string>;
  identity?: Identity;
}

async function send(door: Door, path: string, call: Call = {}): Promise<IncomingMessage> {
  const sent = request(`${door.https.url}${path}`, {
    method: call.method ?? "GET",
    ca: door.https.authority,
    cert: call.identity?.certificate,
    key: call.identity?.key,
    headers: call.headers,
    agent: false,
  });
  const answered = once(sent, "response");
  sent.end(call.body);
  return (await answered)[0];
}

async function json(message: IncomingMessage) {
  let text = "";
  for await (const chunk of message) text += chunk;
  return JSON.parse(text);
}

const BOB = { name: "bob", groups: ["devs"] };

// FR-111
Deno.test("a request without a credential gets 401 and a Status", async () => {
  await using door = await open();
  for (const headers of [undefined, { authorization: "Bearer embedded.guess" }]) {
    const answer = await send(door, "/api/v1/namespaces", { headers });
    assert.equal(answer.statusCode, 401);
    const status = await json(answer);
    assert.equal(status.kind, "Status");
    assert.equal(status.reason, "Unauthorized");
  }
});

// FR-111
Deno.test("a client certificate names user and groups, and RBAC holds for them", async () => {
  await using door = await open();
  const admin = door.https.issueClient({ name: "root", groups: ["system:masters"] });
  assert.equal((await json(await send(door, "/api/v1/namespaces", { identity: admin }))).kind, "NamespaceList");
  const refused = await json(await send(door, "/api/v1/namespaces", { identity: door.https.issueClient(BOB) }));
  assert.equal(refused.code, 403);
  assert.match(refused.message, /User "bob" cannot list/);
});

// FR-111
Deno.test("a certificate of another authority is no credential", async () => {
  await using door = await open();
  await using other = await open();
  const foreign = other.https.issueClient({ name: "admin", groups: ["system:masters"] });
  const answer = await send(door, "/api/v1/namespaces", { identity: foreign });
  assert.equal(answer.statusCode, 401);
  await json(answer);
});

// FR-111
Deno.test("a service account's token is a credential until the account is gone", async () => {
  await using door = await open();
  const admin = door.api.transport();
  const post = async (path: string, body: unknown) =>
    await (await admin.fetch(path, { method: "POST", body: JSON.stringify(body) })).json();
  await post("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "bot" } });
  const { status } = await post("/api/v1/namespaces/default/serviceaccounts/bot/token", {});
  const whoami = () =>
    send(door, "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      method: "POST",
      headers: { authorization: `Bearer ${status.token}`, "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }),
    });
  const { userInfo } = (await json(await whoami())).status;
  assert.equal(userInfo.username, "system:serviceaccount:default:bot");
  assert.deepEqual(userInfo.groups.slice(0, 2), ["system:serviceaccounts", "system:serviceaccounts:default"]);
  await (await admin.fetch("/api/v1/namespaces/default/serviceaccounts/bot", { method: "DELETE" })).text();
  const after = await whoami();
  assert.equal(after.statusCode, 401);
  await json(after);
});

Deno.test("each event of a watch is written when it happens", async () => {
  await using door = await open();
  const identity = door.https.issueClient({ name: "root", groups: ["system:masters"] });
  const path = "/api/v1/configmaps?watch=1&resourceVersion=1&labelSelector=own";
  const answer = await send(door, path, { identity });
  assert.equal(answer.statusCode, 200);
  const lines = answer[Symbol.asyncIterator]();
  const admin = door.api.transport();
  for (const name of ["a", "b"]) {
    const body = JSON.stringify({ metadata: { name, labels: { own: "1" } } });
    await (await admin.fetch("/api/v1/namespaces/default/configmaps", { method: "POST", body })).text();
    const { value } = await lines.next();
    assert.equal(JSON.parse(String(value)).object.metadata.name, name);
  }
  answer.destroy();
});

// FR-114
Deno.test("a body beyond the bound gets 413, announced or not", async () => {
  await using door = await open({ bodyBytesMax: 1_000 });
  const identity = door.https.issueClient({ name: "root", groups: ["system:masters"] });
  const framings: Record<string, string>[] = [{ "content-length": "1001" }, { "transfer-encoding": "chunked" }];
  for (const headers of framings) {
    const answer = await send(door, "/api/v1/namespaces", {
      method: "POST",
      identity,
      headers,
      body: "x".repeat(1_001),
    });
    assert.equal(answer.statusCode, 413);
    assert.equal((await json(answer)).reason, "RequestEntityTooLarge");
  }
});

// FR-114
Deno.test("malformed HTTP is refused and leaves the server serving", async () => {
  await using door = await open();
  const { port } = new URL(door.https.url);
  const socket = connectTls({ host: "127.0.0.1", port: Number(port), ca: door.https.authority });
  await once(socket, "secureConnect");
  const closed = once(socket, "close");
  let text = "";
  socket.on("data", (chunk) => text += chunk);
  socket.on("error", () => {});
  socket.write("this is no HTTP\r\n\r\n");
  await closed;
  assert(text === "" || text.startsWith("HTTP/1.1 400"), text);
  const answer = await send(door, "/healthz");
  assert.equal(answer.statusCode, 401);
  await json(answer);
});

Deno.test("a connection that has said nothing, and a request that has no end, do not keep it from closing", async () => {
  await using door = await open();
  const port = Number(new URL(door.https.url).port);
  using silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const sent = request(`${door.https.url}/api/v1/namespaces`, {
    method: "POST",
    ca: door.https.authority,
    agent: false,
  });
  const cut = once(sent, "error");
  sent.write("{");
  const socket = await once(sent, "socket").then(([socket]) => socket);
  if (!socket.authorized) await once(socket, "secureConnect");
  await door.https[Symbol.asyncDispose]();
  await cut;
  assert.equal(await silent.read(new Uint8Array(1)).catch(() => null), null);
});

// FR-352
Deno.test("a body is read only from callers with a credential: another caller's half-sent one is answered with 401", async () => {
  await using door = await open();
  for (const headers of [{ "content-length": "100" }, { "transfer-encoding": "chunked" }] as Record<string, string>[]) {
    const sent = request(`${door.https.url}/api/v1/namespaces`, {
      method: "POST",
      ca: door.https.authority,
      headers,
      agent: false,
    });
    sent.on("error", () => {}); // the server closes while it is sent
    sent.write("{");
    const [answer] = await once(sent, "response") as [IncomingMessage];
    assert.deepEqual([answer.statusCode, answer.headers.connection], [401, "close"]);
    assert.equal((await json(answer)).reason, "Unauthorized");
    sent.destroy();
  }
});

// FR-351
Deno.test("connections that are silent, before and after the handshake, are cut for one that sends a request, a watch is not", async () => {
  await using door = await open({}, { connectionsMax: 3 });
  const identity = door.https.issueClient({ name: "root", groups: ["system:masters"] });
  const watch = await send(door, "/api/v1/namespaces?watch=true", { identity });
  const at = { host: "127.0.0.1", port: Number(new URL(door.https.url).port) };
  const before = connect(at), closedBefore = once(before, "close");
  await once(before, "connect");
  const after = connectTls({ ...at, ca: door.https.authority }), closedAfter = once(after, "close");
  await once(after, "secureConnect");
  for (const silent of [before, after]) silent.on("error", () => {}).resume();
  for (const closed of [closedBefore, closedAfter]) {
    const again = connect(at);
    again.on("error", () => {});
    await closed;
    assert.equal((await send(door, "/api/v1/namespaces", { identity })).statusCode, 200);
    again.destroy();
  }
  const event = once(watch, "data");
  const headers = { "content-type": "application/json" }, body = JSON.stringify({ metadata: { name: "later" } });
  await send(door, "/api/v1/namespaces", { method: "POST", identity, headers, body });
  await event;
  watch.destroy();
});

// FR-351
Deno.test("a caller that does not shake hands, and one whose body never ends, are cut in time", async () => {
  await using door = await open({}, { headersTimeoutMs: 50, requestTimeoutMs: 50 });
  const identity = door.https.issueClient({ name: "root", groups: ["system:masters"] });
  const at = { host: "127.0.0.1", port: Number(new URL(door.https.url).port) };
  const silent = connect(at).on("error", () => {}).resume();
  await once(silent, "close");
  const { certificate: cert, key } = identity;
  const sent = request(`${door.https.url}/api/v1/namespaces`, {
    method: "POST",
    ca: door.https.authority,
    cert,
    key,
    agent: false,
  });
  sent.on("error", () => {}).on("response", (answer) => answer.resume());
  sent.write("{");
  await new Promise((resolve) => sent.once("close", resolve));
});

// FR-110
Deno.test("it listens on 127.0.0.1 and on no other address of the machine", async () => {
  await using door = await open();
  const port = Number(new URL(door.https.url).port);
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  const others = Deno.networkInterfaces().filter(({ family, address }) => family === "IPv4" && address !== "127.0.0.1")
    .map(({ address }) => address);
  // All of 127.0.0.0/8 is this machine on Linux: a listener on every address would answer here, whatever networks there
  // are.
  if (Deno.build.os === "linux") others.push("127.0.0.2");
  for (const hostname of others) {
    await assert.rejects(Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused, hostname);
  }
});

// FR-91
Deno.test("every namespace has the certificate authority, and an edited or deleted copy is restored", async () => {
  await using door = await open();
  const transport = door.api.transport(), path = "/api/v1/namespaces/team/configmaps/kube-root-ca.crt";
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
    const answer = await transport.fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    await door.api.settled();
    return await answer.json();
  };
  await call("POST", "/api/v1/namespaces", { metadata: { name: "team" } });
  assert.deepEqual((await call("GET", path)).data, { "ca.crt": door.https.authority });
  await call("PATCH", path, { data: { "ca.crt": "another", more: "1" } });
  assert.deepEqual((await call("GET", path)).data, { "ca.crt": door.https.authority });
  await call("DELETE", path);
  assert.deepEqual((await call("GET", path)).data, { "ca.crt": door.https.authority });
  assert.equal((await call("GET", path.replace("/team/", "/kube-system/"))).code, undefined, "older namespaces too");
  await call("DELETE", "/api/v1/namespaces/team");
  assert.equal((await call("GET", "/api/v1/namespaces/team")).code, 404, "they do not keep a namespace from ending");
});

// FR-112
Deno.test("the kubeconfig is for its owner alone and replaces a former one", async () => {
  await using door = await open();
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/kubeconfig`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    await door.https.writeKubeconfig(path);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const config = JSON.parse(await Deno.readTextFile(path));
    assert.equal(config.clusters[0].cluster.server, door.https.url);
    const names = [];
    for await (const entry of Deno.readDir(directory)) names.push(entry.name);
    assert.deepEqual(names, ["kubeconfig"]);
    const { user } = config.users[0];
    const identity = {
      certificate: atob(user["client-certificate-data"]),
      key: atob(user["client-key-data"]),
    };
    assert.equal((await json(await send(door, "/api/v1/namespaces", { identity }))).kind, "NamespaceList");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
