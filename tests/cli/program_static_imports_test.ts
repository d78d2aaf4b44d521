import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
      readonly npmPackage?: string;
    }[];
  }[];
  readonly redirects: Readonly<Record<string, string>>;
}

/** Every module and package that is loaded with `entry`, without what only a dynamic import would load. */
async function closure(entry: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { modules, redirects } = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const seen = new Set<string>(), open = [new URL(entry, `file://${ROOT}`).href];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const specifier = redirects[next] ?? next;
    if (seen.has(specifier)) continue;
    seen.add(specifier);
    for (const { isDynamic, code } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier) open.push(code.specifier);
    }
  }
  return [...seen];
}

const EMBEDDED = ["/lib/apiserver/", "/lib/harness/", "@kubernetes/client-node", "/yaml@", "node:https"];

// FR-78, FR-133
Deno.test("run loads no API server, no harness and no kubeconfig parser until it needs one", async () => {
  const loaded = await closure("lib/cli/run.ts");
  assert.ok(loaded.some((each) => each.includes("prom-client")), "packages are seen");
  assert.ok(loaded.some((each) => each.endsWith("/lib/client/client.ts")));
  for (const name of EMBEDDED) assert.deepEqual(loaded.filter((each) => each.includes(name)), []);
});

// FR-78
Deno.test("main loads neither those nor metrics nor logging before a command is known", async () => {
  const loaded = await closure("main.ts");
  assert.ok(loaded.some((each) => each.includes("commander")), "packages are seen");
  for (const name of [...EMBEDDED, "prom-client", "@logtape"]) {
    assert.deepEqual(loaded.filter((each) => each.includes(name)), []);
  }
});
