import { type Clock, describeError, type Logger, type Random, type TimerHandle } from "../base/mod.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/mod.ts";
import { type Client, discoverAll, type DiscoveredResource } from "../client/mod.ts";
import type { SharedInformers } from "../controller/mod.ts";
import { backoffMs, type BackoffOptions } from "../queue/mod.ts";
import { selectedKinds } from "./kind_selection.ts";
import { describeSelector } from "./kind_selector.ts";
import type { KindSelection } from "./operator_declaration.ts";

/** CRDs come in groups, and are not served at once: discovery waits this long without events. */
const QUIET_MS = 1_000;
/** Before discovery, which lags behind or was incomplete, is read again. */
const RETRY: BackoffOptions = { initialMs: 10_000, maxMs: 120_000 };

const CRDS: ApiResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

interface KindWatchDeps {
  readonly client: Client;
  readonly informers: SharedInformers;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Left out: they have their own handlers. */
  readonly declared: readonly ApiResource[];
  /** Handles a served, selected kind until `gone` aborts. */
  begin(selection: KindSelection, kind: DiscoveredResource, gone: AbortSignal): void;
}

/** Finds selected kinds, also of later CRDs; notices removals and new versions. Groups missing in discovery stay. */
export class KindWatch {
  readonly #selections: readonly KindSelection[];
  readonly #deps: KindWatchDeps;
  readonly #begun = new Map<string, { readonly kind: ApiResource; readonly end: AbortController }>();
  readonly #reported = new Set<string>();
  #timer: TimerHandle | undefined;
  #discovering: Promise<void> = Promise.resolve();
  /** Consecutive reads that were incomplete. */
  #failures = 0;
  #changed = false;

  constructor(selections: readonly KindSelection[], deps: KindWatchDeps) {
    this.#selections = selections;
    this.#deps = deps;
  }

  async follow(signal: AbortSignal): Promise<void> {
    using lease = this.#deps.informers.acquire({ resource: CRDS, metadataOnly: true });
    const unsubscribe = lease.informer.onEvent(() => {
      this.#changed = true;
      this.#schedule(QUIET_MS, signal);
    });
    this.#schedule(0, signal);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    unsubscribe();
    if (this.#timer !== undefined) this.#deps.clock.clear(this.#timer);
    await this.#discovering;
  }

  #schedule(delayMs: number, signal: AbortSignal): void {
    const { clock } = this.#deps;
    if (this.#timer !== undefined) clock.clear(this.#timer);
    this.#timer = signal.aborted ? undefined : clock.schedule(() => {
      this.#timer = undefined;
      this.#discovering = this.#discovering.then(() => this.#discoverWithRetries(signal));
    }, delayMs);
  }

  /** Schedules another read if this one may be incomplete, unless a change scheduled one. */
  async #discoverWithRetries(signal: AbortSignal): Promise<void> {
    const confirms = this.#changed;
    this.#changed = false;
    let complete = false;
    try {
      complete = await this.#discover(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#deps.logger.warn("the kinds of the cluster cannot be discovered; trying again", {
        error: describeError(error),
      });
    }
    this.#failures = complete ? 0 : this.#failures + 1;
    if ((confirms || !complete) && this.#timer === undefined) {
      this.#schedule(backoffMs(RETRY, this.#failures, this.#deps.random), signal);
    }
  }

  /** False if discovery is incomplete. */
  async #discover(signal: AbortSignal): Promise<boolean> {
    const { client, declared, begin, logger } = this.#deps;
    const { resources, unknown } = await discoverAll(client, signal);
    if (signal.aborted) return true;
    const there = selectedKinds(this.#selections, declared, resources, this.#logAmbiguous.bind(this));
    for (const [name, { kind, end }] of this.#begun) {
      const now = there.get(name)?.kind;
      if (now && isSame(now, kind)) continue;
      // The kind, or its version, may exist all the same.
      if (unknown.some(({ group, version }) => group === kind.group && (!now || version === kind.version))) continue;
      logger.info(now ? "a selected kind is served in another version or scope" : "a selected kind is gone", {
        kind: name,
        ...now && { version: now.version },
      });
      this.#begun.delete(name);
      end.abort();
    }
    for (const [name, { selection, kind }] of there) {
      if (this.#begun.has(name)) continue;
      const end = new AbortController();
      this.#begun.set(name, { kind, end });
      begin(selection, kind, end.signal);
    }
    return unknown.length === 0;
  }

  #logAmbiguous({ selector }: KindSelection, kinds: readonly DiscoveredResource[]): void {
    const named = kinds.map(formatGroupResource).join(", ");
    if (this.#reported.has(named)) return;
    this.#reported.add(named);
    this.#deps.logger.warn("a selector matches kinds of several groups, and none is handled: name the group", {
      selector: describeSelector(selector),
      kinds: named,
    });
  }
}

/** Handlers of another version or scope would watch what is not there. */
function isSame(now: ApiResource, before: ApiResource): boolean {
  return now.version === before.version && now.kind === before.kind && now.namespaced === before.namespaced;
}
