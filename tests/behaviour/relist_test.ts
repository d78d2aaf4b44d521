import type { Transport } from "../../lib/base/mod.ts";
import { ConfigMap } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { configMapOperator, createWidget, untilReady, widgetKind } from "../widget.ts";

const Widget = widgetKind("children-gap");

/** Watches and lists of ConfigMaps that can be held up; the first watch after that finds its version gone. */
class Gap {
  #open = Promise.resolve();
  #release = () => {};
  #cuts = new Set<AbortController>();
  #gone = false;

  transport(inner: Transport): Transport {
    return {
      fetch: async (path, request = {}) => {
        const isRead = (request.method ?? "GET") === "GET" && path.startsWith("/api/v1/configmaps");
        if (!isRead) return await inner.fetch(path, request);
        await this.#open;
        if (this.#gone && path.includes("watch=true") && !path.includes("sendInitialEvents")) {
          this.#gone = false;
          return Response.json({ kind: "Status", status: "Failure", reason: "Expired", code: 410, message: "gone" }, {
            status: 410,
          });
        }
        const cut = new AbortController();
        this.#cuts.add(cut);
        return await inner.fetch(path, {
          ...request,
          signal: AbortSignal.any([cut.signal, ...(request.signal ? [request.signal] : [])]),
        });
      },
      close: () => inner.close(),
    };
  }

  begin(): void {
    this.#gone = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#open = promise;
    this.#release = resolve;
    for (const cut of this.#cuts) cut.abort(new Error("cut"));
  }

  end(): void {
    this.#release();
  }
}

// FR-376
Deno.test("a child that was made and deleted while its watch was away comes back", async () => {
  const gap = new Gap();
  await using world = await World.open(configMapOperator(Widget));
  await world.start({ transport: gap.transport(world.cluster.transport()) });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  gap.begin();
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.client.delete(ConfigMap, key);
  gap.end();
  await world.untilObject(ConfigMap, key);
});
