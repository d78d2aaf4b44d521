import { type Clock, formatDuration, LinkedAbort, mapConcurrent, silentLogger } from "../base/mod.ts";
import { type ApiResource, type Condition, formatKey, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { type Client, ConflictError, NotFoundError } from "../client/mod.ts";
import { annotate, removeFinalizers } from "../controller/mod.ts";
import { NotYetError, waitUntil } from "../harness/waiting.ts";
import type { Operator } from "../operator/mod.ts";
import { type HandledKind, objectsOf } from "./inventory.ts";

interface DeleterOptions {
  /** With `dryRun` its writes are dry runs. */
  readonly client: Client;
  readonly dryRun: boolean;
  readonly operator: Operator;
  readonly clock: Clock;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  readonly out: (line: string) => void;
}

const AT_ONCE = 16;
const NAMED_MAX = 5;

/** A deletion does not finish; the caller must act. */
class StuckError extends Error {
  override readonly name = "StuckError";
}

/** Deletes objects and waits until they are gone. Skips missing ones, so it can be repeated. */
export class Deleter {
  /** Objects removed one by one, or in a dry run to be removed. */
  readonly removed: Set<string> = new Set();
  readonly #options: DeleterOptions;

  constructor(options: DeleterOptions) {
    this.#options = options;
  }

  async object(resource: ApiResource, object: KubeObject): Promise<void> {
    const { client, signal, dryRun, out } = this.#options, { uid } = object.metadata!, what = nameOf(resource, object);
    this.removed.add(what);
    // Pods go before their Deployment, or they would work on while their RBAC rules are removed.
    await this.#delete(resource, object, resource.kind === "Deployment" ? "Foreground" : undefined);
    if (dryRun) return out(`${what} would be removed`);
    await this.#wait(what, resource, async () => {
      const left = await client.find<KubeObject>(resource, keyOf(object), { metadataOnly: true, signal });
      return left?.metadata?.uid === uid && left ? [left] : [];
    }, "find what holds it with kubectl, fix that, and run the same command again");
    out(`${what} removed`);
  }

  /**
   * Deletes the objects found of a kind, and those created meanwhile; waits until all are gone. An operator must run to
   * clean up, unless `release` removes its finalizers.
   *
   * @throws {StuckError} if some remain after the bound.
   */
  async objects(handled: HandledKind, found: readonly KubeObject[], release: boolean, fix: string): Promise<void> {
    const { client, signal, out, dryRun } = this.#options, { kind, name } = handled;
    // A dry run deletes one, to show whether that is allowed.
    await mapConcurrent(dryRun ? found.slice(0, 1) : found, AT_ONCE, (object) => this.#delete(kind, object));
    if (release) await this.finalizers(handled);
    if (dryRun) return out(`${found.length} ${name} would be deleted`);
    await this.#wait(name, kind, async () => {
      const left = await objectsOf(client, kind, signal);
      const fresh = left.filter(({ metadata }) => !metadata?.deletionTimestamp);
      await mapConcurrent(fresh, AT_ONCE, (object) => this.#delete(kind, object));
      return left;
    }, fix);
    out(`${found.length} ${name} deleted`);
  }

  async finalizers({ kind, name, finalizer }: HandledKind): Promise<void> {
    const { client, signal, out, dryRun } = this.#options;
    const held = (await objectsOf(client, kind, signal)).filter(({ metadata }) =>
      metadata?.finalizers?.includes(finalizer)
    );
    if (held.length === 0) return;
    const pass = client.with({ signal });
    await mapConcurrent(
      dryRun ? held.slice(0, 1) : held,
      AT_ONCE,
      (object) => removeFinalizers(pass, kind, object, [finalizer]),
    );
    out(`finalizer ${finalizer} ${dryRun ? "would be removed" : "removed"} from ${held.length} ${name}`);
  }

  /** Removes the operator's annotations from objects that stay. */
  async records({ kind, name }: HandledKind): Promise<void> {
    const { client, operator, signal, out, dryRun } = this.#options, pass = client.with({ signal });
    const objects = await objectsOf(client, kind, signal);
    // An empty edit removes what is stored.
    const edits = await mapConcurrent(objects, AT_ONCE, (object) => operator.storage.save(object, {}, []));
    const marked = objects.flatMap((object, at) => {
      const { annotations = {} } = edits[at]!;
      return Object.keys(annotations).length > 0 ? [{ object, annotations }] : [];
    });
    if (marked.length === 0) return;
    await mapConcurrent(dryRun ? marked.slice(0, 1) : marked, AT_ONCE, ({ object, annotations }) => {
      return annotate(pass, kind, object, annotations);
    });
    out(`the operator's records ${dryRun ? "would be removed" : "removed"} from ${marked.length} ${name}`);
  }

  /** Runs the operator here for these kinds until disposed: delete handlers clean up; other kinds are left alone. */
  async operatorHere(kinds: readonly HandledKind[]): Promise<AsyncDisposable> {
    const { operator, client, clock, signal, waitMsMax } = this.#options, { transport } = client;
    const link = new LinkedAbort([signal]);
    const late = () =>
      link.abort(
        new StuckError(
          `the operator did not start within ${formatDuration(waitMsMax)}, so nothing can clean up\n` +
            "  fix: check that your account can watch what it watches; or give up on cleaning up with --release-finalizers",
        ),
      );
    const timer = clock.schedule(late, waitMsMax);
    try {
      const handles = (each: ApiResource) => kinds.some(({ kind }) => kind === each);
      return await operator.start({
        transport,
        clock,
        logger: silentLogger,
        mask: client.mask,
        handles,
        signal: link.signal,
      });
    } finally {
      clock.clear(timer);
      link[Symbol.dispose]();
    }
  }

  async #delete(
    resource: ApiResource,
    object: KubeObject,
    propagationPolicy?: "Foreground",
  ): Promise<void> {
    const { client, signal } = this.#options, { uid } = object.metadata!;
    try {
      await client.delete(resource, keyOf(object), { uid, propagationPolicy, signal });
    } catch (error) {
      // Gone, or created again: the new one was not checked.
      if (!(error instanceof NotFoundError || error instanceof ConflictError)) throw error;
    }
  }

  async #wait(what: string, resource: ApiResource, left: () => Promise<KubeObject[]>, fix: string): Promise<void> {
    const { client, clock, waitMsMax, signal } = this.#options;
    let last: KubeObject[] = [];
    try {
      await waitUntil(`${what} to be gone`, [resource], async () => {
        last = await left();
        return last.length === 0 ? { holds: true } : { holds: false, seen: `${last.length} left` };
      }, { client, clock, waitMsMax, signal });
    } catch (error) {
      if (!(error instanceof NotYetError)) throw error;
      const lines = await Promise.all(last.slice(0, NAMED_MAX).map((object) => this.#whyHeld(resource, object)));
      if (last.length > NAMED_MAX) lines.push(`and ${last.length - NAMED_MAX} more`);
      throw new StuckError(
        `${what} not gone after ${formatDuration(waitMsMax)}; nothing further was removed\n` +
          `${lines.map((line) => `  ${line}\n`).join("")}  fix: ${fix}`,
      );
    }
  }

  /** What holds an object, with the condition that explains it. */
  async #whyHeld(resource: ApiResource, object: KubeObject): Promise<string> {
    const { client, signal } = this.#options;
    const { finalizers = [] } = object.metadata!;
    const live = await client.find<KubeObject>(resource, keyOf(object), { signal }).catch(() => undefined);
    const { conditions } = ((live as { status?: unknown })?.status ?? {}) as { conditions?: Condition[] | null };
    const unmet = Array.isArray(conditions) ? conditions.find(explainsDeletion) : undefined;
    const held = finalizers.length > 0 ? `held by ${finalizers.join(", ")}` : "still exists";
    return `${formatKey(keyOf(object))}: ${held}${unmet ? `; ${unmet.type}: ${unmet.message || unmet.reason}` : ""}`;
  }
}

/** A namespace's condition lists what remains, an operator's what failed. */
function explainsDeletion({ type, status }: Condition): boolean {
  return type === "Ready" ? status === "False" : status === "True" && /Failure|Remaining|Violations/.test(type);
}

/** kubectl's form, such as `clusterrole pintle-replicator`. */
export function nameOf(resource: ApiResource, object: KubeObject): string {
  return `${resource.kind.toLowerCase()} ${formatKey(keyOf(object))}`;
}
