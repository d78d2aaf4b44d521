import { formatDuration } from "../../base/mod.ts";
import { formatKey, keyOf } from "../../apimachinery/mod.ts";
import { type LeaseObject, LEASES } from "../../election/mod.ts";
import { type BuiltinObject, Namespace } from "../../operator/mod.ts";
import { deploymentsOf, isWorking, podsOf } from "../inventory.ts";
import { deployedSettings } from "./deployed_settings.ts";
import { type Check, type CheckContext, type Finding, ok, problem, warning } from "./check.ts";
import { isStarting, podProblems } from "./pod_problems.ts";
import { serverTimeMs } from "./server_checks.ts";

const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Whether the operator's Deployments have their pods, and what stops a pod from working. */
export const podsCheck: Check = {
  name: "pods",
  async run(context) {
    const { client, account, signal, command } = context;
    const nowMs = await serverTimeMs(context);
    const deployments = await deploymentsOf(client, account, signal);
    const pods = (await podsOf(client, account, signal)).filter(({ metadata }) => !metadata?.deletionTimestamp);
    const found = pods.flatMap((pod) => podProblems(pod).map((message) => podFinding(pod, message, nowMs)));
    found.push(...deployments.flatMap((deployment) => deploymentFindings(deployment, found.length > 0)));
    if (found.length > 0) return found;
    const working = pods.filter(isWorking).length;
    if (working > 0) return [ok(`${working} pods work as ServiceAccount ${formatKey(account)}`)];
    const fix = `kubectl apply -k deploy/overlays/prod, or \`${command} run\` where it should run`;
    return [warning(`no pod works as ServiceAccount ${formatKey(account)}`, fix)];
  },
};

function podFinding(pod: BuiltinObject, message: string, nowMs: number): Finding {
  const { namespace, name } = keyOf(pod), kubectl = `kubectl -n ${namespace}`;
  if (isStarting(pod, nowMs)) {
    return warning(`pod ${namespace}/${name} is starting: ${message}`, "run this again in a minute");
  }
  const fix = `${kubectl} describe pod ${name}, and ${kubectl} logs ${name} --all-containers, show more`;
  return problem(`pod ${namespace}/${name}: ${message}`, fix);
}

/** @param isExplained Whether findings of its pods already explain what is not ready. */
function deploymentFindings({ metadata, spec, status }: BuiltinObject, isExplained: boolean): Finding[] {
  const { replicas = 1 } = (spec ?? {}) as { replicas?: number };
  const { readyReplicas = 0, conditions } = (status ?? {}) as {
    readyReplicas?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string }[] | null;
  };
  const name = `deployment ${metadata!.namespace}/${metadata!.name}`;
  const describe = `kubectl -n ${metadata!.namespace} describe deployment ${metadata!.name}`;
  const failing = (conditions ?? []).filter(({ type, status }) =>
    (type === "ReplicaFailure" && status === "True") || (type === "Progressing" && status === "False")
  );
  if (failing.length > 0) {
    return failing.map(({ reason, message }) => problem(`${name}: ${reason}: ${message}`, describe));
  }
  if (replicas === 0) {
    return [
      warning(
        `${name} is scaled to 0`,
        `kubectl -n ${metadata!.namespace} scale deployment ${metadata!.name} --replicas=1`,
      ),
    ];
  }
  if (readyReplicas >= replicas || isExplained) return [];
  return [problem(`${name}: ${readyReplicas} of ${replicas} replicas are ready`, describe)];
}

/** Whether deployed settings are valid and agree with their Deployment. */
export const settingsCheck: Check = {
  name: "settings",
  async run({ client, account, signal, table, command }) {
    const found: Finding[] = [];
    const deployments = await deploymentsOf(client, account, signal);
    for (const deployment of deployments) {
      const name = `deployment ${formatKey(keyOf(deployment))}`;
      for (const { settings, problems } of deployedSettings(deployment, table)) {
        const fix = `\`${command} config\` shows every setting`;
        found.push(...problems.map((message) => problem(`${name}: ${message}`, fix)));
        if (settings) found.push(...disagreements(name, deployment, settings));
      }
    }
    if (found.length > 0 || deployments.length === 0) return found;
    return [ok("the pods' settings are valid and fit their Deployment")];
  },
};

