/**
 * Reads the structs of the k8s.io Go modules: what encoding/json does with each field, by the names of OpenAPI.
 *
 * @module
 */

/** What Go does with a field of a struct. */
export interface GoField {
  /** In JSON. */
  readonly name: string;
  /** As Go's messages name it: `int32`, `v1.PullPolicy`, `[]v1.Container`, `map[string]string`. */
  readonly type: string;
  readonly isPointer: boolean;
  /** Which zero values are left out: those of scalars and collections, or structs too. */
  readonly omits: "none" | "empty" | "zero";
}

interface Struct {
  readonly fields: GoField[];
  /** Structs whose fields are its own: `package.Name` or `Name`. */
  readonly inlined: string[];
}

const MODULES = ["api", "apimachinery", "apiextensions-apiserver", "kube-aggregator"];
const FIELD = /^\s+(\w+)\s+(\S+)\s+`(?:[^`]* )?json:"([^",]*)([^"]*)"/;

/** Structs by their OpenAPI names; embedded ones are resolved. */
export function readGoStructs(modules: string, version: string): ReadonlyMap<string, readonly GoField[]> {
  const structs = new Map<string, Struct>();
  for (const module of MODULES) {
    const root = `${modules}/${module}@${version}`;
    for (const directory of packages(root)) {
      readPackage(directory, openApiPackage(module, directory.slice(root.length)), structs);
    }
  }
  const resolved = new Map<string, readonly GoField[]>();
  for (const name of structs.keys()) resolved.set(name, fieldsOf(name, structs));
  return resolved;
}

function openApiPackage(module: string, path: string): string {
  return [`io.k8s.${module}`, ...path.split("/").filter((part) => part !== "")].join(".");
}

function* packages(directory: string): Generator<string> {
  let hasTypes = false;
  for (const entry of Deno.readDirSync(directory)) {
    if (entry.isDirectory) yield* packages(`${directory}/${entry.name}`);
    else hasTypes ||= /\.go$/.test(entry.name) && !/_test\.go$|^zz_|\.pb\.go$/.test(entry.name);
  }
  if (hasTypes) yield directory;
}

function readPackage(directory: string, name: string, structs: Map<string, Struct>): void {
  const short = name.split(".").at(-1)!;
  for (const { name: file } of Deno.readDirSync(directory)) {
    if (!/\.go$/.test(file) || /_test\.go$|^zz_|\.pb\.go$/.test(file)) continue;
    let struct: Struct | undefined;
    for (const line of Deno.readTextFileSync(`${directory}/${file}`).split("\n")) {
      const begin = /^type (\w+) struct/.exec(line)?.[1];
      if (begin) structs.set(`${name}.${begin}`, struct = { fields: [], inlined: [] });
      else if (line === "}") struct = undefined;
      if (struct) readField(line, short, struct);
    }
  }
}

function readField(line: string, short: string, struct: Struct): void {
  const embedded = /^\s+\*?([\w.]+)\s+`(?:[^`]* )?json:"([^",]*)/.exec(line);
  if (embedded && !FIELD.test(line)) {
    if (embedded[2] === "") struct.inlined.push(embedded[1]!);
    else struct.fields.push(fieldOf(embedded[2]!, embedded[1]!, line, short));
    return;
  }
  const match = FIELD.exec(line);
  if (!match || match[3] === "-") return;
  const [, goName = "", type = "", name = "", options = ""] = match;
  if (name === "" && options.includes("inline")) struct.inlined.push(type);
  else struct.fields.push(fieldOf(name || goName, type, line, short));
}

function fieldOf(name: string, type: string, line: string, short: string): GoField {
  const options = /json:"[^",]*([^"]*)"/.exec(line)?.[1] ?? "";
  return {
    name,
    type: qualified(type.replace(/^\*/, ""), short),
    isPointer: type.startsWith("*"),
    omits: options.includes("omitzero") ? "zero" : options.includes("omitempty") ? "empty" : "none",
  };
}

const BASIC = /^(?:string|bool|u?int(?:8|16|32|64)?|float64|byte)$/;

/** `byte` is `uint8`; a type of the same package has its name in front. */
function qualified(type: string, short: string): string {
  return type.replaceAll(/(?<![\w.])[A-Za-z]\w*(?![\w.])/g, (name) => {
    if (name === "byte") return "uint8";
    return name === "map" || name === "interface" || BASIC.test(name) ? name : `${short}.${name}`;
  }).replaceAll("metav1.", "v1.");
}

function fieldsOf(name: string, structs: ReadonlyMap<string, Struct>): GoField[] {
  const { fields, inlined } = structs.get(name)!, home = name.slice(0, name.lastIndexOf("."));
  return [
    ...fields,
    ...inlined.flatMap((one) => {
      const other = one.includes(".") ? undefined : `${home}.${one}`;
      return other && structs.has(other) ? fieldsOf(other, structs) : [];
    }),
  ];
}
