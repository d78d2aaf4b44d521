import type { HotLoopState } from "../handling/hot_loop.ts";
import type { TimerState } from "../handling/timer_schedule.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import { jsonEqual } from "../base/json.ts";
import { Memo } from "../base/memo.ts";
import type { ChangeReport } from "./change_run.ts";
import type { HandlerProgress } from "../handling/progress.ts";
import type { PendingVersions } from "./watch_set.ts";

/**
 * What a controller remembers of one object between cycles. All of it may be lost with the process: nothing in it decides
 * what the world should look like, only what need not be done again at once.
 */
export class KeyMemory {
  /** Versions that the stores must reflect before the next cycle, because this key's last one wrote them. */
  readonly pendingWrites: PendingVersions = new Map();
  readonly timers = new Map<string, TimerState>();
  /** Timers that are not for the object as it is. */
  idleTimers: ReadonlySet<string> = new Set();
  hot: HotLoopState | undefined;
  /** Changes that wait until the hot key has rested. */
  heldReasons: ReadonlySet<string> = new Set();
  /** What the last cycle that wrote anything but status wrote, and for which generation. */
  lastTargets: ReadonlySet<string> = new Set();
  /** When the handlers asked to reconcile again, or a retry is due. */
  reconcileDueMs: number | undefined;
  /** When the object's spec or metadata last changed, as far as this process saw. */
  changedMs: number;
  /** The version that a whole cycle has dealt with, its own status write included. */
  handledVersion: string | undefined;
  /** Whether the object waits for its delete handler. */
  deleting = false;
  readonly uid: string | undefined;
  /** Whether this process has run the object's `resume` handlers, and how far each is until then. */
  resumed = false;
  resuming: Readonly<Record<string, HandlerProgress>> = {};
  /** Why the last change's handlers gave up; what is said of the object until it changes again. */
  givenUp: { readonly reason: string; readonly message: string } | undefined;
  readonly #memo = new Memo();

  constructor(object: KubeObject, nowMs: number) {
    this.uid = object.metadata?.uid;
    this.changedMs = nowMs;
  }

  /** Whether our handlers are through with the object, which somebody else still holds. */
  letGo = false;

  /** Whether the handlers of its deletion are done. */
  cleaned = false;

  /** Takes in what came of the object's changes. */
  heed({ resuming, acted, outcome, finished }: ChangeReport): void {
    this.cleaned ||= this.deleting && finished;
    this.resumed = resuming === undefined;
    this.resuming = resuming ?? {};
    if (acted) this.givenUp = outcome.kind === "failed" ? outcome : undefined;
  }

  /**
   * Waits, at most `waitMsMax` for each store, until the stores show what the last cycle wrote. Answers whether they do; where they must
   * (`required`), they are asked again the next time.
   */
  async reflected(waitMsMax: number, required: boolean, abort: AbortSignal): Promise<boolean> {
    let reflected = true;
    for (const [informer, version] of this.pendingWrites) {
      reflected = await informer.waitFor(version, waitMsMax, abort) && reflected;
    }
    if (reflected || !required) this.pendingWrites.clear();
    return reflected;
  }

  /** See `ReconcileContext.memo`. */
  memo<M>(create: () => M): M {
    return this.#memo.of(create);
  }

  /** Whether `object` is what the last cycle left behind: its own echo, on which there is nothing to do. */
  isHandled(object: KubeObject): boolean {
    const version = object.metadata?.resourceVersion;
    return version !== undefined && this.handledVersion === version;
  }
}

/**
 * Whether `after`, which a server answered to our write, differs from `before` in nothing that a handler reads but its
 * status: only then may the echo of that write be skipped, since nobody else's change came between.
 */
export function sameInput(before: KubeObject, after: KubeObject): boolean {
  const a = before.metadata ?? {}, b = after.metadata ?? {};
  return a.uid === b.uid && a.generation !== undefined && a.generation === b.generation &&
    a.deletionTimestamp === b.deletionTimestamp && jsonEqual(a.labels ?? {}, b.labels ?? {}) &&
    jsonEqual(a.annotations ?? {}, b.annotations ?? {}) && jsonEqual(a.finalizers ?? [], b.finalizers ?? []) &&
    jsonEqual(a.ownerReferences ?? [], b.ownerReferences ?? []);
}
