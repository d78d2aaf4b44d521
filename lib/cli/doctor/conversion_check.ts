import { describeError } from "../../base/mod.ts";
import type { DynamicObject } from "../../apimachinery/mod.ts";
import { converterOf, CRDS, type KindConversion } from "../../admission/mod.ts";
import { ApiError, ForbiddenError } from "../../client/mod.ts";
import { caBundleProblem } from "./ca_bundle_problem.ts";
import { type Check, type CheckContext, type Finding, ok, problem } from "./check.ts";
import { serverTimeMs } from "./server_checks.ts";

/** Whether objects can be read in every version that the operator converts. No finding without conversions. */
export const conversionCheck: Check = {
  name: "conversion",
  async run(context) {
    const found = await Promise.all(context.operator.conversions.map((each) => conversionFindings(each, context)));
    return found.flat();
  },
};

async function conversionFindings({ crd, hub, converted }: KindConversion, context: CheckContext): Promise<Finding[]> {
  const { client, operator, command, signal } = context;
  const live = await client.find<DynamicObject>(CRDS, { name: crd }, { signal });
  const kind = operator.declarations.find(({ kind: { plural, group } }) => `${plural}.${group}` === crd)?.kind;
  if (!live || !kind) return []; // the check of the installation reports it
  const converter = converterOf(live),
    lost = `objects are refused in ${converted}, and what is stored in it in ${hub}, too`;
  const fix = `let the operator run, with its Service and the NetworkPolicy of its pods open for port 9443`;
  if (!converter) return [problem(`${crd}: no webhook converts ${converted}`, `${command} install`)];
  const bundleProblem = caBundleProblem(converter.caBundle, await serverTimeMs(context));
  if (bundleProblem) return [problem(`${crd}: ${bundleProblem}: ${lost}`, fix)];
  try {
    const { items } = await client.list({ ...kind, version: converted }, { limit: 1, metadataOnly: true, signal });
    const message = items.length > 0 ? `${crd}: ${converted} is converted` : `${crd}: there is nothing to convert yet`;
    return [ok(message)];
  } catch (error) {
    if (!(error instanceof ApiError) || error instanceof ForbiddenError) throw error;
    return [problem(`${crd}: ${lost}: ${describeError(error)}`, fix)];
  }
}
