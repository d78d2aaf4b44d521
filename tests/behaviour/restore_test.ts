import assert from "node:assert/strict";
import type { Transport, TransportRequest } from "../../lib/base/mod.ts";
import { Namespace, Operator } from "../../lib/operator/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { VirtualWorld } from "../virtual_world.ts";
import { widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("restore");
const KEY = { namespace: "home", name: "w" };
const AHEAD = 100_000;

/**
 * A server whose resourceVersions are higher by {@linkcode AHEAD} until it is restored from a backup, as an operator
 * sees it.
 */
class RestoredServer implements Transport {
  /** Whether its watches are cut off, and none can be opened. */
  isDown = false;
  #ahead = AHEAD;
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();

  constructor(readonly inner: Transport) {}

  /** Versions go back, and every watch breaks. */
  restore(): void {
    this.#ahead = 0;
    this.isDown = false;
    for (const stream of this.#streams) stream.error(new TypeError("connection reset"));
    this.#streams.clear();
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    if (!path.includes("/widgets")) return await this.inner.fetch(path, request);
    const asked = Number(/[?&]resourceVersion=(\d+)/.exec(path)?.[1] ?? 0), watches = path.includes("watch=true");
    if (this.#ahead === 0 && asked > AHEAD / 2) return failure(504, "Too large resource version");
    if (this.isDown && watches) return failure(503, "down");
    const known = asked > 0 ? path.replace(/resourceVersion=\d+/, `resourceVersion=${asked - this.#ahead}`) : path;
    const body = typeof request.body === "string" ? this.#lowered(request.body) : request.body;
    const response = await this.inner.fetch(known, { ...request, body });
    if (!watches || !response.body) return new Response(this.#raised(await response.text()), response);
    return new Response(this.#stream(response.body), response);
  }

  close(): void {
    this.inner.close();
  }

  #stream(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader(), decoder = new TextDecoder();
    let mine: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => void this.#streams.add(mine = controller),
      pull: async (controller) => {
        const { value, done } = await reader.read();
        if (this.isDown || !this.#streams.has(mine)) return; // what it would have shown is lost
        if (done) return controller.close();
        controller.enqueue(new TextEncoder().encode(this.#raised(decoder.decode(value, { stream: true }))));
      },
      cancel: () => reader.cancel(),
    });
  }

  #raised(text: string): string {
    return text.replace(
      /"resourceVersion":"(\d+)"/g,
      (_, version) => `"resourceVersion":"${Number(version) + this.#ahead}"`,
    );
  }

  #lowered(text: string): string {
    const field = /("resourceVersion":"|"path":"\/metadata\/resourceVersion","value":")(\d+)"/g;
    return text.replace(field, (_, before, version) => `${before}${Number(version) - this.#ahead}"`);
  }
}

function failure(code: number, message: string): Response {
  return Response.json({ kind: "Status", apiVersion: "v1", status: "Failure", code, message }, { status: code });
}

// FR-307
Deno.test("stale reads fail closed: after a restore from a backup no object waits for a version that never comes", async () => {
  const seen: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).create(({ spec }) => void seen.push(`create ${spec.size}`)).update(({ spec }) => {
    if (spec.size === 2) server.isDown = true; // the watches break before they show what is written next
    seen.push(`update ${spec.size}`);
  });
  await using world = VirtualWorld.embedded();
  await applyCrds(world.client, operator);
  await world.client.create(Namespace, { metadata: { name: "home" } });
  await world.advance(0);
  const server = new RestoredServer(world.cluster.transport());
  await world.start(operator, { transport: server });
  await world.client.create(Widget, { metadata: KEY, spec: { size: 1 } } as unknown as WidgetObject);
  await world.advance(1);
  const resize = (size: number) => world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size } } });
  await resize(2);
  await world.advance(1_000);
  assert.deepEqual(seen, ["create 1", "update 2"]);
  server.restore();
  await resize(3);
  await world.advance(75_000, 1_000);
  assert.ok(seen.includes("update 3"), seen.join());
  await resize(4);
  await world.advance(1_000);
  assert.equal(seen.at(-1), "update 4");
});
