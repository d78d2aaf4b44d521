import { NodeTransport } from "../../lib/client/node_transport.ts";
import { FetchTransport, type SocketTransportOptions } from "../../lib/client/fetch_transport.ts";
import type { Credentials, TlsSettings } from "../../lib/client/credentials.ts";
import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Transport } from "../../lib/base/mod.ts";
import {
  Client,
  openTransport,
  StaticCredentials,
  UnreachableError,
  type UnreachableKind,
} from "../../lib/client/mod.ts";
import { WIDGETS } from "./scripted_transport.ts";
import { type Identity, TestAuthority } from "./test_authority.ts";

const LOOPBACK = [{ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }] as const;
const authority = await TestAuthority.create();
const good = await authority.issue("server", [...LOOPBACK]);
const TRUST: TlsSettings = { caCerts: [authority.pem] };

/** Every implementation fulfils the same contract. */
const IMPLEMENTATIONS: Record<string, (options: SocketTransportOptions) => Transport> = {
  "fetch": (options) => new FetchTransport(options),
  "node:https": (options) => new NodeTransport(options),
};

type Handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Response | Promise<Response>;

/** A TLS server on the loopback interface. */
function serve(handler: Handler, identity: Identity = good) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, ...identity, onListen: () => {}, onError }, handler);
  return { url: `https://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

function onError(): Response {
  return new Response(null, { status: 500 });
}

/** A body that sends one chunk and then waits; `gone` resolves once the client has left. */
function waiting(text: string) {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    cancel: () => resolve(),
  });
  return { response: () => new Response(body as unknown as BodyInit), gone };
}

/** One gzip member. */
async function gzip(text: string): Promise<ArrayBuffer> {
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

type Open = (url: string, tls?: TlsSettings) => Transport;

function contract(name: string, test: (open: Open, kind: string) => Promise<void>): void {
  for (const [kind, create] of Object.entries(IMPLEMENTATIONS)) {
    Deno.test(`${kind}: ${name}`, async () => {
      const opened: Transport[] = [];
      try {
        await test((server, tls = TRUST) => {
          const transport = create({ server, credentials: new StaticCredentials(tls, { authorization: "Bearer t" }) });
          opened.push(transport);
          return transport;
        }, kind);
      } finally {
        for (const transport of opened) transport.close();
      }
    });
  }
}

contract("a request arrives as it was sent, and every status is an answer", async (open) => {
  await using server = serve(async (request) => {
    const { method, url, headers } = request;
    const seen = { method, path: new URL(url).pathname + new URL(url).search, auth: headers.get("authorization") };
    return Response.json({ ...seen, type: headers.get("content-type"), body: await request.text() }, {
      status: 409,
      headers: { "retry-after": "3" },
    });
  });
  const transport = open(`${server.url}/prefix/`);
  const headers = { "content-type": "application/merge-patch+json" };
  const response = await transport.fetch("/api?a=b%20c", { method: "PATCH", headers, body: '{"ü":1}' });
  assert.equal(response.status, 409);
  assert.equal(response.headers.get("retry-after"), "3");
  assert.deepEqual(await response.json(), {
    method: "PATCH",
    path: "/prefix/api?a=b%20c",
    auth: "Bearer t",
    type: "application/merge-patch+json",
    body: '{"ü":1}',
  });
});

contract("an answer without a body is one", async (open) => {
  await using server = serve(() => new Response(null, { status: 204 }));
  const response = await open(server.url).fetch("/");
  assert.equal(response.status, 204);
  assert.equal(await response.text(), "");
});

contract("a stream's pieces come while it is open, and cancelling it tells the server", async (open) => {
  const { response, gone } = waiting('{"a":1}\n');
  await using server = serve(response);
  const stream = await open(server.url).fetch("/watch", { streaming: true });
  const reader = stream.body!.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), '{"a":1}\n');
  await reader.cancel();
  await gone;
});

// FR-10
contract(
  "a stream is requested uncompressed: a server compresses each piece by itself, and a decoder may end with the first",
  async (open) => {
    await using server = serve(async (request) => {
      // As kube-apiserver 1.37 sends a streaming list: one gzip member for each flush.
      const zip = request.headers.get("accept-encoding")?.includes("gzip");
      const pieces = ["first,", "second,", "third"].map((text) => zip ? gzip(text) : new TextEncoder().encode(text));
      const body = new Blob(await Promise.all(pieces));
      return new Response(body, { headers: zip ? { "content-encoding": "gzip" } : {} });
    });
    const stream = await open(server.url).fetch("/watch", { streaming: true });
    assert.equal(await stream.text(), "first,second,third");
  },
);

contract("an abort before the answer rejects with the signal's reason", async (open) => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const { promise: release, resolve: end } = Promise.withResolvers<void>();
  await using server = serve(async () => {
    resolve();
    await release;
    return new Response("late");
  });
  const stop = new AbortController(), reason = new Error("no longer needed");
  const request = open(server.url).fetch("/", { signal: stop.signal });
  await arrived;
  stop.abort(reason);
  await assert.rejects(request, reason);
  end();
});

contract("an abort in the middle of a body ends it, and the server knows", async (open) => {
  const { response, gone } = waiting("first");
  await using server = serve(response);
  const stop = new AbortController();
  const { body } = await open(server.url).fetch("/", { signal: stop.signal });
  const reader = body!.getReader();
  await reader.read();
  stop.abort(new Error("enough"));
  await assert.rejects(reader.read());
  await gone;
});

contract("closing fails what waits for its answer, ends the streams, and refuses what comes later", async (open) => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const { promise: release, resolve: end } = Promise.withResolvers<void>();
  const stream = waiting("first");
  await using server = serve(async (request) => {
    if (request.url.endsWith("/watch")) return stream.response();
    resolve();
    await release;
    return new Response("late");
  });
  const transport = open(server.url);
  const watching = await transport.fetch("/watch", { streaming: true });
  const reader = watching.body!.getReader();
  await reader.read();
  const pending = assert.rejects(transport.fetch("/slow"), UnreachableError);
  await arrived;
  transport.close();
  await pending;
  await assert.rejects(reader.read());
  await assert.rejects(transport.fetch("/"), UnreachableError);
  end();
  await stream.gone;
});

contract("connections that the server closes while they wait are replaced unseen", async (open) => {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...good });
  let connections = 0;
  const answering = (async () => {
    for await (const connection of listener) {
      connections++;
      try {
        await connection.read(new Uint8Array(8_192));
        await connection.write(
          new TextEncoder().encode('HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"metadata":{}}'),
        );
      } finally {
        connection.close(); // without announcing it in the response
      }
    }
  })();
  const client = new Client(open(`https://127.0.0.1:${listener.addr.port}`), { fieldManager: "test" });
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(await client.get(WIDGETS, { namespace: "a", name: "b" }), { metadata: {} });
  }
  assert.equal(connections, 10);
  listener.close();
  await answering;
});

