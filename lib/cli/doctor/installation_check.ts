import { isObject, jsonClone } from "../../base/mod.ts";
import { diff, type DynamicObject, keyOf } from "../../apimachinery/mod.ts";
import { installation, type InstalledObject } from "../../operator/mod.ts";
import { nameOf } from "../deleter.ts";
import { withKeyedLists } from "../keyed_lists.ts";
import { type Check, type CheckContext, type Finding, ok, problem } from "./check.ts";

const NAMED_MAX = 4;

/** Whether `install`'s objects exist as the operator declares them. */
export const installationCheck: Check = {
  name: "installation",
  async run(context) {
    const { operator, program, account, client, signal } = context;
    const found: Finding[] = [], objects = installation(operator, program, account.namespace);
    let present = 0;
    for (const installed of objects) {
      const live = await client.find(installed.resource, keyOf(installed.object), { signal });
      if (live) present++;
      found.push(...objectFindings(installed, live, context));
    }
    if (present === 0) return [problem(`${operator.name} is not installed`, installCommand(context))];
    return found.length > 0 ? found : [ok(`${objects.length} objects are as the operator declares them`)];
  },
};

export function installCommand(
  { program, command, account }: Pick<CheckContext, "program" | "command" | "account">,
): string {
  return `${command} install${account.namespace === `${program}-system` ? "" : ` --namespace ${account.namespace}`}`;
}

function objectFindings(
  { resource, object }: InstalledObject,
  live: DynamicObject | undefined,
  context: CheckContext,
): Finding[] {
  const name = nameOf(resource, object), fix = installCommand(context);
  if (!live) return [problem(`${name} is missing`, fix)];
  if (live.metadata?.deletionTimestamp) {
    const finish = `${context.command} uninstall --delete-objects finishes it, and cleans up after its objects`;
    const describeFix = `kubectl get ${name} -o yaml shows what it waits for`;
    return [problem(`${name} is being deleted`, object.kind === "CustomResourceDefinition" ? finish : describeFix)];
  }
  const different = differences(object, live);
  if (different.length > 0) {
    const more = different.length > NAMED_MAX ? ` and ${different.length - NAMED_MAX} more` : "";
    const message = `${name} is not as this operator declares it: ${different.slice(0, NAMED_MAX).join(", ")}${more}`;
    return [problem(message, `${fix} (of the release that runs, if that is not this one)`)];
  }
  const unmet = resource.kind === "CustomResourceDefinition" ? unmetConditions(live) : [];
  return unmet.map((message) =>
    problem(`${name} is not served: ${message}`, `kubectl describe crd ${live.metadata?.name}`)
  );
}

/** Fields of a CRD's names and spec that servers fill in; for a Service, most of them. */
const FILLED_IN = /^(spec\.conversion|spec\.names\.\w+|spec\.preserveUnknownFields)(\.|$)/;
/** Fields that a declaration decides; others may set labels and annotations. */
const DECIDED = ["spec", "rules", "roleRef", "subjects", "webhooks"];
const KEPT_THERE = /^webhooks\..*\.clientConfig\.caBundle$/;

/** Paths where a live object differs from the declared one. Server defaults do not count, undeclared fields do. */
export function differences(declared: DynamicObject, live: DynamicObject): string[] {
  const part = (object: DynamicObject) =>
    Object.fromEntries(
      DECIDED.filter((field) => declared[field] !== undefined).map((field) => [field, withKeyedLists(object[field])]),
    );
  return diff(part(live), jsonClone(part(declared))).map((change) => ({ ...change, path: change.path.join(".") }))
    .filter(({ path, operation, old, next }) => {
      if (operation === "add") return !isLeftOut(path, next);
      return operation !== "remove" || !isFilledIn(declared, path, old);
    })
    .map(({ path, operation }) => {
      const short = path.replace(/^spec\.versions\.[^.]+\.schema\.openAPIV3Schema\./, "schema.");
      return `${short} ${{ add: "is missing", change: "differs", remove: "is not declared" }[operation]}`;
    });
}

/** Whether an undeclared field is the server's or the leader's own. */
function isFilledIn({ kind }: DynamicObject, path: string, value: unknown): boolean {
  if (kind === "Service" || FILLED_IN.test(path) || KEPT_THERE.test(path)) return true;
  // Selectors that select everything.
  return path.startsWith("webhooks.") && isObject(value) && Object.keys(value).length === 0;
}

/** Servers drop empty lists and maps, but `subresources.status: {}` has a meaning. */
function isLeftOut(path: string, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return path.endsWith(".properties") && isObject(value) && Object.keys(value).length === 0;
}

function unmetConditions(crd: DynamicObject): string[] {
  const { conditions } = (crd.status ?? {}) as { conditions?: Condition[] | null };
  const of = (type: string) => (conditions ?? []).find((each) => each.type === type);
  return ["NamesAccepted", "Established"].filter((type) => of(type)?.status !== "True")
    .map((type) => `${type}: ${of(type)?.message ?? "the server has not set it yet"}`).slice(0, 1);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}
