import assert from "node:assert/strict";
import { Binary, type BinaryOptions } from "./binary.ts";

const permissions = ["--allow-env", "--allow-net", "--allow-read", "--allow-write"];

async function paths(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...(await paths(`${folder}/${name}`)).map((path) => `${name}/${path}`));
    else found.push(name);
  }
  return found.sort();
}

/** Prepares an empty folder, runs `init` there, and looks at both. */
async function init(
  name: string,
  look: (ended: { code: number; out: string; err: string }, folder: string) => Promise<void>,
  prepare: (folder: string) => Promise<unknown> = () => Promise.resolve(),
  options: BinaryOptions = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pintle-init-" });
  try {
    await prepare(folder);
    const wrapper = ["sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", folder, ...options.wrapper ?? []];
    await using binary = await Binary.start(["init", name], { permissions, ...options, wrapper });
    await look(await binary.ended(), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// FR-207
Deno.test("init makes a whole project of that name, with the library behind one entry of its import map", async () => {
  await init("shop-things", async ({ code, out, err }, folder) => {
    assert.deepEqual([code, err], [0, ""]);
    assert.match(
      out,
      /^shop-things: \d+ files, and the library in vendor\/; main.ts is the one to edit\nnext:\n {2}cd shop-things\n/,
    );
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["shop-things"]);
    const all = await paths(`${folder}/shop-things`), own = all.filter((path) => !path.startsWith("vendor/"));
    for (
      const path of [
        ".gitignore",
        ".github/workflows/ci.yaml",
        "Dockerfile",
        "README.md",
        "Tiltfile",
        "deno.json",
        "deno.lock",
        "deploy/base/kustomization.yaml",
        "deploy/overlays/dev/kustomization.yaml",
        "deploy/overlays/prod/kustomization.yaml",
        "main.ts",
        "tests/shopthings_scenarios.ts",
        "tests/shopthings_test.ts",
      ]
    ) assert.ok(own.includes(path), path);
    for (const path of own) {
      const text = await Deno.readTextFile(`${folder}/shop-things/${path}`);
      assert.doesNotMatch(text, /my-operator|widget|\.\.\/\.\.\/lib/i, path);
    }
    const config = JSON.parse(await Deno.readTextFile(`${folder}/shop-things/deno.json`));
    assert.deepEqual(Object.keys(config.imports), ["@pintle/pintle", "zod"]);
    assert.deepEqual(config.links, ["./vendor/pintle"]);
    for (const target of Object.values(config.imports)) assert.match(target as string, /@\d+\.\d+\.\d+$/, "pinned");
    const library = JSON.parse(await Deno.readTextFile(`${folder}/shop-things/vendor/pintle/deno.json`));
    assert.equal(config.imports["@pintle/pintle"], `jsr:${library.name}@${library.version}`);
    assert.equal(config.imports.zod, library.imports.zod);
    assert.deepEqual(Object.keys(library.imports).includes("fast-check"), false, "what only its tests need");
    assert.ok(!all.some((path) => path.startsWith("vendor/pintle/lib/replicator/")));
    assert.equal((await Deno.stat(`${folder}/shop-things`)).mode! & 0o777, 0o755);
  });
});

// FR-208
Deno.test("init takes the place of an empty folder", async () => {
  await init(
    "shop",
    async ({ code }, folder) => {
      assert.equal(code, 0);
      assert.ok((await paths(`${folder}/shop`)).includes("main.ts"));
    },
    (folder) => Deno.mkdir(`${folder}/shop`),
  );
});

// FR-488
Deno.test("init takes a path, whose last part is the operator's name", async () => {
  await init("things/my shops/shop/", async ({ code, out, err }, folder) => {
    assert.equal(code, 0, err);
    assert.match(out, /^things\/my shops\/shop: /);
    assert.match(out, /^ {2}cd 'things\/my shops\/shop'$/m);
    const project = `${folder}/things/my shops/shop`;
    assert.match(await Deno.readTextFile(`${project}/main.ts`), /new Operator\("shop"\)/);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(`${project}/..`))).map(({ name }) => name), ["shop"]);
  }, (folder) => Deno.mkdir(`${folder}/things/my shops`, { recursive: true }));
  await init("no/such/shop", async ({ code, err }, folder) => {
    assert.equal(code, 2);
    assert.match(
      err,
      /^pintle: cannot make a folder in no\/such\/: it does not exist\n {2}fix: choose a folder that exists/,
    );
    assert.deepEqual(await paths(folder), []);
  });
});

for (
  const name of [
    "",
    "Shop",
    "shop_things",
    "-shop",
    "shop-",
    "../Shop",
    "shop/Things",
    "/",
    ".",
    "..",
    "a".repeat(51),
    "sh op",
  ]
) {
  Deno.test(`init refuses the name ${JSON.stringify(name)}, and makes nothing`, async () => {
    await init(name, async ({ code, out, err }, folder) => {
      assert.deepEqual([code, out], [2, ""]);
      if (name.startsWith("-")) assert.match(err, /unknown option/);
      else assert.match(err, /^pintle: ".*" is not a valid operator name\n {2}fix: lower-case letters, .*\n$/);
      assert.deepEqual(await paths(folder), []);
    });
  });
}

