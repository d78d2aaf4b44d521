import type { SimulatedProcess } from "./simulated_process.ts";
import { type Actor, isUnknown, type TracedBookmark, type TracedEvent } from "./trace.ts";

/** What happens to an event of a watch of the operator. */
export type EventFate =
  | { readonly kind: "deliver" }
  /** It never arrives; the next list shows what it showed. */
  | { readonly kind: "hide" }
  /** It arrives twice. */
  | { readonly kind: "repeat" }
  /** It and all later ones of its watch arrive so much later. */
  | { readonly kind: "delay"; readonly byMs: number }
  /** The watch ends after it: the connection is cut, or its version has expired. */
  | { readonly kind: "cut" }
  | { readonly kind: "expire" };

/** When a watch that lost an event ends, so that a list shows what it showed. */
export const HIDDEN_MS = 15_000;

/** The network of a run, and what it does to the events of a watch. */
export interface DeliveryFaults {
  /** Takes the time that a message takes. */
  travel(): Promise<void>;
  pause(delayMs: number): Promise<void>;
  elapsed(): number;
  /** Until when a process sees an earlier state in this watch. */
  heldUntilMs(process: SimulatedProcess, watch: string): number;
  fateOf(event: Omit<TracedEvent, "atMs" | "nth">): EventFate;
  losesBookmark(bookmark: Pick<TracedBookmark, "process" | "watch">): boolean;
}

interface Watcher {
  readonly process: SimulatedProcess;
  readonly actor: Actor;
  readonly path: string;
}

/** A watch's body: chunks take their time, none overtakes another, and none reaches a process that died. */
export class WatchDelivery {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #cluster: DeliveryFaults;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #watcher: Watcher;
  readonly #forget: () => void;
  /** Resolves when the watch must end, for a list to show what it has hidden. */
  readonly #relist = Promise.withResolvers<"relist">();
  readonly #hidden = new Map<string, string>(); // by object: the type of its last event, if that was hidden
  #isInitial: boolean;

  constructor(cluster: DeliveryFaults, body: ReadableStream<Uint8Array<ArrayBuffer>>, watcher: Watcher) {
    this.#cluster = cluster;
    this.#reader = body.getReader();
    this.#watcher = watcher;
    this.#isInitial = watcher.path.includes("sendInitialEvents=true");
    this.#forget = watcher.process.onDeath(() => void this.#reader.cancel().catch(() => {}));
    this.body = new ReadableStream({
      pull: (controller) => watcher.actor === "operator" ? this.#pullEvents(controller) : this.#pull(controller),
      cancel: async (reason) => {
        this.#forget();
        await this.#reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    const { process } = this.#watcher, { done, value } = await process.await(this.#reader.read());
    if (done) return this.#close(controller);
    await process.await(this.#cluster.travel());
    controller.enqueue(value);
  }

  async #pullEvents(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    const { process } = this.#watcher, cluster = this.#cluster;
    const next = await process.await(Promise.race([this.#reader.read(), this.#relist.promise]));
    if (next === "relist") return this.#expire(controller);
    if (next.done) return this.#close(controller);
    await process.await(cluster.travel());
    const heldMs = cluster.heldUntilMs(process, this.#watcher.path) - cluster.elapsed();
    if (heldMs > 0) await process.await(cluster.pause(heldMs));
    let text = "", end: "cut" | "expire" | undefined;
    for (const line of new TextDecoder().decode(next.value).split("\n")) {
      if (line === "") continue;
      const fate = this.#fateOf(line);
      if (fate.kind === "hide") continue;
      if (fate.kind === "delay") await process.await(cluster.pause(fate.byMs));
      text += fate.kind === "repeat" ? `${line}\n${line}\n` : `${line}\n`;
      if (fate.kind === "cut" || fate.kind === "expire") {
        end = fate.kind;
        break;
      }
    }
    controller.enqueue(new TextEncoder().encode(text));
    if (end === "cut") {
      await this.#reader.cancel();
      this.#close(controller);
    } else if (end) this.#expire(controller);
  }

  #fateOf(line: string): EventFate {
    const { type, object } = JSON.parse(line) as { type: string; object: { metadata?: Record<string, string> } };
    if (type === "BOOKMARK" && this.#isInitial) {
      this.#isInitial = false;
      const { process, path } = this.#watcher;
      if (this.#cluster.losesBookmark({ process: process.name, watch: path.split("?")[0]! })) return { kind: "hide" };
    }
    if (type === "BOOKMARK" || type === "ERROR") return { kind: "deliver" };
    const { namespace = "", name = "", uid = "", resourceVersion = "" } = object.metadata ?? {};
    const key = `${namespace}/${name}`, watch = this.#watcher.path.split("?")[0]!;
    const hidden = this.#hidden.get(key);
    this.#hidden.delete(key);
    const { process } = this.#watcher, place = { process: process.name, watch, isInitial: this.#isInitial };
    const fate = this.#cluster.fateOf({ ...place, type, namespace, name, uid, resourceVersion });
    if (isUnknown(type, hidden)) {
      this.#relist.resolve("relist");
      return { kind: "hide" };
    }
    if (fate.kind !== "hide") return fate;
    this.#hidden.set(key, type);
    void this.#cluster.pause(HIDDEN_MS).then(() => {
      if (this.#hidden.has(key)) this.#relist.resolve("relist");
    });
    return fate;
  }

  #expire(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Expired", code: 410 };
    controller.enqueue(new TextEncoder().encode(`${JSON.stringify({ type: "ERROR", object: status })}\n`));
    void this.#reader.cancel().catch(() => {});
    this.#close(controller);
  }

  #close(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    this.#forget();
    controller.close();
  }
}
