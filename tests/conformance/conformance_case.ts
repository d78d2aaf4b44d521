import assert from "node:assert/strict";
import type { Transport } from "../../lib/base/mod.ts";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import type { UserInfo } from "../../lib/apiserver/mod.ts";
import type { Cluster } from "../../lib/harness/mod.ts";
import { openCluster } from "../cluster.ts";

/** An answer, read. */
export interface Answer {
  readonly code: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- the cases look into JSON of any shape
  readonly body: any;
}

const MEDIA_TYPES: Record<string, string> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** What one case works with: a cluster and a namespace of its own. */
export class Case implements AsyncDisposable {
  readonly #transport: Transport;

  private constructor(readonly cluster: Cluster, readonly namespace: string) {
    this.#transport = cluster.transport();
  }

  static async open(): Promise<Case> {
    const cluster = await openCluster();
    const test = new Case(cluster, `case-${crypto.randomUUID().slice(0, 8)}`);
    const made = await test.post("/api/v1/namespaces", { metadata: { name: test.namespace } });
    assert.equal(made.code, 201);
    return test;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete(`/api/v1/namespaces/${this.namespace}`);
    await this.cluster[Symbol.asyncDispose]();
  }

  /** The path of a resource of the core group in the case's namespace. */
  core(resource: string, name?: string): string {
    return `/api/v1/namespaces/${this.namespace}/${resource}${name === undefined ? "" : `/${name}`}`;
  }

  /** The path of a resource of another group in the case's namespace. */
  in(groupVersion: string, resource: string, name?: string): string {
    return `/apis/${groupVersion}/namespaces/${this.namespace}/${resource}${name === undefined ? "" : `/${name}`}`;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call("GET", path, undefined, headers);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.call("POST", path, body);
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.call("PUT", path, body);
  }

  delete(path: string, body?: unknown): Promise<Answer> {
    return this.call("DELETE", path, body);
  }

  patch(path: string, kind: "json" | "merge" | "strategic" | "apply", body: unknown): Promise<Answer> {
    return this.call("PATCH", path, body, { "content-type": MEDIA_TYPES[kind]! });
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    user?: UserInfo,
  ): Promise<Answer> {
    const transport = user ? this.cluster.transport(user) : this.#transport;
    const response = await transport.fetch(path, {
      method,
      headers: { accept: "application/json", "content-type": "application/json", "user-agent": "case/1", ...headers },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return { code: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** A ConfigMap that was created. */
  async configMap(name: string, rest: Record<string, unknown> = {}): Promise<DynamicObject> {
    const { metadata, ...fields } = rest as { metadata?: object };
    const made = await this.post(this.core("configmaps"), { metadata: { name, ...metadata }, ...fields });
    assert.equal(made.code, 201, JSON.stringify(made.body));
    return made.body;
  }

  /** Opens a watch; dispose of it. */
  async watch(path: string, accept: string = "application/json"): Promise<WatchReader> {
    const abort = new AbortController();
    const headers = { accept };
    const response = await this.#transport.fetch(path, { headers, signal: abort.signal, streaming: true });
    assert.equal(response.status, 200);
    return new WatchReader(response, abort);
  }

  /** Waits, on a watch, until the object of `path` is as wanted; undefined stands for its absence. */
  async until(path: string, wanted: (object: DynamicObject | undefined) => boolean): Promise<void> {
    const collection = path.slice(0, path.lastIndexOf("/")), name = path.slice(path.lastIndexOf("/") + 1);
    const now = await this.get(`${collection}?fieldSelector=metadata.name%3D${name}`);
    if (wanted(now.body.items[0])) return;
    const from = now.body.metadata.resourceVersion;
    const selector = `watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${from}&timeoutSeconds=60`;
    await using reader = await this.watch(`${collection}?${selector}`);
    for (;;) {
      const event = await reader.next();
      assert(event, `the watch of ${path} ended before the object was as wanted`);
      if (wanted(event.type === "DELETED" ? undefined : event.object)) return;
    }
  }
}

/** A watch event. */
export interface Event {
  type: string;
  // deno-lint-ignore no-explicit-any -- the cases look into JSON of any shape
  object: any;
}

/** Reads the events of a watch one by one. */
export class WatchReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #abort: AbortController;
  #text = "";

  constructor(response: Response, abort: AbortController) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    this.#abort = abort;
  }

  /** The next event; undefined at the end. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return JSON.parse(line);
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
  }

  /** The next events as `TYPE name`. */
  async take(count: number): Promise<string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const event = await this.next();
      assert(event, `the watch ended after ${seen.join(", ")}`);
      seen.push(`${event.type} ${event.object.metadata?.name ?? ""}`.trim());
    }
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    this.#abort.abort();
  }
}

/** Registers a case that holds on every API server. */
export function conformance(claim: string, run: (test: Case) => Promise<void>): void {
  Deno.test(claim, async () => {
    await using test = await Case.open();
    await run(test);
  });
}
