import {
  type Clock,
  describeError,
  isObject,
  type Logger,
  type Random,
  silentLogger,
  SystemClock,
  SystemRandom,
} from "../base/mod.ts";
import { type ApiResource, formatApiVersion, formatGroupResource } from "../apimachinery/mod.ts";
import {
  type AccessSubject,
  type Client,
  MalformedAnswerError,
  NotFoundError,
  RETRY_POLICY,
  serverVersion,
  startDelayMs,
  withRetries,
} from "../client/mod.ts";
import type { Operator } from "./operator.ts";
import { ELECTION_RULES, LEASE_RULES, type NamedPolicyRule, type PolicyRule, webhookRules } from "./permissions.ts";

export interface Finding {
  readonly problem: string;
  readonly fix: string;
}

/** Options of {@linkcode preflight}. */
export interface PreflightOptions {
  /** The program's command, for fixes such as `COMMAND install`; the operator's name by default. */
  readonly command?: string;
  /** Namespace of the leader election lease; off if absent. */
  readonly leaseNamespace?: string;
  /** Namespace of the webhook certificates' Secret; none are served behind a Service if absent. */
  readonly webhookNamespace?: string;
  /** Namespace of the leases for sharding; off if absent. */
  readonly shardsNamespace?: string;
  /** Namespace of the leases for peering; off if absent. */
  readonly peeringNamespace?: string;
  /** The operator's only namespace: rights in it are enough. */
  readonly namespace?: string;
  /** The user to check; the caller by default. Others require the right to create SubjectAccessReviews. */
  readonly account?: AccessSubject;
  /** Times pauses between retries; the machine's by default. */
  readonly clock?: Clock;
  /** Scatters pauses; the machine's by default. */
  readonly random?: Random;
  /** Gets a debug line per retried failure. */
  readonly logger?: Logger;
  /** Ends the checks. */
  readonly signal?: AbortSignal;
}

const CHECKS_AT_ONCE = 16;

/**
 * Does the cluster answer, are the kinds installed, do the rights suffice? Empty means yes. Broken connections, 5xx and
 * malformed answers are retried within bounds.
 *
 * @throws {UnreachableError} if the server does not answer, {@linkcode UnauthorizedError} if it does not know us,
 * {@linkcode MalformedAnswerError} if it is no API server.
 */
export function preflight(operator: Operator, client: Client, options: PreflightOptions = {}): Promise<Finding[]> {
  const { clock = new SystemClock(), random = new SystemRandom(), logger = silentLogger, signal } = options;
  const check = () =>
    checkCluster(operator, client, options).catch((error) => {
      if (!signal?.aborted) logger.debug("the cluster could not be checked", { error: describeError(error) });
      throw error;
    });
  return withRetries(check, { idempotent: true, policy: RETRY_POLICY, clock, random, signal, delayMs: startDelayMs });
}

async function checkCluster(operator: Operator, client: Client, options: PreflightOptions): Promise<Finding[]> {
  const { command = operator.name, signal } = options;
  await serverVersion(client, signal);
  const kinds = await unservedKinds(operator, client, { command, signal });
  return [...kinds, ...await missingPermissions(operator, client, options)];
}

/**
 * The operator's declared rules that an account lacks; empty means none.
 *
 * @throws {ForbiddenError} if the caller may not ask about `account`.
 */
export async function missingPermissions(
  operator: Operator,
  client: Client,
  {
    command = operator.name,
    leaseNamespace,
    shardsNamespace,
    peeringNamespace,
    webhookNamespace,
    namespace,
    account,
    signal,
  }: PreflightOptions = {},
): Promise<Finding[]> {
  const can: Can = (verb, resource, namespace, name) =>
    account
      ? client.can({ verb, resource, namespace, name }, { user: account, signal })
      : client.can({ verb, resource, namespace, name }, { signal });
  const rules = await missingRules(operator.rules(), namespace, can, installHint(command));
  if (webhookNamespace) {
    const { own, cluster } = webhookRules(operator), install = installHint(command);
    rules.push(...await missingRules(own, webhookNamespace, can, install));
    rules.push(...await missingRules(cluster, undefined, can, install));
  }
  const lacks = async (wanted: readonly PolicyRule[], namespace: string | undefined) => {
    if (namespace) rules.push(...await missingRules(wanted, namespace, can, installHint(command)));
  };
  for (const each of new Set([peeringNamespace, shardsNamespace])) await lacks(LEASE_RULES, each);
  if (leaseNamespace !== peeringNamespace) await lacks(ELECTION_RULES, leaseNamespace);
  return rules;
}