/** What may stand in the way. */
const TAKEN: Record<string, [(folder: string) => Promise<unknown>, RegExp]> = {
  "a folder with a file": [async (folder) => {
    await Deno.mkdir(`${folder}/shop`);
    await Deno.writeTextFile(`${folder}/shop/mine`, "mine");
  }, /^pintle: shop exists already and is not empty\n {2}fix: /],
  "a folder with a hidden file": [async (folder) => {
    await Deno.mkdir(`${folder}/shop/.git`, { recursive: true });
    await Deno.writeTextFile(`${folder}/shop/.git/mine`, "mine");
  }, /^pintle: shop exists already and is not empty\n {2}fix: /],
  "a file": [
    (folder) => Deno.writeTextFile(`${folder}/shop`, "mine"),
    /^pintle: shop exists already and is not a folder\n/,
  ],
  "a link": [
    (folder) => Deno.symlink("elsewhere", `${folder}/shop`),
    /^pintle: shop exists already and is not a folder\n/,
  ],
};

for (const [what, [prepare, expected]] of Object.entries(TAKEN)) {
  // FR-208
  Deno.test(`init overwrites nothing: ${what} of that name stays`, async () => {
    let before: string[];
    await init(
      "shop",
      async ({ code, out, err }, folder) => {
        assert.deepEqual([code, out], [2, ""]);
        assert.match(err, expected);
        assert.deepEqual(await paths(folder), before);
      },
      async (folder) => {
        await prepare(folder);
        before = await paths(folder);
      },
    );
  });
}

// FR-208
Deno.test("init in a folder that cannot be written reports it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pintle-init-" });
  await Deno.chmod(folder, 0o500);
  // Root may write anywhere but on a file system that is mounted for reading.
  const enter = Deno.uid() === 0
    ? ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro tmpfs "$1" && cd "$1" && shift && exec "$@"', "sh", folder]
    : ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder];
  {
    await using binary = await Binary.start(["init", "shop"], { permissions, wrapper: enter });
    const { code, out, err } = await binary.ended();
    assert.deepEqual([code, out], [2, ""]);
    assert.match(
      err,
      /^pintle: cannot make a folder here: [^\n]+\n {2}fix: choose a folder that exists and that you may write\n$/,
    );
  }
  await Deno.remove(folder);
});

// FR-208
Deno.test("init without the project's files names where to get them", async () => {
  const main = "tests/cli/rootless_operator.ts";
  await init(
    "shop",
    async ({ code, err }, folder) => {
      assert.equal(code, 2);
      assert.match(
        err,
        /^rootless: this program does not contain the files of a new transform: .*\n {2}fix: use a released/,
      );
      assert.deepEqual(await paths(folder), []);
    },
    undefined,
    { main },
  );
});

Deno.test("a program that makes no projects has no init", async () => {
  await init(
    "shop",
    ({ code, err }) => {
      assert.equal(code, 2);
      assert.match(err, /unknown command 'init'/);
      return Promise.resolve();
    },
    undefined,
    { main: "examples/widgets/main.ts" },
  );
});

/** What a command in a project prints; it must end with 0. */
async function inProject(folder: string, ...args: string[]): Promise<string> {
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, env }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, `${args.join(" ")}: ${said}`);
  return said;
}

for (
  const name of [
    "secret-proxy-operator",
    "class",
    "a".repeat(50),
    "config-map",
  ]
) {
  Deno.test(`the project of an operator named ${name} is formatted, typed, and true to its manifests`, async () => {
    await init(name, async ({ code }, parent) => {
      assert.equal(code, 0);
      const folder = `${parent}/${name}`;
      await inProject(folder, "fmt", "--check", "-q");
      await inProject(folder, "task", "-q", "check");
      await inProject(folder, "run", "-q", "-A", "main.ts", "manifests", "--check", "deploy/base");
    });
  });
}

// FR-190
Deno.test("a project's test of a stale deploy/base names what differs, and the command that writes it", async () => {
  await init("shop", async (_ended, parent) => {
    const folder = `${parent}/shop`, main = await Deno.readTextFile(`${folder}/main.ts`);
    const rule = '{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }';
    await Deno.writeTextFile(`${folder}/main.ts`, main.replace("return made;", `return made.permissions(${rule});`));
    const args = ["test", "-q", "-A", "--filter", "deploy/base", "tests/"];
    const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, env: { NO_COLOR: "1" } })
      .output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stdout),
      /ClusterRole shop: rules\.pods\.get is missing\n[^]* {2}fix: deno run -A main\.ts manifests --output deploy\/base\n/,
    );
  });
});

// FR-432
Deno.test("a first own operator is one file of at most 30 lines, its program included", async () => {
  const main = await Deno.readTextFile(new URL("../../templates/operator/main.ts", import.meta.url));
  assert.match(main, /defineResource[^]*\.reconcile\([^]*cli\(operator, /);
  assert.ok(main.trimEnd().split("\n").length <= 30, main);
});
