import { jsonEqual } from "../base/mod.ts";
import { type DynamicObject, formatKey, keyOf } from "../apimachinery/mod.ts";
import { describeRequest } from "./fault.ts";
import type { SimulatedRun } from "./simulated_run.ts";

/**
 * What two runs of one seed first differ in, in words: values or time then come from outside of the simulation.
 * Compared until the operator comes to rest.
 */
export function firstDifference(one: SimulatedRun, other: SimulatedRun): string | undefined {
  const [left, right] = [one, other].map(({ trace }) => trace.requests.slice(0, trace.settledAfter));
  for (const [nth, request] of left!.entries()) {
    const twin = right![nth];
    const isSame = request.method === twin?.method && request.path === twin.path && request.code === twin.code &&
      request.atMs === twin.atMs;
    if (!isSame) return describeRequest(request);
  }
  if (left!.length < right!.length) return describeRequest(right![left!.length]!);
  for (const [resource, table] of one.settled.tables) {
    for (const [key, { object }] of table) {
      if (!jsonEqual(object, other.settled.tables.get(resource)?.get(key)?.object)) return describe(object);
    }
  }
  return undefined;
}

function describe(object: DynamicObject): string {
  return `${object.kind} ${formatKey(keyOf(object))}`;
}
