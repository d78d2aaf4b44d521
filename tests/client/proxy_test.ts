import type { TlsSettings } from "../../lib/client/credentials.ts";
import { proxyOf, routeTo } from "../../lib/client/proxy.ts";
import { NodeTransport } from "../../lib/client/node_transport.ts";
import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import {
  Client,
  openTransport,
  type ProxyVariables,
  proxyVariables,
  StaticCredentials,
  UnreachableError,
  type UnreachableKind,
} from "../../lib/client/mod.ts";
import { ConnectProxy } from "./connect_proxy.ts";
import { WIDGETS } from "./scripted_transport.ts";
import { TestAuthority } from "./test_authority.ts";

const SERVER = "https://api.example:6443", PROXY = "http://proxy.example:3128";

/** The route to `server` with all proxies set and `no` as NO_PROXY, and whether fetch uses it. */
function route(server: string, no?: string): string {
  const { proxy, byFetch } = routeTo(server, { https: PROXY, no });
  return `${proxy ? "proxied" : "direct"} by ${byFetch ? "fetch" : "node:https"}`;
}

Deno.test("the proxy of a server: by its scheme, else the one for all, in upper case before lower case", () => {
  const title = (server: string, env: Record<string, string>) => {
    const found = routeTo(server, proxyVariables(env));
    return found.proxy?.title ?? "direct";
  };
  assert.equal(title(SERVER, {}), "direct");
  assert.equal(title(SERVER, { HTTP_PROXY: PROXY }), "direct");
  assert.equal(title("http://api.example", { HTTP_PROXY: PROXY }), `${PROXY} (HTTP_PROXY)`);
  assert.equal(title(SERVER, { HTTPS_PROXY: "a:1", https_proxy: "b:1", ALL_PROXY: "c:1" }), "http://a:1 (HTTPS_PROXY)");
  assert.equal(title(SERVER, { HTTPS_PROXY: "", https_proxy: "b:1" }), "http://b:1 (HTTPS_PROXY)");
  assert.equal(title(SERVER, { ALL_PROXY: "socks5://c:1" }), "socks5://c:1 (ALL_PROXY)");
  assert.equal(title(SERVER, { HTTPS_PROXY: PROXY, no_proxy: "api.example" }), "direct");
});

for (
  const [server, no, way] of [
    [SERVER, undefined, "proxied by fetch"],
    [SERVER, " , ", "proxied by fetch"],
    [SERVER, "api.example", "direct by fetch"],
    [SERVER, "other, EXAMPLE ", "direct by fetch"],
    [SERVER, "pi.example", "proxied by fetch"],
    [SERVER, ".example", "direct by fetch"],
    ["https://example", ".example", "proxied by node:https"],
    [SERVER, "*.example", "direct by node:https"],
    [SERVER, "*", "direct by node:https"],
    [SERVER, "api.example:6443", "direct by node:https"],
    [SERVER, "api.example:443", "proxied by fetch"],
    ["https://api.example", "api.example:443", "direct by node:https"],
    ["https://10.96.0.1:443", "10.96.0.0/12", "direct by fetch"],
    ["https://10.112.0.1:443", "10.96.0.0/12", "proxied by fetch"],
    ["https://10.96.0.1:443", "10.96.0.1", "direct by fetch"],
    ["https://10.96.0.1:443", "10.96.0.1:443", "direct by node:https"],
    ["https://10.96.0.1:443", "kubernetes.default.svc,.svc,.cluster.local", "proxied by fetch"],
    ["https://10.96.0.1:443", "96.0.1, 10.96.0.0/33, 10.96.0/8, fd00::/8", "proxied by fetch"],
    ["https://[fd00:96::1]:443", "fd00:96::/112", "direct by fetch"],
    ["https://[fd00:96::1]:443", "fd00:97::/112", "proxied by fetch"],
    ["https://[fd00:96::1]:443", "fd00:96:0:0:0:0:0:1", "direct by fetch"],
    ["https://[fd00:96::1]:443", "[fd00:96::1]:443", "direct by node:https"],
    ["https://127.0.0.1:6443", undefined, "direct by node:https"],
    ["https://localhost:6443", undefined, "direct by node:https"],
    ["https://[::1]:6443", undefined, "direct by node:https"],
    ["https://127.0.0.1:6443", "127.0.0.0/8", "direct by fetch"],
  ] as const
) {
  // FR-127
  Deno.test(`${server} where NO_PROXY is ${no}: ${way}`, () => assert.equal(route(server, no), way));
}

