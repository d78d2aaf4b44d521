import { formatGroupResource } from "../apimachinery/mod.ts";
import type { DeclaredPermission, Permission } from "../operator/mod.ts";
import type { UncoveredRequest } from "./rbac.ts";
import type { ScenarioResult } from "./result.ts";

/** What scenarios show about the RBAC rules of one operator. */
export interface RbacReport {
  /** Its name. */
  readonly operator: string;
  /** Permissions that handlers declare and no scenario used, without those that say why. */
  readonly unused: readonly DeclaredPermission[];
  /** What is left out of minimal rules: `unused`, and what `owns` brings and no scenario used. */
  readonly spare: readonly DeclaredPermission[];
  /** Requests that no rule allows, with the scenario of the first. */
  readonly uncovered: readonly (UncoveredRequest & { readonly scenario: string })[];
}

/** One report for each operator of a run, by what its scenarios used together. */
export function rbacReports(scenarios: readonly ScenarioResult[]): RbacReport[] {
  const seen = scenarios.flatMap(({ suite, name, rbac }) => rbac ? [{ scenario: `${suite}: ${name}`, rbac }] : []);
  return [...new Set(seen.map(({ rbac }) => rbac.operator))].map((operator) => {
    const own = seen.filter(({ rbac }) => rbac.operator === operator);
    const used = new Set(own.flatMap(({ rbac }) => rbac.used.map(formatPermission)));
    const left = firsts(own.flatMap(({ rbac }) => rbac.declared)).filter((each) => !used.has(formatPermission(each)));
    const spare = left.filter(({ by, untested }) => by !== "framework" && untested === undefined);
    const unused = spare.filter((each) => each.by === "permissions" || isNeverApplied(each, left));
    const uncovered = firsts(
      own.flatMap(({ scenario, rbac }) => rbac.uncovered.map((each) => ({ ...each, scenario }))),
    );
    return { operator, unused, spare, uncovered };
  });
}

function firsts<P extends Permission>(permissions: readonly P[]): P[] {
  return [...new Map(permissions.toReversed().map((each) => [formatPermission(each), each])).values()].toReversed();
}

/** Whether an owned kind had no child at all: `owns` brings its verbs as one. */
function isNeverApplied({ group, resource }: Permission, left: readonly Permission[]): boolean {
  return ["create", "patch"].every((verb) =>
    left.some((each) => each.group === group && each.resource === resource && each.verb === verb)
  );
}

function formatPermission(permission: Permission): string {
  return `${permission.verb} ${formatResource(permission)}`;
}

/** As kubectl writes it: `deployments.apps/scale`. */
function formatResource({ group, resource }: Permission): string {
  const [plural, subresource] = resource.split("/") as [string, string?];
  return formatGroupResource({ group, plural }) + (subresource === undefined ? "" : `/${subresource}`);
}

/** Such as `secrets: create, delete`, one for each resource. */
export function formatPermissions(permissions: readonly Permission[]): string[] {
  const verbs = new Map<string, string[]>();
  for (const each of permissions) {
    const name = formatResource(each);
    verbs.set(name, [...verbs.get(name) ?? [], each.verb]);
  }
  return [...verbs].map(([name, each]) => `${name}: ${each.join(", ")}`);
}

/**
 * What fails `test --rbac`, each with its fix: requests that no rule allows, and permissions that no scenario used. The
 * latter only if `isWhole`: another scenario may use them.
 */
export function rbacFailures(scenarios: readonly ScenarioResult[], isWhole = true): string[] {
  return rbacReports(scenarios).flatMap(({ operator, unused, uncovered }) => [
    ...uncovered.map((request) =>
      `RBAC of ${operator}: no rule allows ${formatRequest(request)}, sent in "${request.scenario}"\n` +
      `fix: ${formatDeclaration(request)}`
    ),
    ...(unused.length === 0 || !isWhole ? [] : [[
      `RBAC of ${operator}: declared, and used by no scenario`,
      ...formatPermissions(unused).map((line) => `  ${line}`),
      `fix: declare less, add a scenario that needs it, or say why none does: permissions({ …, untested: "…" })`,
    ].join("\n")]),
  ]);
}

function formatRequest(request: UncoveredRequest): string {
  const { name, namespace } = request;
  return formatPermission(request) + (name === undefined ? "" : ` "${name}"`) +
    (namespace === undefined ? "" : ` in namespace ${namespace}`);
}

function formatDeclaration({ group, resource, verb }: Permission): string {
  return `operator.permissions({ apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"] })`;
}
