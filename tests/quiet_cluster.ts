import { sleep, SystemClock, type Transport, type TransportRequest } from "../lib/base/mod.ts";
import type { Cluster, ClusterKind, ClusterUser } from "../lib/harness/mod.ts";

/**
 * Turns of a millisecond without a request that count as quiet, and most turns that are waited for it: sockets need
 * real time.
 */
const QUIET_TURNS = 10, TURNS_MAX = 5_000;

const REAL_TIME = new SystemClock();

/**
 * A change that an answer told of: of what collection, in which version or, where the object went at once, of which
 * object.
 */
interface Change {
  readonly path: string;
  readonly version: number;
  readonly goneUid: string | undefined;
}

/** A watch that is open, and how far it has come. */
interface Stream {
  readonly path: string;
  version: number;
  readonly gone: Set<string>;
}

/**
 * A cluster behind sockets of which it can be told when it is quiet: no request is under way, and every watch of a
 * whole collection has shown what was written through it. So a test may turn a clock of its own while a real API server
 * answers in real time.
 */
export class QuietCluster implements Cluster {
  readonly #inner: Cluster;
  readonly #streams = new Set<Stream>();
  #changes: Change[] = [];
  #underWay = 0;

  constructor(inner: Cluster) {
    this.#inner = inner;
  }

  get kind(): ClusterKind {
    return this.#inner.kind;
  }

  get kubeconfig(): string | undefined {
    return this.#inner.kubeconfig;
  }

  get stays(): boolean | undefined {
    return this.#inner.stays;
  }

  transport(user?: ClusterUser): Transport {
    const inner = this.#inner.transport(user);
    return {
      fetch: async (path, request = {}) => {
        this.#underWay++;
        try {
          return await (path.includes("watch=") ? this.#watch(inner, path, request) : this.#ask(inner, path, request));
        } finally {
          this.#underWay--;
        }
      },
      close: () => inner.close(),
    };
  }

  /** Resolves when nothing is under way and every watch has shown what was written. */
  async quiet(): Promise<void> {
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns >= TURNS_MAX) throw new Error(`the cluster does not come to rest: ${this.#unrest()}`);
      // A real server says nothing when it is at rest: only time without an answer or event shows it.
      await sleep(REAL_TIME, 1);
      this.#changes = this.#changes.filter((change) => !this.#isSeen(change));
      quiet = this.#underWay === 0 && this.#changes.length === 0 ? quiet + 1 : 0;
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#inner[Symbol.asyncDispose]();
  }

  /** An answer is read whole, so that it is not under way when its reader gets it. */
  async #ask(inner: Transport, path: string, request: TransportRequest): Promise<Response> {
    const answer = await inner.fetch(path, request), text = await answer.text();
    if (answer.ok && (request.method ?? "GET") !== "GET" && !path.includes("dryRun=")) this.#note(path, text);
    const { status, headers } = answer;
    return new Response(status === 204 ? null : text, { status, headers });
  }

  #note(path: string, text: string): void {
    const { metadata, details } = JSON.parse(text);
    const version = Number(metadata?.resourceVersion), goneUid: string | undefined = details?.uid;
    if (version > 0 || goneUid) this.#changes.push({ path, version, goneUid });
  }

  async #watch(inner: Transport, path: string, request: TransportRequest): Promise<Response> {
    const answer = await inner.fetch(path, request);
    if (!answer.ok || !answer.body) return answer;
    const [collection, query] = path.split("?") as [string, string], search = new URLSearchParams(query);
    if (search.has("labelSelector") || search.has("fieldSelector")) return answer;
    const stream: Stream = { path: collection, version: Number(search.get("resourceVersion") ?? 0), gone: new Set() };
    this.#streams.add(stream);
    const body = answer.body.pipeThrough(this.#follow(stream));
    const { status, headers } = answer;
    return new Response(body, { status, headers });
  }

  #follow(stream: Stream): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    const decoder = new TextDecoder();
    let rest = "";
    const end = () => void this.#streams.delete(stream);
    return new TransformStream({
      transform: (chunk, controller) => {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          const { type, object } = JSON.parse(line);
          stream.version = Math.max(stream.version, Number(object.metadata?.resourceVersion ?? 0));
          if (type === "DELETED") stream.gone.add(object.metadata.uid);
        }
        controller.enqueue(chunk);
      },
      flush: end,
      cancel: end,
    });
  }

  #isSeen({ path, version, goneUid }: Change): boolean {
    return [...this.#streams].filter((stream) => covers(stream.path, path)).every((stream) =>
      goneUid ? stream.gone.has(goneUid) : stream.version >= version
    );
  }

  #unrest(): string {
    const changes = this.#changes.map(({ path, version, goneUid }) => `${path} ${goneUid ?? version}`);
    return [`${this.#underWay} requests under way`, ...changes].join("; ");
  }
}

/** Whether a watch of one collection, in a namespace or in all, shows the objects at a path. */
function covers(watched: string, path: string): boolean {
  const [, root, namespace, plural] = /^(.*?)(?:\/namespaces\/([^/]+))?\/([^/]+)$/.exec(watched)!;
  const at = path.split("?")[0]!, inNamespace = /^(.*?)\/namespaces\/([^/]+)\/([^/]+)/.exec(at);
  if (!inNamespace) return at === watched || at.startsWith(`${watched}/`);
  return inNamespace[1] === root && inNamespace[3] === plural && (!namespace || inNamespace[2] === namespace);
}
