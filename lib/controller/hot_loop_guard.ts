import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { formatKey } from "../apimachinery/object.ts";
import { formatGroupResource } from "../apimachinery/resource.ts";
import { afterRepeatedWrite, type HotLoopOptions, isHot } from "../handling/hot_loop.ts";
import type { WriteRecord } from "./cycle_client.ts";
import type { KeyMemory } from "./key_memory.ts";
import { mayLoop } from "./key_schedule.ts";
import type { ControllerObserver } from "./observer.ts";

/** Notices objects whose cycles provoke one another, and says so. */
export class HotLoopGuard {
  readonly #options: HotLoopOptions;
  readonly #deps: { readonly clock: Clock; readonly observer?: ControllerObserver; logger(key: string): Logger };

  constructor(
    options: HotLoopOptions,
    deps: { readonly clock: Clock; readonly observer?: ControllerObserver; logger(key: string): Logger },
  ) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Enters what a cycle wrote; answers whether the key's next look changes by that. */
  after(
    key: string,
    generation: number | undefined,
    reasons: ReadonlySet<string>,
    memory: KeyMemory,
    writes: readonly WriteRecord[],
  ): boolean {
    // The echo of a status write is never handled, so it cannot drive a loop. A new generation is work, not a loop.
    const targets = new Set(
      writes.filter(({ subresource }) => subresource !== "status")
        .map((write) => `${generation} ${formatGroupResource(write.resource)} ${formatKey(write.key)}`),
    );
    if (targets.size === 0) return false;
    const again = [...targets].some((target) => memory.lastTargets.has(target));
    memory.lastTargets = targets;
    if (!again || !mayLoop(reasons)) return false;
    const before = isHot(memory.hot, this.#options);
    memory.hot = afterRepeatedWrite(memory.hot, this.#deps.clock.now(), this.#options);
    if (!before && isHot(memory.hot, this.#options)) this.report(key, true);
    return true;
  }

  /** Says that a key runs hot, or no longer does. */
  report(key: string, hot: boolean): void {
    this.#deps.observer?.hot?.(key, hot);
    const log = this.#deps.logger(key);
    if (hot) log.warn("hot loop: reconciles write the same again and again without converging; slowing down");
    else log.info("hot loop ended");
  }
}