type Can = (
  verb: string,
  resource: { group: string; plural: string; subresource?: string },
  namespace?: string,
  name?: string,
) => Promise<boolean>;

function installHint(command: string): string {
  return `run \`${command} install\` as an admin`;
}

export interface UnservedKind extends Finding {
  /** Whether the operator installs its CRD; otherwise `install` does not help. */
  readonly own: boolean;
}

/**
 * Declared kinds, children and watched ones included, that the cluster does not serve: their stores would never fill.
 *
 * @throws {MalformedAnswerError} if the server is no API server.
 */
export async function unservedKinds(
  operator: Operator,
  client: Client,
  { command = operator.name, signal }: Pick<PreflightOptions, "command" | "signal"> = {},
): Promise<UnservedKind[]> {
  const findings: UnservedKind[] = [], crds = new Set(operator.crds().map(({ metadata }) => metadata?.name));
  const declared = operator.declarations.flatMap(({ kind, owns, watches }) => [
    kind,
    ...owns,
    ...watches.map(({ resource }) => resource),
  ]);
  const kinds = new Map(declared.map((kind) => [`${formatGroupResource(kind)}/${kind.version}`, kind]));
  for (const kind of kinds.values()) {
    const path = kind.group === "" ? "/api/v1" : `/apis/${formatApiVersion(kind)}`;
    const list = await client.raw(path, { signal }).catch((error) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    const resources = isObject(list) && Array.isArray(list.resources) ? list.resources : undefined;
    if (list !== undefined && !resources) {
      throw new MalformedAnswerError(`cannot get ${path}: the response is not a discovery document`);
    }
    if (resources?.some(({ name }) => name === kind.plural)) continue;
    const name = formatGroupResource(kind), own = crds.has(name);
    findings.push({
      own,
      problem: `the cluster does not serve ${name} in ${formatApiVersion(kind)}`,
      fix: own ? `${installHint(command)}: it applies the operator's CRDs` : foreignHint(kind, command),
    });
  }
  return findings;
}

function foreignHint({ group }: ApiResource, command: string): string {
  if (!group.includes(".") || group.endsWith(".k8s.io")) {
    return "it belongs to Kubernetes or one of its projects: update the cluster, or install what serves that version";
  }
  return `it belongs to the owner of ${group}: install that CRD or API server; \`${command} install\` does not bring it`;
}

async function missingRules(
  rules: readonly NamedPolicyRule[],
  namespace: string | undefined,
  can: Can,
  install: string,
): Promise<Finding[]> {
  const wanted = rules.flatMap((rule) => rule.verbs.map((verb) => ({ rule, verb })));
  const missing: PolicyRule[] = [];
  for (let at = 0; at < wanted.length; at += CHECKS_AT_ONCE) {
    const batch = wanted.slice(at, at + CHECKS_AT_ONCE);
    const allowed = await Promise.all(batch.map(({ rule, verb }) => {
      const [plural, subresource] = rule.resources[0]!.split("/") as [string, string | undefined];
      return can(verb, { group: rule.apiGroups[0]!, plural, subresource }, namespace, rule.resourceNames?.[0]);
    }));
    batch.forEach(({ rule, verb }, index) => {
      if (!allowed[index]) missing.push({ ...rule, verbs: [verb] });
    });
  }
  const byResource = new Map<string, PolicyRule>();
  for (const rule of missing) {
    const key = `${rule.apiGroups[0]}/${rule.resources[0]}`;
    byResource.set(key, { ...rule, verbs: [...(byResource.get(key)?.verbs ?? []), ...rule.verbs] });
  }
  return [...byResource.values()].map((rule) => ({
    problem: `not allowed to ${rule.verbs.join(", ")} ${rule.resources[0]} in API group "${rule.apiGroups[0]}"${
      namespace ? ` in namespace ${namespace}` : ""
    }`,
    fix: `grant ${JSON.stringify(rule)} to the operator's account: ${install}`,
  }));
}