Deno.test("a proxy is named without its password, and an invalid address is refused without being quoted", () => {
  assert.equal(proxyOf("http://ada:s3cret@proxy:3128", "x").title, "http://***@proxy:3128 (x)");
  assert.equal(proxyOf("proxy:3128", "x").url, "http://proxy:3128");
  for (
    const wrong of [
      "ftp://ada:s3cret@proxy",
      "http://",
      "http://ada:s3cret@",
      "not an address s3cret",
      "http://proxy:s3cret",
      "http://ada:s3cret%@proxy",
    ]
  ) {
    assert.throws(() => proxyOf(wrong, "HTTPS_PROXY"), (error: UsageError) => {
      assert.ok(error instanceof UsageError && error.hint);
      assert.match(error.message, /^HTTPS_PROXY is not an address of a proxy/);
      return !Deno.inspect(error).includes("s3cret");
    }, wrong);
  }
});

const authority = await TestAuthority.create();
const identity = await authority.issue("server", [{ type: "dns", value: "api.example" }]);
const TRUST: TlsSettings = { caCerts: [authority.pem] };

/** A server with a name that only its proxy can resolve. */
function serve(account?: string) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, ...identity, onListen: () => {} },
    (request) => new Response(request.url.endsWith("/watch") ? "one\ntwo\n" : "{}"),
  );
  const proxy = new ConnectProxy(server.addr.port, account);
  const open = (proxies: ProxyVariables, tls = TRUST) =>
    openTransport({ server: SERVER, credentials: new StaticCredentials(tls), proxies });
  return {
    proxy,
    open,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

for (const [by, no] of [["fetch", undefined], ["node:https", ".api.example"]] as const) {
  // FR-127
  Deno.test(`${by}: requests and streams go through the proxy of the environment, with its user and password`, async () => {
    await using cluster = serve("ada:s3cret: 100%");
    const transport = cluster.open({ https: cluster.proxy.url(), no });
    assert.equal(transport instanceof NodeTransport, by === "node:https");
    for (const path of ["/a", "/b"]) assert.equal(await (await transport.fetch(path)).text(), "{}");
    assert.deepEqual(cluster.proxy.targets, ["api.example:6443"], "one tunnel serves many requests");
    assert.equal(await (await transport.fetch("/watch", { streaming: true })).text(), "one\ntwo\n");
    transport.close();
  });
}

Deno.test("the proxy-url of a kubeconfig comes before the environment, including NO_PROXY", async () => {
  await using cluster = serve();
  const tls = { ...TRUST, proxyUrl: cluster.proxy.url() };
  for (const no of [undefined, "api.example", "*"]) {
    const transport = cluster.open({ https: UNUSED_PORT, no }, tls);
    assert.equal(await (await transport.fetch("/a")).text(), "{}", `NO_PROXY ${no}`);
    transport.close();
  }
  assert.deepEqual(cluster.proxy.targets, Array(3).fill("api.example:6443"));
});

Deno.test("a proxy and another name for the server's certificate go together", async () => {
  await using cluster = serve();
  const proxies = { https: cluster.proxy.url() };
  const other = cluster.open(proxies, { ...TRUST, serverName: "other.example" });
  await assert.rejects(other.fetch("/a"), (error: UnreachableError) => error.kind === "certificateName");
  const same = cluster.open(proxies, { ...TRUST, serverName: "api.example" });
  assert.equal(await (await same.fetch("/a")).text(), "{}");
  const unchecked = cluster.open(proxies, { insecureSkipVerify: true });
  assert.equal(await (await unchecked.fetch("/a")).text(), "{}");
  for (const transport of [other, same, unchecked]) transport.close();
});

Deno.test("a silent proxy does not block a transport from closing", async () => {
  await using cluster = serve();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = cluster.open({ https: `http://127.0.0.1:${silent.addr.port}` }, { insecureSkipVerify: true });
  const refused = assert.rejects(transport.fetch("/a"), UnreachableError);
  const connection = await silent.accept();
  transport.close();
  await refused;
  connection.close();
  silent.close();
});

/** A proxy without a listener on its port. */
const UNUSED_PORT = "http://ada:s3cret@127.0.0.1:1";

for (
  const [what, kind, proxies, message, no] of [
    [
      "is down",
      "refused",
      () => UNUSED_PORT,
      /http:\/\/\*\*\*@127\.0\.0\.1:1 \(HTTPS_PROXY\): the proxy refused the connection/,
    ],
    [
      "has no address",
      "dns",
      () => "http://ada:s3cret@proxy.invalid:3128",
      /\(HTTPS_PROXY\): the proxy's name does not/,
    ],
    [
      "is a SOCKS proxy that is down",
      "refused",
      () => "socks5://ada:s3cret@127.0.0.1:1",
      /socks5:\/\/\*\*\*@.*refused/,
    ],
    ["gets another password", "proxyCredentials", (proxy: ConnectProxy) => proxy.url("ada:s3cret-old"), /\(407\): put/],
    ["gets no password", "proxyCredentials", (proxy: ConnectProxy) => proxy.url(""), /requires a user and a password/],
    [
      "refuses to connect",
      "proxyRefusal",
      (proxy: ConnectProxy) => proxy.url(),
      /refuses to connect to it: ask its administrator/,
    ],
  ].flatMap((each) => [each, [`${each[0]} (by node:https)`, ...each.slice(1), ".api.example"]]) as [
    string,
    UnreachableKind,
    (proxy: ConnectProxy) => string,
    RegExp,
    string?,
  ][]
) {
  if (what === "is a SOCKS proxy that is down (by node:https)") continue; // refused as it is opened: see below
  Deno.test(`a proxy that ${what} is named, with its fix and without its password; nothing has been sent`, async () => {
    await using cluster = serve("ada:s3cret");
    cluster.proxy.refuses = "403 Forbidden";
    const transport = cluster.open({ https: proxies(cluster.proxy), no });
    const client = new Client(transport, { fieldManager: "test", retriesMax: 0 });
    await assert.rejects(client.get(WIDGETS, { namespace: "a", name: "b" }), (error: UnreachableError) => {
      assert.ok(error instanceof UnreachableError, String(error));
      assert.deepEqual([error.kind, error.maybeReceived], [kind, false], error.message);
      assert.match(
        error.message,
        /^cannot get widgets.* the API server https:\/\/api\.example:6443 cannot be reached through/,
      );
      assert.match(error.message, message);
      return !Deno.inspect(error).includes("s3cret");
    });
    transport.close();
  });
}

// FR-127
Deno.test("a proxy that ends its tunnels ends a stream as a lost connection does", async () => {
  await using cluster = serve();
  await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, ...identity, onListen: () => {} }, () => {
    const body = new ReadableStream<Uint8Array>({ start: (sink) => sink.enqueue(new TextEncoder().encode("one\n")) });
    return new Response(body as unknown as BodyInit);
  });
  const proxy = new ConnectProxy(other.addr.port), transport = cluster.open({ https: proxy.url() });
  const stream = await transport.fetch("/watch", { streaming: true }), reader = stream.body!.getReader();
  await reader.read();
  await proxy[Symbol.asyncDispose]();
  await assert.rejects(reader.read());
  transport.close();
});

Deno.test("requests that fetch would send through an excluded proxy go by node:https, which supports HTTP proxies only", () => {
  const open = (https: string, no?: string, tls = TRUST) => {
    const transport = openTransport({
      server: SERVER,
      credentials: new StaticCredentials(tls),
      proxies: { https, no },
    });
    transport.close();
    return transport instanceof NodeTransport;
  };
  const left = ["*", "api.example:6443", "api.example", undefined].map((no) => open(PROXY, no));
  assert.deepEqual(left, [true, true, false, false]);
  assert.equal(open("socks5://proxy:1", "api.example", { ...TRUST, serverName: "other.example" }), true);
  for (const [no, tls] of [[".api.example", TRUST], [undefined, { ...TRUST, serverName: "other.example" }]] as const) {
    assert.throws(
      () => open("socks5://ada:s3cret@proxy:1", no, tls),
      /the proxy socks5:\/\/\*\*\*@proxy:1 \(HTTPS_PROXY\) cannot be combined/,
    );
  }
});
