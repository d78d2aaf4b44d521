import type { Condition } from "../../lib/apimachinery/mod.ts";

interface Judged {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

/**
 * What is wrong with what an operator says of an object: it has to be about the present generation, and Ready as
 * `isReady` says.
 */
export function readyProblems(who: string, { metadata: { generation }, status }: Judged, isReady = true): string[] {
  const ready = status?.conditions?.find(({ type }) => type === "Ready"), problems: string[] = [];
  if ((ready?.status === "True") !== isReady) {
    problems.push(`${who}: Ready is ${ready?.status} (${ready?.reason}: ${ready?.message})`);
  }
  for (const observed of new Set([status?.observedGeneration, ready?.observedGeneration])) {
    if (observed !== generation) problems.push(`${who}: generation ${observed} of ${generation} is what was seen`);
  }
  return problems;
}
