import type { DynamicObject } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { Operator } from "../operator/operator.ts";

/** Where a program's ServiceAccount is unless somebody says otherwise. */
export function installNamespace(program: string): string {
  return `${program}-system`;
}

/** One object of an installation, with the resource that it is applied to. */
export interface InstalledObject {
  readonly resource: ApiResource;
  readonly object: DynamicObject;
}

const RBAC = "rbac.authorization.k8s.io";

/** The resource of CustomResourceDefinitions. */
export const CRDS = resource("apiextensions.k8s.io", "CustomResourceDefinition", false);

/**
 * What a cluster needs before the operator can run in it, in the order in which it is applied: CRDs, a namespace, a
 * ServiceAccount, a ClusterRole with exactly the operator's rules, and its binding.
 */
export function installation(operator: Operator, program: string, namespace: string): InstalledObject[] {
  const { name } = operator, labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": program };
  const made = (of: ApiResource, apiVersion: string, metadata: Record<string, unknown>, rest: object = {}) => ({
    resource: of,
    object: { apiVersion, kind: of.kind, metadata: { ...metadata, labels }, ...rest } as DynamicObject,
  });
  return [
    ...operator.crds().map((object) => ({ resource: CRDS, object })),
    made(resource("", "Namespace", false), "v1", { name: namespace }),
    made(resource("", "ServiceAccount", true), "v1", { name, namespace }),
    made(resource(RBAC, "ClusterRole", false), `${RBAC}/v1`, { name }, { rules: operator.rules() }),
    made(resource(RBAC, "ClusterRoleBinding", false), `${RBAC}/v1`, { name }, {
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
  ];
}

function resource(group: string, kind: string, namespaced: boolean): ApiResource {
  return { group, version: "v1", kind, plural: `${kind.toLowerCase()}s`, namespaced };
}
