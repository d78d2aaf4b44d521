import { requestInfo, type ResourceRequestInfo, ruleAllows } from "../apiserver/mod.ts";
import { errorOfResponse, ForbiddenError } from "../client/mod.ts";
import {
  type DeclaredPermission,
  installation,
  installNamespace,
  type Operator,
  type Permission,
} from "../operator/mod.ts";
import type { SeenRequest } from "./operator_under_test.ts";

/** A request that no rule of the operator allows. */
export interface UncoveredRequest extends Permission {
  /** Of the first such request; absent for all namespaces, and cluster-scoped objects. */
  readonly namespace?: string;
  /** Of the first such request's object, if it has one. */
  readonly name?: string;
}

/** What an operator's rules allow, and what its requests in one scenario needed. */
export interface RbacUse {
  /** Its name. */
  readonly operator: string;
  /** What its rules allow. */
  readonly declared: readonly DeclaredPermission[];
  /** Those of `declared` that a request needed. */
  readonly used: readonly DeclaredPermission[];
  /** One for each permission that a request needed and no rule gives. */
  readonly uncovered: readonly UncoveredRequest[];
}

/** What the requests of several scenarios, or of several runs of one, needed together. */
export function mergedUse(uses: readonly RbacUse[]): RbacUse | undefined {
  const [first] = uses;
  if (!first) return undefined;
  const unique = <P extends Permission>(permissions: readonly P[]) => [
    ...new Map(permissions.map((each) => [`${each.verb} ${each.resource}.${each.group}`, each])).values(),
  ];
  return {
    ...first,
    used: unique(uses.flatMap(({ used }) => used)),
    uncovered: unique(uses.flatMap(({ uncovered }) => uncovered)),
  };
}

type Needed = Pick<ResourceRequestInfo, "group" | "plural" | "subresource" | "namespace" | "name"> & {
  readonly verb: string;
};

/** Every authenticated user may send these (system:basic-user). */
const REVIEWS_OF_SELF = /^(selfsubjectaccessreviews|selfsubjectrulesreviews|selfsubjectreviews)$/;

/** Records which of an operator's rules its requests use. Bounded by the kinds that it requests. */
export class RbacRecorder {
  readonly #operator: Operator;
  readonly #declared: readonly DeclaredPermission[];
  readonly #used = new Set<DeclaredPermission>();
  readonly #uncovered = new Map<string, UncoveredRequest>();
  /** The rules allow nothing more to another request that needs the same. */
  readonly #allowed = new Set<string>();
  #installed: InstalledRules | undefined;

  constructor(operator: Operator) {
    this.#operator = operator;
    this.#declared = operator.declaredPermissions();
  }

  get use(): RbacUse {
    const { name: operator } = this.#operator;
    return { operator, declared: this.#declared, used: [...this.#used], uncovered: [...this.#uncovered.values()] };
  }

  /** Reads a copy of a refusal, which alone names the missing rule. */
  async record({ method, path }: SeenRequest, response: Response): Promise<void> {
    const request = infoOf(method, path);
    if (request?.kind !== "resource") return;
    if (response.status === 403) {
      const error = await errorOfResponse(response.clone(), { verb: request.verb, resource: request });
      const [verb] = error instanceof ForbiddenError && error.refusedBy === "authorization" ? error.rule.verbs : [];
      if (verb !== undefined && verb !== request.verb) this.#need({ ...request, verb });
    }
    this.#need(request);
    // An apply, or an update, of an absent object creates it.
    if (response.status === 201 && request.verb !== "create") this.#need({ ...request, verb: "create" });
  }

  #need(needed: Needed): void {
    const { group, plural, subresource, verb, namespace, name } = needed;
    const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
    const key = `${verb}\n${group}\n${resource}`;
    if (this.#allowed.has(key)) return;
    const allowing = this.#declared.filter((each) => allows(ruleOf(each), needed));
    for (const each of allowing) this.#used.add(each);
    if (allowing.length > 0) this.#allowed.add(key);
    else if (!this.#uncovered.has(key) && !REVIEWS_OF_SELF.test(plural) && !this.#isInstalled(needed)) {
      this.#uncovered.set(key, { group, resource, verb, namespace, name });
    }
  }

  /** Whether `install` grants it beside the declared rules: Leases, certificates of webhooks. */
  #isInstalled(needed: Needed): boolean {
    this.#installed ??= installedRules(this.#operator);
    const { cluster, own, namespace } = this.#installed;
    return cluster.some((rule) => allows(rule, needed)) ||
      needed.namespace === namespace && own.some((rule) => allows(rule, needed));
  }
}

/** Undefined for a path that no server understands. */
function infoOf(method: string, path: string): ReturnType<typeof requestInfo> | undefined {
  try {
    return requestInfo(method, path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

type Rule = Parameters<typeof ruleAllows>[0];

function allows(rule: Rule, needed: Needed): boolean {
  return ruleAllows(rule, { ...needed, kind: "resource" });
}

function ruleOf({ group, resource, verb }: Permission): Rule {
  return { apiGroups: [group], resources: [resource], verbs: [verb] };
}

interface InstalledRules {
  readonly cluster: readonly Rule[];
  /** In `namespace` alone. */
  readonly own: readonly Rule[];
  readonly namespace: string;
}

function installedRules(operator: Operator): InstalledRules {
  const namespace = installNamespace(operator.name), objects = installation(operator, operator.name, namespace);
  const of = (kind: string) =>
    objects.filter(({ object }) => object.kind === kind).flatMap(({ object }) => object.rules as Rule[]);
  return { cluster: of("ClusterRole"), own: of("Role"), namespace };
}
