/**
 * Derives lib/apiserver/data/protobuf.json from the `generated.proto` files of the k8s.io Go modules: field numbers of
 * the built-in kinds that builtin.json knows, by the names that JSON has for them.
 *
 *     deno run -q -A tools/derive_protobuf.ts "$(go env GOMODCACHE)/k8s.io" v0.37.2
 *
 * @module
 */
import builtin from "../lib/apiserver/data/builtin.json" with { type: "json" };

/**
 * Field number, JSON name, type (a letter or a message), how often (once, repeated, map, inline), and whether a zero
 * value is told in JSON: Go writes plain fields always into protobuf, and leaves them out of JSON where the tag says
 * omitempty.
 */
type Row = [number: number, name: string, type: string, shape: 0 | 1 | 2 | 3, zero: 0 | 1];

/** What the Go struct says of a field: its JSON name, or that it has none of its own. */
interface GoField {
  readonly name: string;
  readonly inline: boolean;
  readonly zero: 0 | 1;
}

const SCALARS: Readonly<Record<string, string>> = {
  string: "s",
  bool: "b",
  int32: "i",
  int64: "i",
  uint32: "i",
  uint64: "i",
  double: "d",
  bytes: "y",
};
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const ROOTS = ["DeleteOptions"].map((name) => `${META}.${name}`);
const FIELD = /^\s*(optional|repeated)?\s*(map<string,\s*[.\w]+>|[.\w]+)\s+(\w+)\s*=\s*(\d+);/;

const GO_FIELD = /^\s+(?:\w+\s+)?(\S+)\s+`(?:[^`]* )?json:"([^",]*)([^"]*)"[^`]* protobuf:"\w+,(\d+),/;

/** `k8s.io.api.core.v1.Pod` of a proto file is `io.k8s.api.core.v1.Pod` of OpenAPI. */
function openApiName(name: string): string {
  return name.replace(/^\./, "").replace(/^k8s\.io\./, "io.k8s.").replace(
    "apiextensions_apiserver",
    "apiextensions-apiserver",
  );
}

/** The fields of every struct of a package's Go files, by `Struct number`. */
function goFields(directory: string): Map<string, GoField> {
  const fields = new Map<string, GoField>();
  for (const { name } of Deno.readDirSync(directory)) {
    if (!name.endsWith(".go")) continue;
    let struct = "";
    for (const line of Deno.readTextFileSync(`${directory}/${name}`).split("\n")) {
      struct = /^type (\w+) struct/.exec(line)?.[1] ?? struct;
      const match = GO_FIELD.exec(line);
      if (!match) continue;
      const [, type = "", json = "", options = "", number = ""] = match;
      const zero = type.startsWith("*") || !options.includes("omit") ? 1 : 0;
      fields.set(`${struct} ${number}`, { name: json, inline: json === "", zero });
    }
  }
  return fields;
}

function parse(text: string, go: ReadonlyMap<string, GoField>, messages: Map<string, Row[]>): void {
  const scope = openApiName(/^package ([\w.]+);/m.exec(text)![1]!);
  let message: string | undefined;
  for (const line of text.split("\n")) {
    const begin = /^message (\w+) \{/.exec(line)?.[1];
    if (begin) messages.set(message = `${scope}.${begin}`, []);
    const field = message && FIELD.exec(line);
    if (!field) continue;
    const [, label, type = "", name = "", number = ""] = field;
    const of = /^map<string,\s*(.*)>$/.exec(type)?.[1] ?? type;
    const resolved = SCALARS[of] ?? (of.includes(".") ? openApiName(of) : `${scope}.${of}`);
    const told = go.get(`${message!.slice(scope.length + 1)} ${number}`);
    const shape = told?.inline ? 3 : type.startsWith("map<") ? 2 : label === "repeated" ? 1 : 0;
    messages.get(message!)!.push([Number(number), told?.name || name, resolved, shape, told?.zero ?? 0]);
  }
}

function* protoFiles(directory: string): Generator<string> {
  for (const entry of Deno.readDirSync(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) yield* protoFiles(path);
    else if (entry.name === "generated.proto") yield path;
  }
}

const [modules, version] = Deno.args;
const messages = new Map<string, Row[]>();
for (const module of ["api", "apimachinery", "apiextensions-apiserver"]) {
  for (const path of protoFiles(`${modules}/${module}@${version}`)) {
    parse(Deno.readTextFileSync(path), goFields(path.slice(0, path.lastIndexOf("/"))), messages);
  }
}
const reached: Record<string, Row[]> = {};
const waiting = [...ROOTS, ...builtin.resources.map((resource) => resource.schema)];
const TOKEN_REQUEST = "io.k8s.api.authentication.v1.TokenRequest", EVICTION = "io.k8s.api.policy.v1.Eviction";
waiting.push(TOKEN_REQUEST, EVICTION, "io.k8s.api.autoscaling.v1.Scale");
for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
  const rows = messages.get(name);
  if (!rows || reached[name]) continue;
  reached[name] = rows;
  waiting.push(...rows.map(([, , type]) => type).filter((type) => type.length > 1));
}
const text = JSON.stringify(Object.fromEntries(Object.entries(reached).sort(([a], [b]) => (a < b ? -1 : 1))));
Deno.writeTextFileSync(new URL("../lib/apiserver/data/protobuf.json", import.meta.url), `${text}\n`);
