import { isObject } from "../../base/mod.ts";
import { formatKey, matchesLabels, requirementsOf } from "../../apimachinery/mod.ts";
import { type BuiltinObject, Service } from "../../operator/mod.ts";
import { isWorking, podsOf, webhooksOf } from "../inventory.ts";
import { authorityTrouble } from "./authority_trouble.ts";
import { type Check, type CheckContext, type Finding, ok, problem, warning } from "./check.ts";
import { serverTimeMs } from "./server_checks.ts";

/** Whether the webhooks that API servers ask can answer, and are believed. Says nothing where the operator has none. */
export const webhooksCheck: Check = {
  name: "webhooks",
  async look(examination) {
    const { client, operator, account, signal } = examination;
    const found = await webhooksOf(client, operator, signal);
    if (found.length === 0 && operator.admission.length === 0) return [];
    const fix = "let the operator run: it installs and answers its webhooks";
    if (found.length === 0) return [warning("no webhook configuration is installed: nothing asks the operator", fix)];
    const nowMs = await serverTimeMs(examination), working = (await podsOf(client, account, signal)).filter(isWorking);
    const findings = found.map(async ({ resource, live }): Promise<Finding> => {
      const name = `${resource.kind.toLowerCase()} ${live.metadata?.name}`;
      const webhooks = (live.webhooks ?? []) as Webhook[];
      for (const { clientConfig } of webhooks) {
        const trouble = authorityTrouble(clientConfig?.caBundle, nowMs);
        if (trouble) return problem(`${name}: ${trouble}`, fix);
      }
      const unanswered = await whyUnanswered(webhooks, working, examination);
      if (!unanswered) return ok(`${name}: ${webhooks.length} webhooks have somebody to ask`);
      const strict = webhooks.filter(({ failurePolicy }) => failurePolicy !== "Ignore");
      if (strict.length === 0) return warning(`${name}: ${unanswered}, and every write passes unasked`, fix);
      const resources = new Set(strict.flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.resources ?? [])));
      const says = `${name}: ${unanswered}, so writes of ${[...resources].join(", ")} are refused`;
      return problem(says, `${fix}; or kubectl delete ${name}`);
    });
    return await Promise.all(findings);
  },
};

interface Webhook {
  readonly failurePolicy?: string;
  readonly rules?: readonly { readonly resources?: readonly string[] }[];
  readonly clientConfig?: {
    readonly service?: { readonly namespace: string; readonly name: string };
    readonly caBundle?: string;
  };
}

/**
 * Why a Service that webhooks are asked behind leads to nobody; undefined where it does, and for URLs, which are
 * reached from elsewhere.
 */
async function whyUnanswered(
  webhooks: readonly Webhook[],
  working: readonly BuiltinObject[],
  { client, signal }: CheckContext,
): Promise<string | undefined> {
  const places = webhooks.flatMap(({ clientConfig }) => clientConfig?.service ?? []);
  for (const name of new Set(places.map(formatKey))) {
    if (working.length === 0) return "nobody answers";
    const place = places.find((each) => formatKey(each) === name)!;
    const live = await client.find<BuiltinObject>(Service, place, { signal });
    if (!live) return `there is no service ${name}`;
    const matchLabels = (isObject(live.spec?.selector) ? live.spec.selector : {}) as Record<string, string>;
    const requirements = requirementsOf({ matchLabels });
    if (!working.some(({ metadata }) => matchesLabels(requirements, metadata?.labels ?? {}))) {
      return `service ${name} selects none of the ${working.length} pods that work`;
    }
  }
  return undefined;
}
