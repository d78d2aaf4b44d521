import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { ConfigMap, Namespace, Operator, Secret, watch } from "../../lib/operator/mod.ts";
import { widgetKind } from "../widget.ts";

const Widget = widgetKind("permissions");

const on = (resource: string, ...verbs: string[]) => ({ apiGroups: [""], resources: [resource], verbs });

function declaring(): Operator {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {}, { owns: [ConfigMap], watches: [watch(Namespace, () => [])] });
  return operator;
}

/** Verbs of a core resource, each with what declares it. */
function declared(operator: Operator, resource: string): string[] {
  return operator.declaredPermissions().filter((each) => each.group === "" && each.resource === resource)
    .map(({ verb, by, untested }) => `${verb} ${by}${untested ? ` (${untested})` : ""}`);
}

// FR-574
Deno.test("what is no rule is refused where it is declared, with the form of a rule", () => {
  const cases: [unknown, RegExp][] = [
    [[on("pods", "get")], /^argument 1 of permissions\(\) is a list$/],
    [
      { apiGroups: [""], resources: "pods", verbs: ["get"] },
      /^argument 1 of permissions\(\) has no list of strings as res/,
    ],
    ["pods", /^argument 1 of permissions\(\) is no object$/],
  ];
  for (const [rule, says] of cases) {
    assert.throws(() => new Operator("widgets").permissions(rule as never), (error) => {
      return error instanceof UsageError && says.test(error.message) && /permissions\(\{ apiGroups/.test(error.hint!);
    });
  }
  assert.throws(() => new Operator("widgets").withoutPermissions([] as never), /withoutPermissions\(\) is a list/);
  const owns = ConfigMap as never;
  assert.throws(
    () => new Operator("widgets").on(Widget).reconcile(() => {}, { owns }),
    /^UsageError: owns of .* list$/,
  );
});

// FR-530
Deno.test("each permission has one reason: the framework's before that of permissions(), and that before owns", () => {
  const operator = declaring().permissions(
    on("configmaps", "get", "delete"),
    { ...on("secrets", "get", "delete"), untested: "a broken disk" },
  );
  assert.deepEqual(declared(operator, "configmaps"), [
    "get framework",
    "list framework",
    "watch framework",
    "create owns",
    "patch owns",
    "delete permissions",
  ]);
  assert.deepEqual(declared(operator, "namespaces"), ["get framework", "list framework", "watch framework"]);
  assert.deepEqual(declared(operator, "secrets"), [
    "get permissions (a broken disk)",
    "delete permissions (a broken disk)",
  ]);
  assert.deepEqual(
    operator.rules().find(({ resources }) => resources[0] === "secrets"),
    on("secrets", "get", "delete"),
  );
});

// FR-532
Deno.test("withoutPermissions removes what owns brings from the rules, whenever it is called", () => {
  const operator = new Operator("widgets").withoutPermissions(on("configmaps", "create", "delete"));
  operator.on(Widget).reconcile(() => {}, { owns: [ConfigMap] });
  assert.deepEqual(
    operator.rules().find(({ resources }) => resources[0] === "configmaps"),
    on("configmaps", "get", "list", "watch", "patch"),
  );
});

// FR-532
Deno.test("withoutPermissions refuses what the framework needs, and what nothing declares", () => {
  for (
    const [rule, why] of [
      [on("configmaps", "watch"), "the framework needs it"],
      [on(Secret.plural, "delete"), "nothing declares it"],
    ] as const
  ) {
    assert.throws(
      () => declaring().withoutPermissions(rule).rules(),
      (error) => error instanceof UsageError && error.message.endsWith(why),
    );
  }
});
