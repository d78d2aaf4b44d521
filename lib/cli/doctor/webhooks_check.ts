import { isObject } from "../../base/mod.ts";
import { formatKey, matchesLabels, requirementsOf } from "../../apimachinery/mod.ts";
import { type BuiltinObject, Service } from "../../operator/mod.ts";
import { isWorking, podsOf, webhooksOf } from "../inventory.ts";
import { caBundleProblem } from "./ca_bundle_problem.ts";
import { type Check, type CheckContext, type Finding, ok, problem, warning } from "./check.ts";
import { serverTimeMs } from "./server_checks.ts";

/** Whether the webhooks can answer API servers and are trusted. No finding without webhooks. */
export const webhooksCheck: Check = {
  name: "webhooks",
  async run(context) {
    const { client, operator, account, signal } = context;
    const found = await webhooksOf(client, operator, signal);
    if (found.length === 0 && operator.admission.length === 0) return [];
    const fix = "let the operator run: it installs and answers its webhooks";
    if (found.length === 0) {
      return [warning("no webhook configuration is installed: API servers do not call the operator", fix)];
    }
    const nowMs = await serverTimeMs(context), working = (await podsOf(client, account, signal)).filter(isWorking);
    const findings = found.map(async ({ resource, live }): Promise<Finding> => {
      const name = `${resource.kind.toLowerCase()} ${live.metadata?.name}`;
      const webhooks = (live.webhooks ?? []) as Webhook[];
      for (const { clientConfig } of webhooks) {
        const bundleProblem = caBundleProblem(clientConfig?.caBundle, nowMs);
        if (bundleProblem) return problem(`${name}: ${bundleProblem}`, fix);
      }
      const unanswered = await whyUnanswered(webhooks, working, context);
      if (!unanswered) return ok(`${name}: ${webhooks.length} webhooks reach a pod`);
      const strict = webhooks.filter(({ failurePolicy }) => failurePolicy !== "Ignore");
      if (strict.length === 0) return warning(`${name}: ${unanswered}, and every write passes without them`, fix);
      const resources = new Set(strict.flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.resources ?? [])));
      const message = `${name}: ${unanswered}, so writes of ${[...resources].join(", ")} are refused`;
      return problem(message, `${fix}; or kubectl delete ${name}`);
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

/** Why a webhook Service reaches no pod; undefined if it does, and for URLs. */
async function whyUnanswered(
  webhooks: readonly Webhook[],
  working: readonly BuiltinObject[],
  { client, signal }: CheckContext,
): Promise<string | undefined> {
  const places = webhooks.flatMap(({ clientConfig }) => clientConfig?.service ?? []);
  for (const name of new Set(places.map(formatKey))) {
    if (working.length === 0) return "no pod answers";
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
