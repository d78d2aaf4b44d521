import type { JsonValue } from "../base/json.ts";
import { applyJsonPatch } from "../apimachinery/json_patch.ts";
import { applyMergePatch } from "../apimachinery/merge_patch.ts";
import { formatKey, keyOf, type KubeObject, type ObjectKey } from "../apimachinery/object.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import { apiErrorOf, type Client } from "../client/mod.ts";
import { CycleClient, type WriteRecord } from "./cycle_client.ts";
import { type PlannedChange, plannedChanges } from "./planned_change.ts";

/** One write that a cycle would make. */
export interface PlannedWrite extends Pick<WriteRecord, "verb" | "resource" | "key" | "subresource"> {
  /** Whether the object is there now; a write to one that is not makes it. */
  readonly exists: boolean;
  /** What it would change; empty for a deletion, and for a write that changes nothing. */
  readonly changes: readonly PlannedChange[];
  /** Whether the server has checked it: it cannot check what only an earlier write of the same plan makes possible. */
  readonly checked: boolean;
}

/** What one plan has made of the world so far. */
interface Book {
  readonly writes: PlannedWrite[];
  /** By resource and key what an object would be by now; null where it would be gone. */
  readonly states: Map<string, KubeObject | null>;
}

/**
 * The client of a cycle that is only planned: each write goes to the server as a dry run, which admits, validates and answers it as if
 * it were meant, and is entered with what it would change. Reads of single objects see what the plan wrote before them; lists do not.
 */
export class PlanningClient extends CycleClient {
  override readonly dryRun = true;
  readonly #client: Client;
  readonly #signal: AbortSignal;
  readonly #book: Book;

  /** Assumes that `client` sends dry runs only. */
  constructor(client: Client, signal: AbortSignal, book: Book = { writes: [], states: new Map() }) {
    super(client, signal);
    this.#client = client;
    this.#signal = signal;
    this.#book = book;
  }

  /** Every write so far, oldest first. */
  get planned(): readonly PlannedWrite[] {
    return this.#book.writes;
  }

  /** See {@linkcode CycleClient.withSignal}. */
  override withSignal(signal: AbortSignal): PlanningClient {
    return new PlanningClient(this.#client, signal, this.#book);
  }

  /** See {@linkcode CycleClient.get}. */
  override async get<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    options?: { metadataOnly?: boolean },
  ): Promise<T> {
    const state = this.#book.states.get(idOf(resource, key));
    if (state === undefined) return await super.get<T>(resource, key, options);
    if (state) return state as T;
    const message = `${formatGroupResource(resource)} "${key.name}" not found`, details = { name: key.name };
    throw apiErrorOf(
      { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404, message, details },
      { verb: "get", resource, key },
    );
  }

