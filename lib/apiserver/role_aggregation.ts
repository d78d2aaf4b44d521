import { isObject, jsonClone, jsonEqual } from "../base/mod.ts";
import {
  type DynamicObject,
  type LabelRequirement,
  type LabelSelector,
  matchesLabels,
  requirementsOf,
} from "../apimachinery/mod.ts";
import type { ServerContext } from "./server_context.ts";

export const CLUSTER_ROLES = "clusterroles.rbac.authorization.k8s.io";

/** Fills roles that have an aggregationRule with the rules of those that it selects (kube-controller-manager). */
export class RoleAggregation {
  readonly #server: ServerContext;

  constructor(server: ServerContext) {
    this.#server = server;
    server.storage.subscribe((resource) => {
      if (resource === CLUSTER_ROLES) server.background.add("aggregate roles", () => this.aggregate());
    });
  }

  /** Writes the roles whose rules changed. */
  aggregate(): void {
    const { storage } = this.#server, roles = [...storage.scan(CLUSTER_ROLES)];
    for (const [key, stored] of roles) {
      const selectors = selectorsOf(stored.object);
      if (!selectors) continue;
      const selected = roles.filter(([other, { object }]) =>
        other !== key && selectors.some((selector) => matchesLabels(selector, object.metadata?.labels))
      );
      const rules: unknown[] = [];
      for (const [, { object }] of selected) {
        for (const rule of Array.isArray(object.rules) ? object.rules : []) {
          if (!rules.some((one) => jsonEqual(one, rule))) rules.push(rule);
        }
      }
      if (!jsonEqual(rules, stored.object.rules ?? [])) {
        storage.update(CLUSTER_ROLES, key, { ...jsonClone(stored.object), rules: jsonClone(rules) }, stored);
      }
    }
  }
}

function selectorsOf({ aggregationRule }: DynamicObject): LabelRequirement[][] | undefined {
  if (!isObject(aggregationRule) || !Array.isArray(aggregationRule.clusterRoleSelectors)) return undefined;
  return aggregationRule.clusterRoleSelectors.map((selector) => requirementsOf(selector as LabelSelector));
}
