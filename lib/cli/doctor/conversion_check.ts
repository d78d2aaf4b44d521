import { describeError } from "../../base/mod.ts";
import type { DynamicObject } from "../../apimachinery/mod.ts";
import { converterOf, CRDS, type KindConversion } from "../../admission/mod.ts";
import { ApiError, ForbiddenError } from "../../client/mod.ts";
import { authorityTrouble } from "./authority_trouble.ts";
import { type Check, type CheckContext, type Finding, ok, problem } from "./check.ts";
import { serverTimeMs } from "./server_checks.ts";

/** Whether objects can be had in every version that the operator converts. Says nothing where it converts none. */
export const conversionCheck: Check = {
  name: "conversion",
  async look(examination) {
    const found = await Promise.all(examination.operator.conversions.map((each) => judge(each, examination)));
    return found.flat();
  },
};

async function judge({ crd, hub, converted }: KindConversion, examination: CheckContext): Promise<Finding[]> {
  const { client, operator, command, signal } = examination;
  const live = await client.find<DynamicObject>(CRDS, { name: crd }, { signal });
  const kind = operator.declarations.find(({ kind: { plural, group } }) => `${plural}.${group}` === crd)?.kind;
  if (!live || !kind) return []; // what is not installed has been told
  const asked = converterOf(live),
    lost = `objects are refused in ${converted}, and what is stored in it in ${hub}, too`;
  const fix = `let the operator run, with its Service and the NetworkPolicy of its pods open for port 9443`;
  if (!asked) return [problem(`${crd}: nobody is asked to convert ${converted}`, `${command} install`)];
  const trouble = authorityTrouble(asked.caBundle, await serverTimeMs(examination));
  if (trouble) return [problem(`${crd}: ${trouble}: ${lost}`, fix)];
  try {
    const { items } = await client.list({ ...kind, version: converted }, { limit: 1, metadataOnly: true, signal });
    const says = items.length > 0 ? `${crd}: ${converted} is converted` : `${crd}: there is nothing to convert yet`;
    return [ok(says)];
  } catch (error) {
    if (!(error instanceof ApiError) || error instanceof ForbiddenError) throw error;
    return [problem(`${crd}: ${lost}: ${describeError(error)}`, fix)];
  }
}
