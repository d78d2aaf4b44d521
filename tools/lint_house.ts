/**
 * The house rules that a picture cannot enforce, as a Deno lint plugin: layers point one way, time and randomness are
 * arguments, functions fit a screen, and the edges (env, args, client-node) stay at the edges.
 *
 * @module
 */

/** Rooms of `lib/`, lowest layer first; rooms on one line never import each other (docs/implementation_details.md). */
const LAYERS: readonly (readonly string[])[] = [
  ["base"],
  ["apimachinery", "queue"],
  ["client"],
  ["cache", "handling"],
  ["controller", "admission", "election", "health"],
  ["operator"],
  ["apiserver"],
  ["harness"],
  ["explore"],
  ["replicator", "cli"],
];

/**
 * Rooms that see less than their layer allows; none: the entry points alone, as a user. Everything else follows from
 * LAYERS.
 */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  handling: ["base", "apimachinery"],
  apiserver: ["base", "apimachinery"],
  replicator: [],
};

/**
 * What other rooms import by its file rather than through `mod.ts`: files that bring a package or much code with them,
 * and that most commands never load. The `mod.ts` of `harness/` is the entry point of its users.
 */
const OUTSIDE_MOD = new Set([
  "admission/certificate_rotation",
  "admission/certificate_secret",
  "admission/conversion_webhook",
  "admission/preserved_fields",
  "admission/serving_certificates",
  "admission/webhook_routes",
  "admission/webhook_server",
  "base/bounded_body",
  "base/bounded_server",
  "base/certificates",
  "base/yaml",
  "client/connect",
  "client/kubeconfig",
  "health/metrics",
  "health/tracing",
  "operator/builtin_kinds",
  "operator/host_gateway",
  "operator/webhook_hosting",
]);

/** Calls that reach for ambient time or randomness. */
const AMBIENT = new Set([
  "Date.now",
  "setTimeout",
  "setInterval",
  "Math.random",
  "performance.now",
  "crypto.randomUUID",
  "crypto.getRandomValues",
  "AbortSignal.timeout",
]);

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 500;
const PARAMETERS_MAX = 4;
/** As `fmt.lineWidth`, which leaves comments as they are. */
const LINE_WIDTH = 120;

function roomOf(path: string): string | undefined {
  return /\/lib\/([a-z_]+)\//.exec(path.replaceAll("\\", "/"))?.[1];
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room));
}

/** Says why `from` may not import `to`, or undefined where it may. */
export function breach(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const here = layerOf(from), there = layerOf(to);
  if (here < 0) return `lib/${from}/ is no room of the layer list`;
  if (there < 0) return `lib/${to}/ is no room of the layer list`;
  const only = ONLY[from];
  if (only && !only.includes(to)) {
    return `${from} may import only ${only.length > 0 ? only.join(", ") : "the entry points of lib/"}, not ${to}`;
  }
  if (there > here) return `${from} (layer ${here}) may not import ${to} (layer ${there}) above it`;
  if (there === here) return `${from} and ${to} share layer ${here} and may not import each other`;
  return undefined;
}

/** Says why a file of room `from` may not import `path` of another room, or undefined where it may. */
export function modBreach(from: string, path: string): string | undefined {
  const [, room, file] = /\/lib\/([a-z_]+)\/(.+)\.ts$/.exec(path) ?? [];
  if (!room || room === from || room === "harness" || file === "mod" || OUTSIDE_MOD.has(`${room}/${file}`)) return;
  return `import ${room}/mod.ts: ${file}.ts is for files of ${room} alone`;
}

