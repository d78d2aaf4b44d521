import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Memo } from "../base/memo.ts";
import type { Random } from "../base/random.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import type { Client } from "../client/mod.ts";
import type { HotLoopOptions } from "../handling/hot_loop.ts";
import type { HandledStateStorage } from "../handling/storage.ts";
import type { BackoffOptions } from "../queue/backoff.ts";
import type { ChildKinds } from "./children.ts";
import type { EventRecorder } from "./event_recorder.ts";
import type { IndexSet } from "./index_set.ts";
import type { NamespaceScope } from "./namespace_scope.ts";
import type { ControllerObserver } from "./observer.ts";
import type { SharedInformers } from "./shared_informers.ts";

/** Bounds of a controller; all have defaults. */
export interface ControllerOptions {
  /** Cycles at the same time, each on another object. */
  readonly workersMax: number;
  /** Longest run of a handler that names no timeout of its own. */
  readonly timeoutMs: number;
  /** Pauses after failures of one object in a row. */
  readonly backoff: BackoffOptions;
  /** Longest wait for the store to show what the last cycle wrote. */
  readonly ownWriteWaitMsMax: number;
  /** When an object's cycles count as a loop, and how far they are slowed down. */
  readonly hotLoop: HotLoopOptions;
}

/** What holds unless somebody says otherwise. */
export const CONTROLLER_DEFAULTS: ControllerOptions = {
  workersMax: 16,
  timeoutMs: 300_000,
  backoff: { initialMs: 500, maxMs: 300_000 },
  ownWriteWaitMsMax: 5_000,
  hotLoop: { writesInARowMax: 10, windowMs: 10_000, pauseMsMax: 60_000 },
};

/** What a controller is given. */
export interface ControllerDeps {
  /** Every request goes through it. */
  readonly client: Client;
  /** Watches, shared with the other controllers. */
  readonly informers: SharedInformers;
  /** The resource of a child's kind. */
  readonly resolveKind: ChildKinds["resolve"];
  /** Posts what handlers say about their objects. */
  readonly events: EventRecorder;
  /** Times everything: delays, timeouts, timers. */
  readonly clock: Clock;
  /** Scatters pauses and makes identifiers. */
  readonly random: Random;
  /** Lines about an object add its kind, namespace and name. */
  readonly logger: Logger;
  /** Metrics and spans. */
  readonly observer?: ControllerObserver;
  /** Field manager of status and children. */
  readonly fieldManager: string;
  /** What stores keep of the kind and of what it owns; the same function for every controller, so that they share stores. */
  readonly project: (object: KubeObject) => KubeObject;
  /** Set on objects whose kind has a delete handler: a qualified name, the operator's own. */
  readonly finalizer: string;
  /** What handlers of all kinds share. */
  readonly shared: Memo;
  /** Where it works. */
  readonly scope: NamespaceScope;
  /** Finalizers of operators that this one replaces. */
  readonly takesOver: readonly string[];
  /** Indexes of all kinds. */
  readonly indexes: IndexSet;
  /** Where the handling of changes is remembered. */
  readonly storage: HandledStateStorage;
  /** Bounds; those of a handler or a declaration go before them. */
  readonly options: ControllerOptions;
}
