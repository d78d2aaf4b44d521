import assert from "node:assert/strict";
import { parse } from "yaml";
import type { CommandContext } from "../../lib/cli/command_context.ts";
import { manifests } from "../../lib/cli/manifests.ts";
import { ConfigMap, Operator } from "../../lib/mod.ts";
import { UsageError } from "../../lib/base/mod.ts";
import { runBinary } from "./binary.ts";
import { BRACES, braces } from "./braces_operator.ts";

type Flags = Partial<Parameters<typeof manifests>[1]>;

/** A temporary folder, and `manifests` of a program on a folder `chart` in it. */
class Charts implements AsyncDisposable {
  operator = braces();
  version = "1.2.3";
  out: string[] = [];
  err: string[] = [];
  readonly folder: string;

  private constructor(readonly parent: string) {
    this.folder = `${parent}/chart`;
  }

  static async open(): Promise<Charts> {
    return new Charts(await Deno.makeTempDir({ prefix: "pintle-chart-" }));
  }

  async run(flags: Flags): Promise<number> {
    this.out = [];
    this.err = [];
    const terminal = { out: (line: string) => this.out.push(line), err: (line: string) => this.err.push(line) };
    const { operator, version } = this;
    const context = { operator, version, program: "braces", command: "./braces", terminal } as unknown;
    return await manifests(context as CommandContext, { namespace: "braces-system", ...flags });
  }

  write(folder = this.folder): Promise<number> {
    return this.run({ helm: folder });
  }

  check(): Promise<number> {
    return this.run({ check: this.folder });
  }

  read(path: string): Promise<string> {
    return Deno.readTextFile(`${this.folder}/${path}`);
  }

  async edit(path: string, change: (text: string) => string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/${path}`, change(await this.read(path)));
  }

  /** Paths and texts of all files. */
  async files(folder = this.folder): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) {
        for (const [inner, text] of Object.entries(await this.files(path))) found[`${name}/${inner}`] = text;
      } else found[name] = await Deno.readTextFile(path);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.parent, { recursive: true });
  }
}

const WRITTEN = [
  "Chart.yaml",
  "templates/NOTES.txt",
  "templates/_helpers.tpl",
  "templates/crds.yaml",
  "templates/deployment.yaml",
  "templates/rbac.yaml",
  "templates/service.yaml",
  "templates/webhooks.yaml",
  "values.yaml",
];

/** An operator of the same name that declares neither a kind nor a webhook. */
function withoutKinds(): Operator {
  const operator = new Operator("on");
  operator.on(ConfigMap).reconcile(() => {});
  return operator;
}

/** What a template says once its actions are taken out, and what they print for certain put in. */
function literal(template: string): string {
  return template.replaceAll('{{ "{{" }}', "\u0000").replaceAll(/\{\{.*?\}\}/g, "").replaceAll("\u0000", "{{");
}

// FR-480
Deno.test("manifests --helm makes a folder, and writes the same chart each time", async () => {
  await using charts = await Charts.open();
  assert.equal(await charts.write(`${charts.parent}/a/b`), 0);
  assert.deepEqual(charts.out.map((path) => path.replace(`${charts.parent}/a/b/`, "")).sort(), WRITTEN);
  assert.equal(await charts.write(), 0);
  const files = await charts.files();
  assert.deepEqual(files, await charts.files(`${charts.parent}/a/b`));
  assert.deepEqual(Object.keys(files).sort(), WRITTEN);
  assert.equal(await charts.write(), 0);
  assert.deepEqual(await charts.files(), files);
});

// FR-480
Deno.test("a chart has the operator's name and the program's version, which follows; the rest of Chart.yaml stays", async () => {
  await using charts = await Charts.open();
  await charts.write();
  const { name, version, appVersion, apiVersion } = parse(await charts.read("Chart.yaml"));
  assert.deepEqual({ name, version, appVersion, apiVersion }, {
    name: "on",
    version: "1.2.3",
    appVersion: "1.2.3",
    apiVersion: "v2",
  });
  await charts.edit("Chart.yaml", (text) => `${text}# Mine.\nmaintainers: [{ name: ada }]\n`);
  const mine = await charts.read("Chart.yaml");
  charts.version = "1.3.0";
  assert.equal(await charts.check(), 1);
  assert.match(charts.err[0]!, /^Chart\.yaml: version or appVersion is not 1\.3\.0$/);
  assert.equal(await charts.write(), 0);
  assert.match(charts.out.join("\n"), /Chart\.yaml: version 1\.3\.0/);
  assert.equal(await charts.read("Chart.yaml"), mine.replaceAll("1.2.3", "1.3.0"));
  assert.equal(await charts.check(), 0);
});