  /** See {@linkcode CycleClient.find}. */
  override async find<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    options?: { metadataOnly?: boolean },
  ): Promise<T | undefined> {
    const state = this.#book.states.get(idOf(resource, key));
    if (state === undefined) return await super.find<T>(resource, key, options);
    return state === null ? undefined : state as T;
  }

  /** See {@linkcode CycleClient.create}. */
  override async create<T extends KubeObject>(resource: ApiResource, object: T): Promise<T> {
    const target = { verb: "create", resource, key: keyOf(object) } as const;
    // The server still has the one that the plan deleted.
    if (this.#state(target) === null) return this.#enter(target, undefined, object, false);
    const made = await this.#client.create(resource, object, { signal: this.#signal });
    return this.#enter({ ...target, key: keyOf(made) }, undefined, made);
  }

  /** See {@linkcode CycleClient.replace}. */
  override replace<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: { subresource?: string } = {},
  ): Promise<T> {
    const target = { verb: "replace", resource, key: keyOf(object), ...options } as const;
    return this.#write(target, () => object, () => {
      return this.#client.replace(resource, object, { ...options, signal: this.#signal });
    });
  }

  /** See {@linkcode CycleClient.apply}. */
  override apply<T extends KubeObject>(
    resource: ApiResource,
    object: T,
    options: { subresource?: string } = {},
  ): Promise<T> {
    const target = { verb: "apply", resource, key: keyOf(object), ...options } as const;
    return this.#write(target, (state) => applyMergePatch(state ?? {}, object) as T, () => {
      return this.#client.apply(resource, object, { ...options, force: true, signal: this.#signal });
    });
  }

  /** See {@linkcode CycleClient.patch}. */
  override patch<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    body: JsonValue,
    { type, subresource }: { type: "json" | "merge" | "strategic"; subresource?: string },
  ): Promise<T> {
    const target = { verb: "patch", resource, key, subresource } as const;
    const patched = (state: KubeObject | undefined) => {
      return type === "json" ? applyJsonPatch(state ?? {}, body) : applyMergePatch(state ?? {}, body);
    };
    return this.#write<T>(target, (state) => patched(state) as T, () => {
      return this.#client.patch<T>(resource, key, body, { type, subresource, signal: this.#signal });
    });
  }

  /** See {@linkcode CycleClient.delete}. */
  override async delete(
    resource: ApiResource,
    key: ObjectKey,
    options?: { uid?: string; resourceVersion?: string; propagationPolicy?: "Background" | "Foreground" | "Orphan" },
  ): Promise<void> {
    const isPlanned = await this.#isPlanned({ verb: "delete", resource, key });
    if (!isPlanned) await this.#client.delete(resource, key, { ...options, signal: this.#signal });
    else await this.get(resource, key); // says so where the plan deleted it before
    this.#book.writes.push({ verb: "delete", resource, key, exists: !isPlanned, changes: [], checked: !isPlanned });
    this.#book.states.set(idOf(resource, key), null);
  }

  /** A write to something that may exist in the plan only: the server cannot answer that, and `alone` works it out. */
  async #write<T extends KubeObject>(
    target: Target,
    alone: (state: KubeObject | undefined) => T,
    send: () => Promise<T>,
  ): Promise<T> {
    const { resource, key, verb } = target;
    if (await this.#isPlanned(target)) {
      const state = this.#state(target) ?? undefined;
      if (!state && verb !== "apply") await this.get(resource, key); // throws as the server would
      return this.#enter(target, undefined, alone(state), false);
    }
    const before = await this.#client.find<KubeObject>(resource, key, { signal: this.#signal });
    return this.#enter(target, before, await send());
  }

  #state({ resource, key }: Target): KubeObject | null | undefined {
    return this.#book.states.get(idOf(resource, key));
  }

  /** Whether the server has another picture of the object than the plan: made, or gone, in the plan alone. */
  async #isPlanned(target: Target): Promise<boolean> {
    const state = this.#state(target);
    if (state === undefined) return false;
    return state === null ||
      !await this.#client.find(target.resource, target.key, { metadataOnly: true, signal: this.#signal });
  }

  #enter<T extends KubeObject>(target: Target, before: KubeObject | undefined, after: T, checked = true): T {
    const { resource, subresource } = target;
    const status = (object: KubeObject | undefined) => object && { status: (object as { status?: unknown }).status };
    // A write of the status changes nothing else, whatever the plan wrote to the rest before.
    const changes = subresource === "status"
      ? plannedChanges(resource, status(before) as KubeObject, status(after) as KubeObject)
      : plannedChanges(resource, before, after);
    this.#book.writes.push({ ...target, exists: before !== undefined, changes, checked });
    // Nothing was stored, so the version that guards the next write is still the old one.
    const resourceVersion = before?.metadata?.resourceVersion;
    const result = { ...after, metadata: { ...after.metadata, ...(resourceVersion ? { resourceVersion } : {}) } };
    this.#book.states.set(idOf(resource, target.key), result);
    return result;
  }
}

type Target = Pick<PlannedWrite, "verb" | "resource" | "key" | "subresource">;

function idOf(resource: ApiResource, key: ObjectKey): string {
  return `${formatGroupResource(resource)} ${formatKey(key)}`;
}
