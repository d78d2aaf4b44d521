import assert from "node:assert/strict";
import { LocalMirror } from "../harness/envtest_mirror.ts";
import { testWith } from "../outside_program.ts";
import { Binary, type BinaryOptions, type Ended } from "./binary.ts";

const ENVTEST = ["test", "--cluster", "envtest", "--filter", "it passes"];
const ASSETS = Deno.env.get("KUBEBUILDER_ASSETS");
const PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager"];

/** A home, a folder for temporary files, and a folder for the programs of a control plane. */
class Home implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Home> {
    const home = new Home(await Deno.makeTempDir({ prefix: "envtest-cli-" }));
    for (const name of ["tmp", "assets"]) await Deno.mkdir(`${home.folder}/${name}`);
    return home;
  }

  /** Makes every program this script. */
  async programs(script: string): Promise<void> {
    for (const name of PROGRAMS) {
      await Deno.writeTextFile(`${this.folder}/assets/${name}`, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    }
  }

  async start(args: readonly string[], options: BinaryOptions = {}): Promise<Binary> {
    const env = { HOME: this.folder, TMPDIR: `${this.folder}/tmp`, ...options.env };
    const main = "tests/cli/patient_operator.ts";
    return await Binary.start(args, { main, permissions: ["-A"], group: true, ...options, env });
  }

  async run(args: readonly string[], options: BinaryOptions = {}): Promise<Ended> {
    await using binary = await this.start(args, options);
    return await binary.ended();
  }

  /** Fails where a run left a file or a program. */
  async assertClean(): Promise<void> {
    assert.deepEqual((await Array.fromAsync(Deno.readDir(`${this.folder}/tmp`))).map(({ name }) => name), []);
    // What was killed may take a moment to be gone.
    let left = await this.#programs();
    for (let looks = 0; left.length > 0 && looks < 500; looks++) left = await this.#programs();
    assert.deepEqual(left, []);
  }

  /** Waits until nothing is left: who clears up after a SIGKILL is another process. */
  async untilClean(): Promise<void> {
    const left = async () => [...await Array.fromAsync(Deno.readDir(`${this.folder}/tmp`)), ...await this.#programs()];
    // Processes that are no children of this one cannot be awaited; each look runs `ps`, which takes its time.
    while ((await left()).length > 0);
  }

  async #programs(): Promise<string[]> {
    const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"], stdout: "piped" }).output();
    return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(`${this.folder}/`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("without a control plane envtest is exit 2, and the fix names the three ways to one", async () => {
  await using home = await Home.make();
  const { code, err } = await home.run(ENVTEST);
  assert.equal(code, 2, err);
  assert.match(err, /^patient: there is no control plane on this machine: KUBEBUILDER_ASSETS is not set, and [^\n]+\n/);
  assert.match(err, /\n {2}fix: [^\n]*KUBEBUILDER_ASSETS[^\n]*setup-envtest use[^\n]*--download[^\n]*\n$/);
  await home.assertClean();
});

// FR-166
Deno.test("a program of the control plane that fails is exit 1, with its last words", async () => {
  await using home = await Home.make();
  await home.programs(`echo "cannot open the database" >&2; exit 7`);
  const { code, out, err } = await home.run([...ENVTEST, "--assets", `${home.folder}/assets`]);
  assert.deepEqual([code, err], [1, ""], out);
  assert.match(
    out,
    /✗ the control plane did not start: etcd exited with 7; its last output:\n +cannot open the database\n[^]*\n0 passed, 1 failed\n$/,
  );
  await home.assertClean();
});

// FR-166
Deno.test("a port that is taken meanwhile costs another start, and no more than three", async () => {
  await using home = await Home.make();
  const starts = `${home.folder}/starts`;
  await home.programs(`[ "\${0##*/}" = etcd ] || exec sleep 3600
echo "$2" >> ${starts}; echo "listen tcp 127.0.0.1:2379: bind: address already in use" >&2; exit 1`);
  const { code, out } = await home.run([...ENVTEST, "--assets", `${home.folder}/assets`]);
  assert.equal(code, 1, out);
  assert.match(
    out,
    /✗ the control plane did not start: etcd exited with 1; its last output:\n +listen tcp .* already in use/,
  );
  const listened = (await Deno.readTextFile(starts)).trim().split("\n");
  assert.deepEqual([listened.length, new Set(listened).size], [3, 3], "each on another port");
  await home.assertClean();
});

// FR-169
Deno.test("--download fetches a control plane from the mirror that is named, and runs it", async () => {
  await using home = await Home.make();
  await using mirror = new LocalMirror();
  await mirror.release("1.34.0", { programs: `#!/bin/bash\necho "\${0#$HOME/} was run" >&2; exit 7\n` });
  const { indexUrl, kubernetesUrl } = mirror.mirror;
  const env = { PINTLE_TEST_ENVTEST_INDEX: indexUrl, PINTLE_TEST_KUBERNETES_URL: kubernetesUrl };
  const { code, out, err } = await home.run([...ENVTEST, "--download"], { env });
  assert.deepEqual([code, err], [1, ""], out);
  assert.match(out, /… downloading etcd and kube-apiserver 1\.34\.0\n… downloading kube-controller-manager 1\.34\.0\n/);
  assert.match(
    out,
    /etcd exited with 7; its last output:\n +\.cache\/pintle-envtest\/1\.34\.0-linux-amd64\/etcd was run/,
  );
  await home.assertClean();
});

Deno.test("Ctrl-C during a download ends the run with 130, and a second one would leave nothing either", async () => {
  await using home = await Home.make();
  await using mirror = new LocalMirror();
  await mirror.release("1.34.0");
  const begun = Promise.withResolvers<void>();
  mirror.answers.set(mirror.archivePath("1.34.0"), () => {
    begun.resolve();
    return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1_000)) }));
  });
  const { indexUrl, kubernetesUrl } = mirror.mirror;
  const args = [...ENVTEST, "--download", "--envtest-index", indexUrl, "--kubernetes-url", kubernetesUrl];
  await using binary = await home.start(args);
  await begun.promise;
  binary.kill("SIGINT");
  const { code, out, err } = await binary.ended();
  assert.deepEqual([code, err], [130, ""], out);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(`${home.folder}/.cache/pintle-envtest`)), []);
  await home.assertClean();
});