// FR-480
Deno.test("what the author completes in a chart stays, and what the operator declares is written again", async () => {
  await using charts = await Charts.open();
  await charts.write();
  const mine = ["values.yaml", "templates/deployment.yaml", "templates/NOTES.txt", "templates/_helpers.tpl"];
  for (const path of mine) await charts.edit(path, () => "# mine\n");
  await Deno.writeTextFile(`${charts.folder}/templates/ingress.yaml`, "# mine\n");
  const declared = await charts.read("templates/rbac.yaml");
  await charts.edit("templates/rbac.yaml", (text) => text.replace("- watch", "- escalate"));
  assert.equal(await charts.write(), 0);
  for (const path of [...mine, "templates/ingress.yaml"]) assert.equal(await charts.read(path), "# mine\n", path);
  assert.equal(await charts.read("templates/rbac.yaml"), declared);
});

// FR-480
Deno.test("--check of a chart names each file that differs, and the command that writes it", async () => {
  await using charts = await Charts.open();
  await charts.write();
  assert.equal(await charts.check(), 0);
  assert.match(charts.out.join(), /matches what the operator declares/);
  const line = (await charts.read("templates/rbac.yaml")).split("\n").findIndex((each) => each.includes("- watch")) + 1;
  await charts.edit("templates/rbac.yaml", (text) => text.replace("- watch", "- escalate"));
  await charts.edit("templates/webhooks.yaml", (text) => `${text}# more\n`);
  await Deno.remove(`${charts.folder}/templates/crds.yaml`);
  await Deno.remove(`${charts.folder}/values.yaml`);
  assert.equal(await charts.check(), 1);
  assert.deepEqual(charts.err.slice(0, 2), [
    "templates/crds.yaml is missing",
    `templates/rbac.yaml: line ${line} differs`,
  ]);
  assert.match(charts.err[2]!, /^templates\/webhooks\.yaml: line \d+ differs$/);
  assert.equal(charts.err[3], "values.yaml is missing");
  assert.equal(charts.err.at(-1), `  fix: ./braces manifests --helm ${charts.folder}`);
});

// FR-480
Deno.test("files of which nothing is declared any more leave a chart, unless another wrote them", async () => {
  await using charts = await Charts.open();
  await charts.write();
  charts.operator = withoutKinds();
  assert.equal(await charts.check(), 1);
  assert.deepEqual(charts.err.slice(0, 3), [
    "templates/crds.yaml is not declared",
    charts.err[1],
    "templates/webhooks.yaml is not declared",
  ]);
  assert.equal(await charts.write(), 0);
  assert.ok(charts.out.some((line) => line.endsWith("templates/crds.yaml removed")));
  assert.deepEqual(
    Object.keys(await charts.files()).sort(),
    WRITTEN.filter((path) => !/(crds|webhooks)\.yaml/.test(path)),
  );
  assert.equal(await charts.check(), 0);
});

// FR-481
Deno.test("a folder with other files, another chart, or a file of another writer is refused, and nothing is written", async () => {
  await using charts = await Charts.open();
  const refused = async (message: RegExp) => {
    const before = await charts.files();
    await assert.rejects(charts.write(), (error) => error instanceof UsageError && message.test(error.message));
    assert.deepEqual(await charts.files(), before);
  };
  await Deno.mkdir(`${charts.folder}/templates`, { recursive: true });
  await Deno.writeTextFile(`${charts.folder}/main.ts`, "");
  await refused(/chart has files \(\w+(\.ts)?\) and is no chart/);
  await Deno.writeTextFile(`${charts.folder}/Chart.yaml`, "name: nginx\nversion: 1.0.0\n");
  await refused(/holds the chart "nginx", not "on"/);
  await assert.rejects(charts.check(), /holds the chart "nginx", not "on"/);
  await Deno.writeTextFile(`${charts.folder}/Chart.yaml`, "- a\n");
  await refused(/Chart\.yaml is not a chart/);
  await Deno.writeTextFile(`${charts.folder}/Chart.yaml`, "name: [a\n");
  await refused(/Chart\.yaml is not YAML/);
  await Deno.writeTextFile(`${charts.folder}/Chart.yaml`, 'name: "on"\n');
  await Deno.writeTextFile(`${charts.folder}/templates/rbac.yaml`, "# by hand\n");
  await refused(/templates\/rbac\.yaml exists, and this command did not write it/);
});