/** Says why an example may not import a file: it shows what users have. Its tests may take the cluster of this run. */
export function exampleBreach(from: string, to: string): string | undefined {
  if (/\/examples\/[a-z_]+\//.test(to)) return undefined;
  if (
    from.endsWith("_test.ts") &&
    /\/tests\/(?:cluster|served_cluster|world|cli\/binary)\.ts$/.test(to)
  ) return undefined;
  return `an example imports @pintle/pintle by name, its test also a cluster of tests/ and tests/cli/binary.ts, not ${
    to.split("/").slice(-3).join("/")
  }`;
}

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "one-way-layers": {
      create(context) {
        const from = roomOf(context.filename), isExample = /\/examples\/[a-z_]+\//.test(context.filename);
        if (!from && !isExample) return {};
        const check = (node: Deno.lint.Node, source: string) => {
          if (!source.startsWith(".")) return;
          const { pathname } = new URL(source, `file://${context.filename}`), to = roomOf(pathname);
          const why = from
            ? to && (breach(from, to) ?? modBreach(from, pathname))
            : exampleBreach(context.filename, pathname);
          if (why) context.report({ node, message: why });
        };
        return {
          ImportDeclaration: (node) => check(node, node.source.value),
          ExportAllDeclaration: (node) => check(node, node.source.value),
          ExportNamedDeclaration: (node) => node.source && check(node, node.source.value),
          ImportExpression: (node) => {
            if (node.source.type === "Literal") check(node, String(node.source.value));
          },
        };
      },
    },
    "no-ambient-time": {
      create(context) {
        const room = roomOf(context.filename);
        if (!room || room === "base") return {};
        return {
          CallExpression(node) {
            const callee = context.sourceCode.getText(node.callee);
            if (AMBIENT.has(callee)) context.report({ node, message: `${callee} bypasses Clock and Random` });
          },
          NewExpression(node) {
            if (context.sourceCode.getText(node) === "new Date()") {
              context.report({ node, message: "new Date() bypasses Clock" });
            }
          },
        };
      },
    },
    "edges-stay-at-the-edge": {
      create(context) {
        const room = roomOf(context.filename);
        if (!room) return {};
        return {
          MemberExpression(node) {
            const text = context.sourceCode.getText(node);
            if (text === "Deno.env" || text === "Deno.args") {
              context.report({ node, message: `${text} is read in main.ts only: take it as an argument` });
            }
          },
          ImportDeclaration(node) {
            if (node.source.value === "@kubernetes/client-node" && room !== "client") {
              context.report({ node, message: "only lib/client/ imports @kubernetes/client-node" });
            }
          },
        };
      },
    },
    "comments-fit": {
      create(context) {
        return {
          Program() {
            let start = 0;
            for (const line of context.sourceCode.text.split("\n")) {
              const range: [number, number] = [start, start + line.length];
              start += line.length + 1;
              if (line.length > LINE_WIDTH && /^\s*(?:\/\/|\/?\*)|; \/\/ /.test(line)) {
                context.report({ range, message: `comment reaches column ${line.length}; limit ${LINE_WIDTH}` });
              }
            }
          },
        };
      },
    },
    "few-parameters": {
      create(context) {
        if (!roomOf(context.filename)) return {};
        const check = (node: Deno.lint.Node & { readonly params: readonly unknown[] }) => {
          const { length } = node.params;
          if (length > PARAMETERS_MAX) {
            context.report({ node, message: `${length} parameters; limit ${PARAMETERS_MAX}: take an options object` });
          }
        };
        return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
      },
    },
    "fits-a-screen": {
      create(context) {
        const check = (node: Deno.lint.Node) => {
          const lines = context.sourceCode.getText(node).split("\n").length;
          if (lines > FUNCTION_LINES_MAX) {
            context.report({ node, message: `function is ${lines} lines; limit ${FUNCTION_LINES_MAX}` });
          }
        };
        const room = roomOf(context.filename);
        return {
          FunctionDeclaration: check,
          MethodDefinition: check,
          Program(node) {
            const lines = context.sourceCode.getText(node).split("\n").length;
            if (room && lines > FILE_LINES_MAX) {
              context.report({ node, message: `file is ${lines} lines; limit ${FILE_LINES_MAX}: split it by noun` });
            }
          },
        };
      },
    },
  },
};

export default plugin;