// FR-167
Deno.test("Ctrl-C while a control plane starts ends the run with 130, and no program is left", async () => {
  await using home = await Home.make();
  await home.programs(`trap "" INT TERM; touch $HOME/started; sleep 3600; exit 1`);
  await using binary = await home.start([...ENVTEST, "--assets", `${home.folder}/assets`]);
  await until(`${home.folder}/started`);
  binary.kill("SIGINT");
  const { code, out, err } = await binary.ended();
  assert.deepEqual([code, err], [130, ""], out);
  await home.assertClean();
});

// FR-358
Deno.test("SIGKILL while a control plane starts leaves no program and no folder", async () => {
  await using home = await Home.make();
  await home.programs(`trap "" INT TERM; touch $HOME/started; sleep 3600; exit 1`);
  await using binary = await home.start([...ENVTEST, "--assets", `${home.folder}/assets`]);
  await until(`${home.folder}/started`);
  binary.kill("SIGKILL");
  await binary.ended();
  await home.untilClean();
});

testWith(
  ASSETS ? undefined : "KUBEBUILDER_ASSETS is not set",
  // FR-167
  "Ctrl-C during a scenario on a real control plane clears up there, and a second one leaves no program either",
  async () => {
    await using home = await Home.make();
    for (const times of [1, 2]) {
      await using binary = await home.start(["test", "--cluster", "envtest", "--assets", ASSETS!]);
      await binary.until(/✓ patient: it passes/);
      binary.kill("SIGINT");
      if (times === 2) {
        await binary.until(/interrupted: cleaning up/);
        binary.kill("SIGINT");
      }
      const { code, out, err } = await binary.ended();
      assert.deepEqual([code, err], [130, ""], out);
      if (times === 1) assert.match(out, /\n1 passed, 0 failed\n$/);
      await home.assertClean();
    }
  },
);

/** Waits until a file is there. */
async function until(path: string): Promise<void> {
  const there = () => Deno.stat(path).then(() => true, () => false);
  using watcher = Deno.watchFs(path.slice(0, path.lastIndexOf("/")));
  if (await there()) return;
  for await (const _ of watcher) if (await there()) return;
}
