import assert from "node:assert/strict";
import { Binary, type BinaryOptions } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * What every script begins with: its own tools, where its state is, and the hook of this call, where a test gave one.
 */
const PROLOGUE = `#!/bin/bash
PATH=/usr/bin:/bin
state=$(cd "$(dirname "$0")/../state" && pwd)
program=$(basename "$0")
echo "$program $*" >> "$state/calls"
name=pintle-test previous=
for word; do [ "$previous" = --name ] && name=$word; previous=$word; done
hook="$state/hooks/$program $1 $2"
[ -e "$hook" ] || hook="$state/hooks/$program $1"
[ -e "$hook" ] && . "$hook"
`;

/** Programs that answer as the real ones do, as far as this program asks them. */
const SCRIPTS = {
  kind: `case "$1 $2" in
  "version ") echo "kind v0.33.0 go1.26.0 linux/amd64" ;;
  "get clusters") cat "$state/clusters" ;;
  "get nodes") echo "$name-control-plane" ;;
  "get kubeconfig") cat "$state/kubeconfig" ;;
  "create cluster") echo "$name" >> "$state/clusters" ;;
  "delete cluster") grep -vx "$name" "$state/clusters" > "$state/clusters.new"; mv "$state/clusters.new" "$state/clusters" ;;
  "load docker-image") echo "$3" >> "$state/node"; echo "import@sha256:1" >> "$state/node" ;;
  *) echo "ERROR: unknown command \\"$*\\"" >&2; exit 1 ;;
esac
`,
  docker: `case "$1 $2" in
  "info ") ;;
  "image inspect") grep -qx "$3" "$state/images" || { echo "Error: No such image: $3" >&2; exit 1; } ;;
  "image rm") grep -vx "$3" "$state/images" > "$state/images.new"; mv "$state/images.new" "$state/images" ;;
  "build -q") echo "$4" >> "$state/images" ;;
  exec*)
    case "$*" in
      *"images ls -q") cat "$state/node" ;;
      *"images rm --sync "*)
        shift 6; for image; do grep -vx "$image" "$state/node" > "$state/node.new"; mv "$state/node.new" "$state/node"; done ;;
    esac ;;
  *) echo "docker: '$1' is not a docker command." >&2; exit 1 ;;
esac
`,
  kubectl: `exec "$FAKE_DENO" run -q -A "${ROOT}tests/cli/fake_kubectl.ts" "$@"\n`,
  ldd: `exec /usr/bin/ldd "$@"\n`,
};

/** A program that can be faked. */
export type FakeProgram = keyof typeof SCRIPTS | "podman" | "nerdctl";

/** What the machine under test is like. */
export interface FakeMachineOptions {
  /** Programs that it has not. */
  readonly without?: readonly FakeProgram[];
  /** Bash that a call runs first, by its beginning (`kind create`, `docker info`); `exit` in it ends the program. */
  readonly hooks?: Readonly<Record<string, string>>;
  /** Clusters of kind that are there already. */
  readonly clusters?: readonly string[];
  /** Images that it has. */
  readonly images?: readonly string[];
  /** Images that the nodes of its clusters have. */
  readonly node?: readonly string[];
  /** Text of the kubeconfig that kind gives. */
  readonly kubeconfig?: string;
}

/** Bash for a hook that never comes to its end by itself. */
export const HANG = `touch "$state/hangs"; sleep 3600; exit 1`;

/**
 * A machine of which PATH, home and the folder for temporary files are a test's own, with kind, docker and kubectl as
 * told.
 */
