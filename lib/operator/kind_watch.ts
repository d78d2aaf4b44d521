import type { Clock, TimerHandle } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import { type Client, discover, type DiscoveredResource } from "../client/mod.ts";
import type { SharedInformers } from "../controller/shared_informers.ts";
import { selectedKinds } from "./kind_selection.ts";
import { describeSelector } from "./kind_selector.ts";
import type { KindSelection } from "./operator.ts";

/** CRDs come in bunches, and a new one is not served at once: so long nothing more must come before the next look. */
const QUIET_MS = 1_000;
/** Before another look where one failed. */
const RETRY_MS = 10_000;

const CRDS: ApiResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

/** What a watch of kinds is given. */
export interface KindWatchDeps {
  readonly client: Client;
  readonly informers: SharedInformers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Kinds that have handlers of their own: they are left out. */
  readonly declared: readonly ApiResource[];
  /** A kind that is selected is there. */
  begin(selection: KindSelection, kind: DiscoveredResource): void;
  /** It is there no longer. */
  end(kind: ApiResource): void;
}

/** Finds the kinds that an operator selects, those that are there and those whose CRDs come later, and notices when they go. */
export class KindWatch {
  readonly #selections: readonly KindSelection[];
  readonly #deps: KindWatchDeps;
  readonly #begun = new Map<string, ApiResource>();
  readonly #told = new Set<string>();
  #timer: TimerHandle | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(selections: readonly KindSelection[], deps: KindWatchDeps) {
    this.#selections = selections;
    this.#deps = deps;
  }

  /** Follows the kinds of the cluster until `signal` aborts; resolves then. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, informers } = this.#deps;
    using lease = informers.acquire({ resource: CRDS, metadataOnly: true });
    const soon = (delayMs: number) => {
      if (this.#timer !== undefined) clock.clear(this.#timer);
      this.#timer = signal.aborted ? undefined : clock.schedule(() => {
        this.#timer = undefined;
        this.#looking = this.#looking.then(() => this.#look(signal)).catch((error) => {
          if (signal.aborted) return;
          this.#deps.logger.warn("the kinds of the cluster cannot be told; trying again", {
            error: describeError(error),
          });
          soon(RETRY_MS);
        });
      }, delayMs);
    };
    const unsubscribe = lease.informer.onEvent(() => soon(QUIET_MS));
    soon(0);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    unsubscribe();
    if (this.#timer !== undefined) clock.clear(this.#timer);
    await this.#looking;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const discovered = await discover(this.#deps.client, signal);
    if (signal.aborted) return;
    const tell = this.#tellAmbiguous.bind(this);
    const there = selectedKinds(this.#selections, this.#deps.declared, discovered, tell);
    for (const [name, { selection, kind }] of there) {
      if (this.#begun.has(name)) continue;
      this.#begun.set(name, kind);
      this.#deps.begin(selection, kind);
    }
    for (const [name, kind] of this.#begun) {
      if (there.has(name)) continue;
      this.#begun.delete(name);
      this.#deps.end(kind);
    }
  }

  #tellAmbiguous({ selector }: KindSelection, kinds: readonly DiscoveredResource[]): void {
    const named = kinds.map(formatGroupResource).join(", ");
    if (this.#told.has(named)) return;
    this.#told.add(named);
    this.#deps.logger.warn("a selector means kinds of several groups, and none is served: name the group", {
      selector: describeSelector(selector),
      kinds: named,
    });
  }
}
