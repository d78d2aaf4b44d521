import type { Fault } from "./fault.ts";
import type { Plan } from "./plan.ts";

/**
 * The shortest part of a failing plan that still fails, by delta debugging (Zeller and Hildebrandt, 2002). Without any
 * one of its faults it passes. `examine` runs a part, and returns undefined where that passes.
 */
export async function reducePlan<F extends { readonly plan: Plan }>(
  failed: F,
  examine: (plan: Plan) => Promise<F | undefined>,
): Promise<F> {
  let shortest = failed, parts = 2;
  for (let { faults } = shortest.plan; faults.length > 1; { faults } = shortest.plan) {
    const shorter = await firstFailing(candidates(faults, parts), (faults) => examine({ ...failed.plan, faults }));
    if (shorter) {
      shortest = shorter;
      parts = Math.max(2, parts - 1);
    } else if (parts >= faults.length) break;
    else parts = Math.min(faults.length, parts * 2);
  }
  return shortest;
}

/** Each of so many parts of the faults, then all faults without each. */
function candidates(faults: readonly Fault[], parts: number): (readonly Fault[])[] {
  const size = Math.ceil(faults.length / parts), count = Math.ceil(faults.length / size);
  const chunks = Array.from({ length: count }, (_, nth) => faults.slice(nth * size, (nth + 1) * size));
  if (parts === 2) return chunks; // one without the other is that other
  return [...chunks, ...chunks.map((chunk) => faults.filter((fault) => !chunk.includes(fault)))];
}

async function firstFailing<F>(
  parts: readonly (readonly Fault[])[],
  examine: (faults: readonly Fault[]) => Promise<F | undefined>,
): Promise<F | undefined> {
  for (const faults of parts) {
    const failed = await examine(faults);
    if (failed) return failed;
  }
  return undefined;
}