function disagreements(
  name: string,
  { spec }: BuiltinObject,
  { leaderElection, gracePeriodMs }: { leaderElection: string; gracePeriodMs: number },
): Finding[] {
  const { replicas = 1, template } = (spec ?? {}) as {
    replicas?: number;
    template?: { spec?: { terminationGracePeriodSeconds?: number } };
  };
  const found: Finding[] = [], killMs = (template?.spec?.terminationGracePeriodSeconds ?? 30) * 1_000;
  if (replicas > 1 && leaderElection === "off") {
    const fix = "set PINTLE_LEADER_ELECTION=on (or shards), or one replica";
    found.push(problem(`${name}: ${replicas} replicas do the same work, since none of them leads`, fix));
  }
  if (gracePeriodMs >= killMs) {
    found.push(warning(
      `${name}: pods are killed after ${formatDuration(killMs)}, before their grace of ${
        formatDuration(gracePeriodMs)
      } is over`,
      "raise terminationGracePeriodSeconds, or shorten PINTLE_GRACE_PERIOD",
    ));
  }
  return found;
}

/** Which replica leads, and whether it still does. No finding without leader election. */
export const leaderCheck: Check = {
  name: "leader",
  async run(context) {
    const { client, account, signal } = context;
    const elects = await electsLeader(context);
    const lease = await client.find<LeaseObject>(LEASES, account, { signal });
    const working = (await podsOf(client, account, signal)).filter(isWorking).length;
    const read = `kubectl -n ${account.namespace} logs deployment/${account.name} --all-pods`;
    const { holderIdentity, renewTime, leaseDurationSeconds = 0 } = lease?.spec ?? {};
    if (!holderIdentity) {
      if (elects && working > 0) return [problem(`${working} pods work and none of them leads`, read)];
      return elects ? [warning("no replica leads", "let the operator run")] : [];
    }
    const nowMs = await serverTimeMs(context);
    const agoMs = nowMs - Date.parse(renewTime ?? ""), ago = formatDuration(agoMs);
    const isFresh = agoMs <= (leaseDurationSeconds ?? 0) * 1_000 + FRESH_MS_MORE;
    if (isFresh) return [ok(`${holderIdentity} leads, and renewed its Lease ${ago} ago`)];
    const message = `no replica leads: ${holderIdentity} did, and last renewed its Lease ${ago} ago`;
    if (elects && working > 0) return [problem(message, read)];
    return elects ? [warning(message, "let the operator run")] : [];
  },
};

/** Whole seconds and response time make a Lease look older than it is. */
const FRESH_MS_MORE = 3_000;

async function electsLeader({ client, account, signal, table }: CheckContext): Promise<boolean> {
  const deployments = await deploymentsOf(client, account, signal);
  return deployments.some((deployment) =>
    deployedSettings(deployment, table).some(({ settings }) => settings?.leaderElection === "on")
  );
}

/** Whether the pods' namespace enforces the restricted Pod Security Standard, so that no other pod there gets more. */
export const namespaceCheck: Check = {
  name: "namespace",
  async run({ client, account, signal }) {
    const { namespace } = account;
    const live = await client.find(Namespace, { name: namespace }, { signal });
    if (!live || (await deploymentsOf(client, account, signal)).length === 0) return [];
    const enforced = live.metadata?.labels?.[ENFORCE];
    if (enforced === "restricted") return [ok(`namespace ${namespace} admits restricted pods only`)];
    return [warning(
      `namespace ${namespace} enforces Pod Security "${
        enforced ?? "privileged"
      }", and the operator needs "restricted" only`,
      `kubectl label --overwrite namespace ${namespace} ${ENFORCE}=restricted`,
    )];
  },
};
