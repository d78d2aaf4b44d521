import type { Logger } from "../base/log.ts";
import { type Random, randomSuffix } from "../base/random.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { CyclePlan } from "./cycle.ts";
import type { ControllerObserver, CycleSpan } from "./observer.ts";

const UNTRACED: CycleSpan = { ended: () => {} };

/** What a cycle's trace is made with. */
export interface CycleTracing {
  readonly kind: ApiResource;
  readonly observer: ControllerObserver | undefined;
  readonly random: Random;
  /** Lines about the object. */
  readonly logger: Logger;
}

/** Runs a cycle within a span of its own, and with a logger whose lines carry the cycle's name, and the trace's where there is one. */
export function tracedCycle<T extends KubeObject, Spec, Status extends object>(
  { object, cause }: CyclePlan<T, Spec, Status>,
  { kind: { kind }, observer, random, logger }: CycleTracing,
  work: (span: CycleSpan, log: Logger) => Promise<void>,
): Promise<void> {
  const { namespace, name = "" } = object.metadata ?? {}, reconcile = randomSuffix(random, 8);
  const attributes = {
    "k8s.object.kind": kind,
    ...(namespace ? { "k8s.namespace.name": namespace } : {}),
    "k8s.object.name": name,
    "reconcile.id": reconcile,
    "reconcile.cause": cause.kind,
  };
  const span = observer?.span ?? ((_name, _attributes, work) => work(UNTRACED));
  return span(`reconcile ${kind}`, attributes, (active) => {
    const { traceId } = active;
    return work(active, logger.with(traceId ? { reconcile, trace_id: traceId } : { reconcile }));
  });
}