export class FakeMachine implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Sets it up. */
  static async make(options: FakeMachineOptions = {}): Promise<FakeMachine> {
    const { without = [], hooks = {}, clusters = [], images = [], node = [], kubeconfig = "" } = options;
    const machine = new FakeMachine(await Deno.makeTempDir({ prefix: "fake-machine-" }));
    for (const name of ["bin", "state", "state/hooks", "tmp"]) await Deno.mkdir(`${machine.#folder}/${name}`);
    for (const name of Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]) {
      if (!without.includes(name)) await machine.program(name, PROLOGUE + SCRIPTS[name]);
    }
    for (const [call, script] of Object.entries(hooks)) await machine.hook(call, script);
    for (const [file, names] of Object.entries({ clusters, images, node, calls: [] as readonly string[] })) {
      await Deno.writeTextFile(machine.#state(file), names.map((name) => `${name}\n`).join(""));
    }
    await Deno.writeTextFile(machine.#state("kubeconfig"), kubeconfig, { mode: 0o600 });
    return machine;
  }

  /** The folder for temporary files. */
  get tmp(): string {
    return `${this.#folder}/tmp`;
  }

  /** Puts a program into PATH. */
  async program(name: FakeProgram, script: string, mode = 0o755): Promise<void> {
    const path = `${this.#folder}/bin/${name}`;
    await Deno.writeTextFile(path, script);
    await Deno.chmod(path, mode);
  }

  /** Makes podman or nerdctl what docker is. */
  async alias(name: "podman" | "nerdctl"): Promise<void> {
    await this.program(name, PROLOGUE + SCRIPTS.docker);
  }

  /** Makes a call behave otherwise. */
  async hook(call: string, script: string): Promise<void> {
    await Deno.writeTextFile(this.#state(`hooks/${call}`), `${script}\n`);
  }

  /** Starts the program there, in a process group of its own, as a shell does. */
  async start(args: readonly string[], options: BinaryOptions = {}): Promise<Binary> {
    const env = { PATH: `${this.#folder}/bin`, TMPDIR: this.tmp, FAKE_DENO: Deno.execPath(), ...options.env };
    return await Binary.start(args, { permissions: ["-A"], group: true, ...options, env });
  }

  /** Runs the program there to its end. */
  async run(args: readonly string[], options: BinaryOptions = {}): Promise<{ code: number; out: string; err: string }> {
    await using binary = await this.start(args, options);
    return await binary.ended();
  }

  /** The lines of a file of its state: `calls`, `clusters`, `images`. */
  async lines(file: "calls" | "clusters" | "images" | "node"): Promise<string[]> {
    return (await Deno.readTextFile(this.#state(file))).split("\n").filter((line) => line !== "");
  }

  /** Waits until its state is as wanted. */
  async until(what: () => Promise<boolean>): Promise<void> {
    using watcher = Deno.watchFs(this.#state(""));
    if (await what()) return;
    for await (const _ of watcher) if (await what()) return;
  }

  /** Waits until a hook hangs ({@linkcode HANG}) in a call. */
  async untilHangs(call: RegExp): Promise<void> {
    await this.until(async () => {
      return await exists(this.#state("hangs")) && (await this.lines("calls")).some((line) => call.test(line));
    });
    await Deno.remove(this.#state("hangs"));
  }

  /** Lets calls go on that wait for the file `go`. */
  async release(): Promise<void> {
    await Deno.writeTextFile(this.#state("go"), "");
  }

  /** Command lines of programs of this machine that run still. */
  async processes(): Promise<string[]> {
    const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"], stdout: "piped" }).output();
    return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(`${this.#folder}/bin/`));
  }

  /**
   * Waits until none of its programs runs any more. Each look takes a process: the end of another one changes no file.
   */
  async untilEnded(): Promise<void> {
    while ((await this.processes()).length > 0);
  }

  /** Fails where something of a run is left. */
  async assertClean(
    { clusters = [], images = [] }: Pick<FakeMachineOptions, "clusters" | "images"> = {},
  ): Promise<void> {
    assert.deepEqual(await this.lines("clusters"), clusters);
    assert.deepEqual(await this.lines("images"), images);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(this.tmp))).map(({ name }) => name), []);
  }

  /** Removes everything of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  #state(file: string): string {
    return `${this.#folder}/state/${file}`;
  }
}

/** A machine whose kind gives away a cluster with nothing in it, which is `cluster` by another door. */
export async function kindOf(
  options: FakeMachineOptions = {},
): Promise<{ machine: FakeMachine; cluster: HttpsCluster } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await HttpsCluster.open({ bare: true }));
  const machine = stack.use(await FakeMachine.make({ kubeconfig: cluster.door.kubeconfig, ...options }));
  const owned = stack.move();
  return { machine, cluster, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A folder with a bundle of nothing and manifests that {@linkcode FakeMachine}'s kubectl knows anyway. */
export async function operatorRoot(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "operator-root-" });
  await Deno.writeTextFile(`${path}/main.js`, "");
  await Deno.mkdir(`${path}/deploy/overlays/dev`, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