contract("a body that breaks off is an error, not a short answer", async (open) => {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...good });
  const answering = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(8_192));
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
    connection.close();
  })();
  const client = new Client(open(`https://127.0.0.1:${listener.addr.port}`), { fieldManager: "test", retriesMax: 0 });
  await assert.rejects(client.get(WIDGETS, { namespace: "a", name: "b" }), (error: Error) => {
    assert.ok(error instanceof UnreachableError && error.kind === "reset", String(error));
    return true;
  });
  await answering;
  listener.close();
});

// FR-123
contract("each failure to connect has its own kind", async (open, implementation) => {
  const elsewhere = await authority.issue("elsewhere", [{ type: "dns", value: "elsewhere.example" }]);
  const expired = await authority.issue("expired", [...LOOPBACK], -5);
  await using plain = serve(() => new Response());
  await using misnamed = serve(() => new Response(), elsewhere);
  await using old = serve(() => new Response(), expired);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  // What a proxy or a load balancer does that takes no client certificate, or has no server behind it.
  const rude = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const rudeness = (async () => {
    for await (const connection of rude) {
      await connection.read(new Uint8Array(16_384));
      connection.close();
    }
  })();
  const stranger = await TestAuthority.create("another authority");
  const cases: [UnreachableKind, string, TlsSettings][] = [
    ["unknownAuthority", plain.url, { caCerts: [stranger.pem] }],
    ["certificateName", misnamed.url, TRUST],
    // Deno's node:tls reports "unable to verify the first certificate" of an expired one.
    [implementation === "fetch" ? "certificateExpired" : "unknownAuthority", old.url, TRUST],
    ["refused", `https://127.0.0.1:${port}`, TRUST],
    ["dns", "https://no-such-host.invalid", TRUST],
    ["tls", `https://127.0.0.1:${rude.addr.port}`, TRUST],
  ];
  for (const [kind, url, tls] of cases) {
    await assert.rejects(open(url, tls).fetch("/"), (error: Error) => {
      assert.ok(error instanceof UnreachableError, String(error));
      assert.equal(error.kind, kind, `${url}: ${Deno.inspect(error.cause)}`);
      assert.equal(error.maybeReceived, false);
      assert.ok(error.message.includes(url), "the message names the server");
      assert.ok(error.cause, "the cause is kept");
      return true;
    });
  }
  rude.close();
  await rudeness;
});

