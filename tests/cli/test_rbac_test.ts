import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { Binary, DEMO_PERMISSIONS, type Ended } from "./binary.ts";

const MAIN = "tests/cli/rbac_program.ts";
const UNUSED = "RBAC of boxes: declared, and used by no scenario";

interface Run extends Ended {
  readonly lines: readonly string[];
  readonly folder: readonly (readonly [name: string, text: string])[];
}

async function boxes(args: readonly string[], mode = ""): Promise<Run> {
  await using binary = await Binary.start(args, {
    main: MAIN,
    permissions: DEMO_PERMISSIONS,
    env: { BOXES_KEYS: mode },
  });
  const ended = await binary.ended();
  const folder = await Array.fromAsync(
    Deno.readDir(binary.folder),
    async ({ name, isFile }) => [name, isFile ? await Deno.readTextFile(`${binary.folder}/${name}`) : ""] as const,
  );
  return { ...ended, lines: ended.out.trimEnd().split("\n"), folder };
}

// FR-530
Deno.test("test --rbac fails for a declared rule that no scenario uses, in its output and its JUnit report", async () => {
  const { code, err, lines, out, folder } = await boxes(["test", "--rbac", "--junit", "junit.xml"]);
  assert.deepEqual([code, err, lines.at(-1)], [1, "", "2 passed, 1 failed"]);
  const at = lines.indexOf(`✗ ${UNUSED}`);
  assert.deepEqual(lines[at + 1], "    secrets: delete", out);
  assert.match(lines[at + 2]!, /^ {2}fix: declare less, add a scenario that needs it, or say why none does/);
  assert.match(out, /^RBAC of boxes: `owns` also allows what no scenario used: configmaps: delete$/m);
  assert.doesNotMatch(out, /pods/);
  assert.match(
    new Map(folder).get("junit.xml")!,
    /<failure message="RBAC of boxes: declared, and used by no scenario">/,
  );
});

// FR-531
Deno.test("test --rbac fails for a request that no rule allows, with its scenario and the rule to add", async () => {
  for (const filter of [[], ["--filter", "with a key"]]) {
    const { code, out, lines } = await boxes(["test", "--rbac", ...filter], "forbidden");
    assert.deepEqual([code, lines.at(-1)], [1, `${2 - filter.length / 2} passed, 1 failed`], out);
    assert.match(
      out,
      /^✗ RBAC of boxes: no rule allows get secrets "brass" in namespace \S+, sent in "boxes: a box with a key"$/m,
    );
    assert.match(
      out,
      /^ {2}fix: operator\.permissions\(\{ apiGroups: \[""\], resources: \["secrets"\], verbs: \["get"\] \}\)$/m,
    );
  }
});

// FR-530
Deno.test("test without --rbac says the same and passes; with a filter unused rules are not listed", async () => {
  const all = await boxes(["test"]), some = await boxes(["test", "--rbac", "--filter", "with a key"]);
  assert.deepEqual([all.code, all.lines.at(-1)], [0, "2 passed, 0 failed"]);
  assert.ok(all.lines.includes(UNUSED), all.out);
  assert.deepEqual([some.code, some.lines.at(-1)], [0, "1 passed, 0 failed"]);
  assert.match(some.out, /^RBAC: only some scenarios ran, so unused rules are not listed$/m);
});

// FR-530
Deno.test("--rbac is refused where the operator's requests cannot be seen", async () => {
  const { code, out, err } = await boxes(["test", "--rbac", "--deployed"]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /--rbac sees the requests of an operator in this process, not those of a pod\n {2}fix: /);
});

// FR-588
Deno.test("--rbac --explore fails for rules that no run uses, and for requests of any plan without a rule", async () => {
  const explored = ["test", "--explore", "--plans-max", "4", "--seed", "1"];
  const { code, out, lines } = await boxes([...explored, "--rbac"]);
  assert.deepEqual([code, lines.at(-1)], [1, "8 passed, 1 failed"], out);
  assert.match(out, /^RBAC of boxes: declared, and used by no scenario$/m);
  const some = await boxes([...explored, "--rbac", "--filter", "with a key"]);
  assert.deepEqual([some.code, some.lines.at(-1)], [0, "4 passed, 0 failed"], some.out);
  const forbidden = await boxes([...explored, "--rbac", "--filter", "with a key"], "forbidden");
  assert.match(forbidden.out, /^RBAC of boxes: no rule allows get secrets "brass" in namespace \S+, sent in "boxes: /m);
});

/** Verbs of a resource in a printed ClusterRole. */
function verbsIn(yaml: string, resource: string): string[] | undefined {
  const objects = parseAllDocuments(yaml).map((document) => document.toJS());
  const { rules } = objects.find(({ kind }) => kind === "ClusterRole") as {
    rules: { resources: string[]; verbs: string[] }[];
  };
  return rules.find(({ resources }) => resources.includes(resource))?.verbs;
}

// FR-532
Deno.test("manifests --from-suite prints only the rules that the scenarios need, and says what it left out", async () => {
  const all = await boxes(["manifests"]), used = await boxes(["manifests", "--from-suite"]);
  assert.deepEqual([used.code, used.err.split("\n").slice(0, 3)], [0, [
    "left out, as none of 2 scenarios needs it:",
    "  configmaps: delete",
    "  secrets: delete",
  ]]);
  assert.deepEqual(verbsIn(all.out, "configmaps"), ["get", "list", "watch", "create", "patch", "delete"]);
  assert.deepEqual(verbsIn(used.out, "configmaps"), ["get", "list", "watch", "create", "patch"]);
  assert.deepEqual([verbsIn(used.out, "secrets"), verbsIn(used.out, "pods")], [["get"], ["delete"]]);
  const others = (yaml: string) => yaml.split("---\n").filter((text) => !text.includes("kind: ClusterRole\n"));
  assert.deepEqual(others(used.out), others(all.out));
});

// FR-532
Deno.test("--from-suite goes with a folder, a chart and their check", async () => {
  const temporary = await Deno.makeTempDir({ prefix: "pintle-rbac-test-" });
  try {
    const chart = `${temporary}/chart`;
    for (const [flag, folder] of [["--output", temporary], ["--helm", chart]] as const) {
      assert.equal((await boxes(["manifests", "--from-suite", flag, folder])).code, 0);
      assert.equal((await boxes(["manifests", "--from-suite", "--check", folder])).code, 0);
      assert.equal((await boxes(["manifests", "--check", folder])).code, 1);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
});

// FR-532
Deno.test("--from-suite writes nothing unless all scenarios pass and every request has a rule", async () => {
  const forbidden = await boxes(["manifests", "--from-suite"], "forbidden");
  const failing = await boxes(["manifests", "--from-suite"], "failing");
  for (const { code, out, err } of [forbidden, failing]) {
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^boxes: what the scenarios need is not known before all of them pass: nothing is written$/m);
  }
  assert.match(forbidden.err, /no rule allows get secrets "brass".*\n {2}fix: operator\.permissions\(/);
  assert.match(failing.err, /^✗ boxes: a box without/m);
});
