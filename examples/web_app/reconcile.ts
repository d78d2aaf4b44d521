import { ConfigMap, CronJob, Deployment, type Operator, PodDisruptionBudget, Service } from "@pintle/pintle";
import { budgetOf, configHash, configMapOf, cronJobOf, deploymentOf, serviceOf } from "./children.ts";
import { rolloutOf } from "./rollout.ts";
import { applySessionKey, SessionKey } from "./session_key.ts";
import { WebApp, type WebAppContext } from "./web_app.ts";

export function reconcileWebApps(operator: Operator): void {
  operator.on(WebApp).reconcile(reconcile, {
    owns: [ConfigMap, SessionKey, Service, Deployment, CronJob, PodDisruptionBudget],
  });
}

async function reconcile(context: WebAppContext): Promise<void> {
  const { name, spec, apply, prune, status } = context;
  await apply(ConfigMap, configMapOf(spec));
  const key = await applySessionKey(context);
  await apply(Service, serviceOf(name, spec));
  const deployment = await apply(Deployment, deploymentOf(name, spec, configHash(spec, key.metadata!.uid!)));
  const budget = budgetOf(name, spec), cronJob = cronJobOf(name, spec);
  if (budget) await apply(PodDisruptionBudget, budget);
  const job = cronJob && await apply(CronJob, cronJob);
  await prune(); // a CronJob or budget that is no longer wanted

  status.set({ readyReplicas: deployment.status?.readyReplicas ?? 0, lastJob: job?.status?.lastSuccessfulTime });
  status.condition({ type: "Ready", ...rolloutOf(deployment) });
}