// FR-481
Deno.test("a folder that cannot be made or written is named, with the reason", async () => {
  await using charts = await Charts.open();
  await Deno.writeTextFile(`${charts.parent}/file`, "");
  for (const folder of ["file", "file/chart"]) {
    await assert.rejects(
      charts.write(`${charts.parent}/${folder}`),
      (error) =>
        error instanceof UsageError && /cannot read .*file/.test(error.message) && error.hint === "name a folder",
    );
  }
  await Deno.mkdir(`${charts.folder}/templates/service.yaml`, { recursive: true });
  await Deno.writeTextFile(`${charts.folder}/Chart.yaml`, 'name: "on"\n');
  await Deno.mkdir(`${charts.folder}/templates/rbac.yaml`);
  await assert.rejects(charts.write(), /cannot read .*templates\/rbac\.yaml/);
});

// FR-481
Deno.test("a process that may not write says so and ends with 2; one that may only write replaces no file of the author", async () => {
  await using charts = await Charts.open();
  const main = { main: "tests/cli/braces_operator.ts" };
  const denied = await runBinary(["manifests", "--helm", charts.folder], { ...main, permissions: ["--allow-env"] });
  assert.equal(denied.code, 2, denied.err);
  assert.match(denied.err, /cannot make .*chart\/templates: .*write access/);
  const permissions = ["--allow-env", "--allow-write"];
  assert.equal((await runBinary(["manifests", "--helm", charts.folder], { ...main, permissions })).code, 0);
  await charts.edit("values.yaml", () => "# mine\n");
  const again = await runBinary(["manifests", "--helm", charts.folder], { ...main, permissions });
  assert.equal(again.code, 0, again.err);
  assert.equal(await charts.read("values.yaml"), "# mine\n");
});

// FR-480
Deno.test("--helm excludes --output, --check and --namespace, and a version that is not SemVer is refused", async () => {
  await using charts = await Charts.open();
  const helm = charts.folder;
  for (
    const [flags, message] of [
      [{ helm, output: helm }, /--output and --helm exclude each other/],
      [{ helm, check: helm }, /--helm and --check exclude each other/],
      [{ helm, namespace: "other" }, /a chart has no --namespace/],
      [{ helm: "" }, /--helm is empty/],
      [{ output: "" }, /--output is empty/],
      [{ check: "" }, /--check is empty/],
    ] as const
  ) await assert.rejects(charts.run(flags), message);
  for (const version of ["v1.0.0", "1.0", "1.0.0.0", "01.0.0", "latest", "1.0.0\nname: x", ""]) {
    charts.version = version;
    await assert.rejects(charts.write(), /the program's version ".*" cannot be a chart's: Helm requires SemVer/);
  }
  charts.version = "1.0.0-rc.1+build.5";
  assert.equal(await charts.write(), 0);
});

// FR-482
Deno.test("text of the declarations is text in the chart, whatever it looks like", async () => {
  await using charts = await Charts.open();
  await charts.write();
  const crd = parse(literal(await charts.read("templates/crds.yaml")));
  const [v2, v1] = (crd.spec.versions as typeof crd[]).map(({ schema }) => schema.openAPIV3Schema.properties.spec);
  assert.equal(v2.properties.text.description, BRACES.join("\n---\n"));
  assert.equal(v1.properties.line.description, BRACES.join(" "));
  assert.deepEqual(v2["x-kubernetes-validations"], [
    { rule: "!self.text.contains('{{ x }}')", message: "{{ x }} is reserved" },
  ]);
});

// FR-480
Deno.test("CRDs are templates that Helm upgrades, and keeps when a release goes", async () => {
  await using charts = await Charts.open();
  await charts.write();
  const text = await charts.read("templates/crds.yaml");
  assert.equal(parse(literal(text)).metadata.annotations["helm.sh/resource-policy"], "keep");
  assert.ok(!Object.keys(await charts.files()).some((path) => path.startsWith("crds/")));
});

// FR-480
Deno.test("each value has a comment, and a template that reads it", async () => {
  await using charts = await Charts.open();
  await charts.write();
  const files = await charts.files(), lines = files["values.yaml"]!.split("\n");
  const templates = Object.entries(files).filter(([path]) => path.startsWith("templates/")).map(([, text]) => text)
    .join("\n");
  const isComment = (line: string | undefined) => /^ *# /.test(line ?? "");
  for (const name of Object.keys(parse(files["values.yaml"]!))) {
    assert.match(templates, new RegExp(`\\.Values\\.${name}\\b|list .*"${name}"`));
    const at = lines.findIndex((line) => line.startsWith(`${name}:`));
    assert.ok(isComment(lines[at - 1]) || isComment(lines[at + 1]), name);
  }
});
