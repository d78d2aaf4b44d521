import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { Client, connect } from "../../lib/client/mod.ts";
import { Binary, type BinaryOptions, runBinary } from "./binary.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const WIDGETS = {
  group: "watched.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
};
const WATCH = ["run", "--cluster", "embedded", "--watch", "--http-port", "0"];

/** A program whose handler says one word of each object that it sees. */
const program = (word: string, handling = "reconcile") => `
import * as z from "zod";
import { defineResource, Operator } from "./lib/mod.ts";
import { cli } from "./lib/cli.ts";

const Widget = defineResource({
  group: "watched.test.pintle.dev", version: "v1", kind: "Widget", spec: z.object({ size: z.int() }),
});
const operator = new Operator("watched");
operator.on(Widget).reconcile(({ name, spec, log }) => log.info(\`${word} \${name} of size \${spec.size}\`));
${handling === "admission" ? `operator.on(Widget).mutate(({ draft }) => void (draft.spec.size = 7));` : ""}
Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
`;

/** A project around the library, whose program a test may change. */
async function transform(text: string): Promise<{ main: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "pintle-watched-" }), main = `${folder}/main.ts`;
  for (const name of ["lib", "deno.json", "deno.lock"]) await Deno.symlink(ROOT + name, `${folder}/${name}`);
  await Deno.writeTextFile(main, text);
  return { main, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

function start(main: string, options: BinaryOptions = {}): Promise<Binary> {
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  return Binary.start(["run", "-q", "-A", main, ...WATCH], {
    program: Deno.execPath(),
    env: { NO_COLOR: "1", DENO_DIR: cache },
    group: true,
    ...options,
  });
}

/** Creates a Widget as a person would, and returns it. */
async function create(binary: Binary, name: string): Promise<{ spec?: unknown }> {
  const [, kubeconfigPath] = await binary.until(/kubeconfig=(\S+)/);
  const { transport } = await connect({ clock: new SystemClock(), kubeconfigPath });
  const metadata = { namespace: "default", name };
  try {
    return await new Client(transport, { fieldManager: "test" }).create(WIDGETS, {
      apiVersion: "watched.test.pintle.dev/v1",
      kind: "Widget",
      metadata,
      spec: { size: 3 },
    });
  } finally {
    transport.close();
  }
}

// FR-436
Deno.test("run --watch keeps objects across saves, also one that cannot be loaded, and Ctrl-C ends it all", async () => {
  await using made = await transform(program("saw"));
  await using binary = await start(made.main);
  await binary.until(/operator runs/);
  await create(binary, "door");
  await binary.until(/saw door of size 3/);
  await Deno.writeTextFile(made.main, program("met"));
  await binary.until(/a source file changed: the operator restarts[^\n]* file=main\.ts/);
  await binary.until(/met door of size 3/);
  await Deno.writeTextFile(made.main, "const = 1;");
  await binary.until(/SyntaxError: Unexpected token/);
  await binary.until(/the operator ended; it restarts when a source file changes[^\n]* code=1/);
  await Deno.writeTextFile(made.main, program("found"));
  await binary.until(/found door of size 3/);
  binary.kill("SIGINT");
  const { code, out, err } = await binary.ended(); // which waits until no process has its output open
  assert.equal(code, 0, err);
  assert.equal(out.match(/kubeconfig=/g)?.length, 1, "one server for all");
  assert.match(out, /operator stopped[^]*operator stopped[^]*operator stopped/);
});

// FR-436
Deno.test("an operator that run --watch started ends with it when it is killed, and the next start works", async () => {
  await using made = await transform(program("saw"));
  {
    await using binary = await start(made.main);
    await binary.until(/operator runs/);
    binary.kill("SIGKILL");
    await binary.ended(); // which waits until no process has its output open
  }
  await using binary = await start(made.main);
  await binary.until(/operator runs/);
  await create(binary, "door");
  await binary.until(/saw door of size 3/);
});

// FR-436
Deno.test("the webhooks of an operator that run --watch started are called", async () => {
  await using made = await transform(program("saw", "admission"));
  await using binary = await start(made.main);
  await binary.until(/webhooks are called/);
  assert.deepEqual((await create(binary, "door")).spec, { size: 7 });
  await binary.until(/saw door of size 7/);
});

// FR-436
Deno.test("--watch without an embedded cluster is refused, and names the alternative", async () => {
  const { code, err } = await runBinary(["run", "--watch"], { main: "examples/widgets/main.ts" });
  assert.equal(code, 2);
  assert.match(err, /--watch needs --cluster embedded\n {2}fix: `deno run --watch main\.ts run`/);
});
