import assert from "node:assert/strict";
import { Binary, type BinaryOptions, DEMO_PERMISSIONS } from "./binary.ts";

/** A process whose folder for temporary files is its own, and what it left there. */
class Tenant implements AsyncDisposable {
  private constructor(readonly binary: Binary, readonly folder: string) {}

  static async start(args: readonly string[], options: BinaryOptions = {}): Promise<Tenant> {
    const folder = await Deno.makeTempDir({ prefix: "pintle-tenant-" });
    const env = { TMPDIR: folder, ...options.env };
    return new Tenant(await Binary.start(args, { permissions: DEMO_PERMISSIONS, ...options, env }), folder);
  }

  /** Sends signals, one after the other. The first may have ended the process before the second. */
  signal(signals: readonly Deno.Signal[]): void {
    try {
      for (const signal of signals) this.binary.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError && signals.length > 1)) throw error;
    }
  }

  /** The names of what is in the folder; Deno keeps a cache of its own there. */
  left(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).filter((name) => name.startsWith("pintle-"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.binary[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** What a command on an embedded cluster has printed when a signal comes. */
const MOMENTS: readonly [readonly string[], RegExp][] = [
  [["demo"], /embedded API server ready/],
  [["demo"], /✓ five namespaces/],
  [["demo"], /export KUBECONFIG/],
  [["run", "--cluster", "embedded", "--http-port", "0"], /starting version/],
  [["run", "--cluster", "embedded", "--http-port", "0"], /operator runs/],
];

for (const signals of [["SIGINT"], ["SIGTERM"], ["SIGINT", "SIGINT"], ["SIGINT", "SIGTERM"]] as const) {
  // FR-338
  Deno.test(`${signals.join(" and ")} at any moment leaves no temporary folder behind`, async () => {
    for (const [args, moment] of MOMENTS) {
      await using tenant = await Tenant.start(args);
      await tenant.binary.until(moment);
      tenant.signal(signals);
      const { code, err } = await tenant.binary.ended();
      assert.deepEqual(tenant.left(), [], `${args.join(" ")} at ${moment}`);
      assert.equal(err, "");
      assert.ok(code === 0 || signals.length === 2 && code === 130, `${args.join(" ")} at ${moment}: ${code}`);
    }
  });
}

// FR-338
Deno.test("a second Ctrl-C that ends a run at once removes its kubeconfig's folder, and is logged", async () => {
  const main = "tests/cli/stubborn_operator.ts";
  await using tenant = await Tenant.start(
    ["run", "--cluster", "embedded", "--http-port", "0", "--grace-period", "1h"],
    { main },
  );
  const { binary } = tenant;
  await binary.until(/it begins and will not end/);
  const [, kubeconfig] = await binary.until(/kubeconfig=(\S+)/);
  assert.ok(Deno.statSync(kubeconfig!).isFile);
  binary.kill("SIGINT");
  await binary.until(/stopping grace=1h/);
  binary.kill("SIGINT");
  const { code, out, err } = await binary.ended();
  assert.deepEqual([code, err, tenant.left()], [130, "", []]);
  assert.match(out, /INFO {2}interrupted again: ending at once, without waiting for running handlers\n$/);
});

// FR-338
Deno.test("Ctrl-C in a terminal ends `deno task demo`, which passes the signal on once more, and leaves nothing", async () => {
  const root = new URL("../../", import.meta.url).pathname;
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  for (const moment of [/embedded API server ready/, /export KUBECONFIG/]) {
    await using tenant = await Tenant.start(["task", "-q", "--config", `${root}deno.json`, "demo"], {
      program: Deno.execPath(),
      group: true, // a terminal sends the signal to every process of the group
      env: { DENO_DIR: cache },
    });
    await tenant.binary.until(moment);
    tenant.binary.kill("SIGINT");
    await tenant.binary.ended();
    assert.deepEqual(tenant.left(), []);
  }
});
