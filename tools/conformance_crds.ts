/**
 * `deno task conformance:crds FOLDER…`: creates every CRD of YAML files under the folders, for instance those of public
 * projects in the Go module cache, on the embedded server and on a real kube-apiserver from `KUBEBUILDER_ASSETS`. It
 * compares the answers, and the status codes of changed custom resources. Its last line is
 * `agreement: N of M CRDs, N of M resources`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { parseAllDocuments } from "yaml";
import { isObject, SystemClock } from "../lib/base/mod.ts";
import type { DynamicObject } from "../lib/apimachinery/mod.ts";
import type { Schema } from "../lib/apiserver/resource_type.ts";
import { EmbeddedCluster, envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { EnvtestCluster } from "../lib/harness/envtest.ts";
import { differenceOf } from "../tests/conformance/agreement.ts";
import { mutated } from "../tests/conformance/fuzz/mutations.ts";
import { valueOf } from "../tests/conformance/fuzz/schema_values.ts";
import { describeDifference } from "../tests/conformance/report.ts";
import { create, define, get, remove, type Script } from "../tests/conformance/script.ts";
import { ScriptRun, type StepAnswer } from "../tests/conformance/script_run.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { seed: { type: "string", default: "7" }, mutations: { type: "string", default: "20" } },
  allowPositionals: true,
});
const env = Deno.env.toObject(),
  clock = new SystemClock(),
  PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
if (!env.KUBEBUILDER_ASSETS || positionals.length === 0) {
  say("conformance:crds needs folders with CRDs, and a real control plane: set KUBEBUILDER_ASSETS");
  Deno.exit(2);
}
const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
const programs = await locateEnvtest(located, new AbortController().signal);
await using real = await EnvtestCluster.start({ programs, clock });
await using embedded = new EmbeddedCluster();

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function* yamlFiles(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* yamlFiles(path);
    else if (/\.ya?ml$/.test(entry.name)) yield path;
  }
}

/** CRDs by name; the first file wins. */
function readCrds(folders: readonly string[]): Map<string, DynamicObject> {
  const found = new Map<string, DynamicObject>();
  for (const path of folders.flatMap((folder) => [...yamlFiles(folder)])) {
    const text = Deno.readTextFileSync(path);
    if (!/^kind: CustomResourceDefinition/m.test(text) || text.includes("{{")) continue;
    for (const document of parseAllDocuments(text)) {
      const crd = document.errors.length === 0 ? document.toJS() : undefined;
      if (crd?.kind !== "CustomResourceDefinition" || crd.apiVersion !== "apiextensions.k8s.io/v1") continue;
      const name = crd.metadata?.name;
      if (typeof name === "string" && !found.has(name)) found.set(name, { ...crd, status: undefined });
    }
  }
  return found;
}

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
}

/** Custom resources: one that the schema is likely to accept, and changes of it. */
function resourcesOf(crd: DynamicObject, version: Version): DynamicObject[] {
  const schema = version.schema?.openAPIV3Schema ?? {}, spec = crd.spec as Record<string, unknown>;
  const names = spec.names as { kind: string };
  const base: DynamicObject = {
    ...valueOf(schema) as object,
    apiVersion: `${spec.group}/${version.name}`,
    kind: names.kind,
    metadata: { name: "a" },
  };
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  const sample = fc.sample(mutated(base, { ...schema, properties }), {
    seed: Number(values.seed),
    numRuns: Number(values.mutations),
  });
  return [base, ...sample].map((object, index) => ({ ...object, metadata: { name: `a-${index}` } }));
}

/** The CRD, and its resources where it is served. */
function scriptOf(crd: DynamicObject): Script {
  const spec = crd.spec as { group: string; scope: string; names: { plural: string }; versions: Version[] };
  const name = crd.metadata!.name!, version = spec.versions?.find(({ served, storage }) => served && storage);
  const [, ...established] = isObject(spec) && version ? define(crd) : [];
  const group = `${spec.group}/${version?.name}`, plural = spec.names?.plural;
  const path = spec.scope === "Namespaced" ? `${group}/${plural}` : `/apis/${group}/${plural}`;
  const resources = version ? resourcesOf(crd, version) : [];
  return {
    name,
    steps: [create(PATH, crd), ...established, get(`${PATH}/${name}`)].concat(
      resources.map((object) => create(`${path}?fieldValidation=Strict`, object)),
      remove(`${PATH}/${name}`, undefined, { codeOnly: true }),
    ),
  };
}

const crds = [...readCrds(positionals).values()], AT_ONCE = 4;
let agreedCrds = 0, agreedResources = 0, resources = 0, lenient = 0;

async function compare(crd: DynamicObject, index: number): Promise<void> {
  const script = scriptOf(crd), namespace = `crd-${index}`;
  const refused = (answers: readonly StepAnswer[]) => (answers[0]?.code ?? 0) >= 400;
  const first = await Promise.all(
    [real, embedded].map((cluster) =>
      ScriptRun.run(cluster, `${namespace}-try`, { name: script.name, steps: script.steps.slice(0, 1) })
    ),
  );
  const short = refused(first[0]!) || refused(first[1]!);
  const isCrdStep = (at: number) => at <= script.steps.findIndex((step) => "method" in step && step.method === "GET");
  const answers = short ? first : await Promise.all(
    [real, embedded].map((cluster) => ScriptRun.run(cluster, namespace, { ...script, steps: script.steps.slice(1) })),
  );
  const offset = short ? 0 : 1;
  const [wanted, seen] = answers as [StepAnswer[], StepAnswer[]];
  const own = (all: readonly StepAnswer[]) => all.filter((_, at) => isCrdStep(at + offset));
  const [made, madeHere] = [first[0]!, first[1]!].map((all) => all.map(comparable));
  const difference = differenceOf([...made!, ...own(wanted).map(comparable)], [
    ...madeHere!,
    ...own(seen).map(comparable),
  ]);
  if (difference) say(describeDifference({ area: "crd", script, difference }));
  else agreedCrds++;
  for (const [at, answer] of wanted.entries()) {
    const step = script.steps[at + offset]!;
    if (isCrdStep(at + offset) || !("method" in step) || step.method !== "POST") continue;
    resources++;
    if (answer.code === seen[at]?.code) {
      agreedResources++;
      continue;
    }
    if (answer.code! >= 400 && seen[at]!.code! < 400) lenient++;
    const pair = {
      step: at + offset + 1,
      kind: "code",
      path: "body",
      real: answer.body,
      embedded: seen[at]?.body,
    } as const;
    say(
      `${describeDifference({ area: "resource", script, difference: pair })}\n  body:     ${JSON.stringify(step.body)}`,
    );
  }
}

/** Of what is accepted the spec: controllers write the status. */
function comparable({ code, body, warning }: StepAnswer): StepAnswer {
  const isAccepted = code !== undefined && code < 400;
  return { code, warning, body: isAccepted && isObject(body) ? { spec: body.spec } : body };
}

const queue = [...crds.entries()];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let next = queue.shift(); next; next = queue.shift()) await compare(next[1], next[0]);
}));
say(`resources that only the embedded server accepts: ${lenient}`);
say(`agreement: ${agreedCrds} of ${crds.length} CRDs, ${agreedResources} of ${resources} resources`);
if (agreedCrds < crds.length || agreedResources < resources) Deno.exitCode = 1;