// FR-71
contract("a client certificate is shown to the server", async (open) => {
  const jane = await authority.issue("jane", [{ type: "dns", value: "jane" }]);
  const settings = { ...good, ca: authority.pem, requestCert: true, rejectUnauthorized: true };
  const server = createServer(settings, (request, response) => {
    response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN as string);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  try {
    const transport = open(url, { ...TRUST, ...jane });
    const response = await transport.fetch("/");
    assert.equal(await response.text(), "jane");
    await assert.rejects(open(url).fetch("/"), UnreachableError);
    transport.close();
  } finally {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }
});

Deno.test("refused credentials are renewed, once", async () => {
  await using server = serve((request) => {
    const fresh = request.headers.get("authorization") === "Bearer 2";
    return new Response(fresh ? "in" : "out", { status: fresh ? 200 : 401 });
  });
  for (const create of Object.values(IMPLEMENTATIONS)) {
    let token = 1, invalidated = 0;
    const credentials: Credentials = {
      tls: TRUST,
      headers: () => Promise.resolve({ authorization: `Bearer ${token}` }),
      invalidate: () => {
        invalidated++;
        token = Math.min(token + 1, 3);
      },
    };
    const transport = create({ server: server.url, credentials });
    const first = await transport.fetch("/");
    assert.equal(await first.text(), "in");
    token = 3;
    const second = await transport.fetch("/");
    assert.equal(second.status, 401, "the same refused credentials are not sent again");
    await second.body?.cancel();
    assert.equal(invalidated, 2);
    transport.close();
  }
});

/** Credentials whose TLS settings become the next ones of a list with each refusal; the last ones stay. */
function renewing(...settings: TlsSettings[]): Credentials {
  return {
    get tls() {
      return settings[0]!;
    },
    headers: () => Promise.resolve({}),
    invalidate: () => void (settings.length > 1 && settings.shift()),
  };
}

for (const [kind, create] of Object.entries(IMPLEMENTATIONS)) {
  // FR-353
  Deno.test(`${kind}: settings with a failing handshake are renewed, once`, async () => {
    const other = await TestAuthority.create("renewed"), half = await other.issue("client", []);
    await using server = serve(() => new Response("hello"), await other.issue("server", [...LOOPBACK]));
    const late: TlsSettings = { caCerts: [other.pem] };
    // Between the writing of a certificate and of its key both are of different pairs.
    const torn: TlsSettings = { caCerts: [other.pem], cert: half.cert, key: good.key };
    for (const first of [TRUST, torn]) {
      const transport = create({ server: server.url, credentials: renewing(first, late) });
      assert.equal(await (await transport.fetch("/")).text(), "hello");
      transport.close();
    }
    const wrong = create({ server: server.url, credentials: renewing(TRUST, { ...TRUST }, { ...TRUST }) });
    await assert.rejects(wrong.fetch("/"), UnreachableError);
    assert.equal(wrong.refused, undefined, "it may be a renewal in progress");
    await assert.rejects(wrong.fetch("/"), UnreachableError);
    assert.match(wrong.refused!, /signed by an authority that is not trusted/);
    wrong.close();
  });

  // FR-354
  Deno.test(`${kind}: a server that keeps refusing credentials is reported until it accepts some`, async () => {
    let status = 401;
    await using server = serve(() => new Response("", { status }));
    const transport = create({ server: server.url, credentials: new StaticCredentials(TRUST) });
    const ask = async () => void await (await transport.fetch("/")).text();
    for (let count = 0; count < 2; count++) await ask();
    assert.equal(transport.refused, undefined);
    await ask();
    assert.match(transport.refused!, /401/);
    status = 403;
    await ask();
    assert.equal(transport.refused, undefined, "who is forbidden something is known");
    transport.close();
  });
}

Deno.test("lists of header values are separate lines", async () => {
  let groups: string[] = [];
  const server = createServer(good, (request, response) => {
    groups = request.rawHeaders.filter((_, index, raw) =>
      index % 2 === 1 && raw[index - 1]!.toLowerCase() === "impersonate-group"
    );
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  for (const create of Object.values(IMPLEMENTATIONS)) {
    const transport = create({
      server: url,
      credentials: new StaticCredentials(TRUST, { "impersonate-group": ["a", "b"] }),
    });
    await (await transport.fetch("/")).text();
    assert.deepEqual(groups, ["a", "b"]);
    transport.close();
  }
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

Deno.test("fetch: streams beyond the capacity of one HTTP/2 connection get another one", async () => {
  const connections = new Set<number>(), streams: ReadableStreamDefaultReader[] = [];
  await using server = serve((_request, info) => {
    connections.add(info.remoteAddr.port);
    return waiting("x").response();
  });
  const credentials = new StaticCredentials(TRUST);
  const transport = new FetchTransport({ server: server.url, credentials, streamsPerConnectionMax: 5 });
  for (let i = 0; i < 12; i++) {
    const reader = (await transport.fetch("/", { streaming: true })).body!.getReader();
    await reader.read();
    streams.push(reader);
  }
  assert.equal(connections.size, 3);
  for (const reader of streams) await reader.cancel();
  transport.close();
});

Deno.test("fetch: a stream that failed takes its connection out of use", async () => {
  const ports: number[] = [];
  await using server = serve((_request, info) => {
    ports.push(info.remoteAddr.port);
    return waiting("x").response();
  });
  const transport = new FetchTransport({ server: server.url, credentials: new StaticCredentials(TRUST) });
  const stop = new AbortController();
  const first = (await transport.fetch("/", { streaming: true, signal: stop.signal })).body!.getReader();
  await first.read();
  stop.abort(new Error("silent for too long"));
  await assert.rejects(first.read());
  const second = (await transport.fetch("/", { streaming: true })).body!.getReader();
  await second.read();
  assert.notEqual(ports[0], ports[1]);
  await second.cancel();
  transport.close();
});

// FR-115
Deno.test("a redirect is returned, and the credentials do not follow it", async () => {
  let leaked = false;
  await using other = serve(() => {
    leaked = true;
    return new Response("stolen");
  });
  await using server = serve(() => new Response(null, { status: 302, headers: { location: other.url } }));
  const transport = new FetchTransport({
    server: server.url,
    credentials: new StaticCredentials(TRUST, { authorization: "x" }),
  });
  const response = await transport.fetch("/");
  assert.equal(response.status, 302);
  await response.body?.cancel();
  assert.equal(leaked, false);
  transport.close();
});

Deno.test("settings beyond fetch get node:https: another server name, or no verification", async () => {
  const elsewhere = await authority.issue("elsewhere", [{ type: "dns", value: "elsewhere.example" }]);
  await using server = serve(() => new Response("hello"), elsewhere);
  for (const tls of [{ ...TRUST, serverName: "elsewhere.example" }, { insecureSkipVerify: true }]) {
    const transport = openTransport({ server: server.url, credentials: new StaticCredentials(tls) });
    assert.ok(transport instanceof NodeTransport);
    assert.equal(await (await transport.fetch("/")).text(), "hello");
    transport.close();
  }
  const plain = openTransport({ server: server.url, credentials: new StaticCredentials(TRUST) });
  assert.ok(plain instanceof FetchTransport);
  plain.close();
});

Deno.test("new TLS settings of the credentials mean new connections", async () => {
  const other = await TestAuthority.create("renewed");
  await using server = serve(() => new Response("hello"), await other.issue("server", [...LOOPBACK]));
  let tls = TRUST;
  const credentials: Credentials = {
    get tls() {
      return tls;
    },
    headers: () => Promise.resolve({}),
    invalidate: () => {},
  };
  const transport = new FetchTransport({ server: server.url, credentials });
  await assert.rejects(transport.fetch("/"), UnreachableError);
  tls = { caCerts: [other.pem] };
  assert.equal(await (await transport.fetch("/")).text(), "hello");
  transport.close();
});
