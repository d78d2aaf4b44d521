import assert from "node:assert/strict";
import { configurationResource } from "../../lib/admission/webhook_configuration.ts";
import { FakeMachine, type FakeMachineOptions, HANG, kindOf, operatorRoot } from "./fake_kind.ts";
import { testWith } from "../outside_program.ts";

const MAIN = "tests/cli/patient_operator.ts";
const KIND = ["test", "--cluster", "kind", "--filter", "it passes"];
const DAEMON = `echo "Client: Docker Engine"; echo "Server:"
echo "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2
echo "errors pretty printing info" >&2; exit 1`;

/** All that is on standard output where nothing ran: what was to run, and what was under way. */
const STAGES = /^(1 scenario on kind, seed \d+\n)?(… [^\n]+\n)*$/;

/** How a run fails: its exit code, the line that says what is wrong, and the one that says what to do. */
interface Failure {
  readonly machine: FakeMachineOptions;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly code: number;
  readonly says: RegExp;
  readonly fix?: RegExp;
}

/** What a person has to mend: exit code 2, before anything was made. */
const UNUSABLE: Record<string, Failure> = {
  "no container runtime": {
    machine: { without: ["docker"] },
    code: 2,
    says:
      /no container runtime can be used \(docker: it is not installed; podman: it is not installed; nerdctl: it is not/,
    fix: /install Docker/,
  },
  "a container runtime whose daemon does not run": {
    machine: { hooks: { "docker info": DAEMON } },
    code: 2,
    says: /\(docker: Cannot connect to the Docker daemon at unix:\S+ Is the docker daemon running\?; podman: it is not/,
    fix: /and start it/,
  },
  "a container runtime that is named and missing": {
    machine: {},
    args: ["--runtime", "nerdctl"],
    code: 2,
    says: /\(nerdctl: it is not installed\)/,
  },
  "an unknown container runtime in kind's own variable": {
    machine: {},
    env: { KIND_EXPERIMENTAL_PROVIDER: "rkt" },
    code: 2,
    says: /there is no container runtime rkt/,
    fix: /one of docker, podman, nerdctl/,
  },
  "no kind": {
    machine: { without: ["kind"] },
    code: 2,
    says: /kind cannot be used: it is not inst/,
    fix: /install kind/,
  },
  "a kind that is something else": {
    machine: { hooks: { "kind version": "echo Usage: kind of blue; exit 0" } },
    code: 2,
    says: /kind cannot be used: `kind version` prints "Usage: kind of blue"/,
    fix: /install kind/,
  },
  "a kind that crashes": {
    machine: { hooks: { "kind version": `echo "Illegal instruction" >&2; exit 132` } },
    code: 2,
    says: /kind cannot be used: Illegal instruction/,
  },
  "a cluster of that name": {
    machine: { clusters: ["pintle-test"] },
    code: 2,
    says: /there is a kind cluster pintle-test already/,
    fix: /--reuse/,
  },
  "an unknown kind of cluster": {
    machine: {},
    args: ["--cluster", "k3d"],
    code: 2,
    says: /"k3d" must be one of embedded, envtest, kind, current/,
  },
};

for (const [what, failure] of Object.entries(UNUSABLE)) {
  // FR-166
  Deno.test(`${what} is exit ${failure.code} with one line and its fix, and nothing is made`, async () => {
    await using machine = await FakeMachine.make(failure.machine);
    const { code, out, err } = await machine.run([...KIND, ...failure.args ?? []], { main: MAIN, env: failure.env });
    assert.equal(code, failure.code, out + err);
    assert.match(out, STAGES);
    const [line, fix, ...rest] = err.trimEnd().split("\n");
    assert.match(line!, failure.says);
    if (failure.fix) assert.match(fix!, failure.fix);
    assert.deepEqual(rest, []);
    assert.ok(!(await machine.lines("calls")).some((call) => /create|delete/.test(call)));
    await machine.assertClean({ clusters: failure.machine.clusters });
  });
}

Deno.test("a container runtime that takes questions and answers none is given up after a minute", async () => {
  await using machine = await FakeMachine.make({ hooks: { "docker info": HANG } });
  const { out, err } = await machine.run([], { main: "tests/cli/stuck_daemon.ts" });
  assert.deepEqual([out, err], ["looking for kind and a container runtime took longer than 1m\n", ""]);
  assert.deepEqual(await machine.processes(), []);
});

// FR-174
Deno.test("a run creates its cluster, runs on it and deletes it", async () => {
  await using given = await kindOf();
  const { machine } = given;
  const args = [...KIND, "--kind-name", "mine", "--kubernetes-version", "1.34.0"];
  const { code, out, err } = await machine.run(args, { main: MAIN });
  assert.deepEqual([code, err], [0, ""], out);
  assert.match(out, /✓ patient: it passes/);
  assert.match(out, /\n1 passed, 0 failed\n$/);
  const calls = (await machine.lines("calls")).filter((call) => call.startsWith("kind "));
  assert.match(calls.find((call) => call.includes("create"))!, /--name mine .*--image kindest\/node:v1\.34\.0$/);
  assert.ok(calls.includes("kind delete cluster --name mine"));
  await machine.assertClean();
});

// FR-246
Deno.test("an operator whose webhooks no node can reach is told so, and leaves no configuration behind", async () => {
  await using given = await kindOf();
  const { machine, cluster } = given, args = ["test", "--cluster", "kind", "--filter", "is judged"];
  const { code, out, err } = await machine.run(args, { main: "tests/cli/webhook_operator.ts" });
  assert.deepEqual([code, err], [1, ""], out);
  assert.match(
    out,
    /its webhooks cannot be called while it runs in this process: no address of this machine .* lists no control plane/,
  );
  for (const type of ["mutate", "validate"] as const) {
    assert.deepEqual((await cluster.client.list(configurationResource(type))).items, []);
  }
  await machine.assertClean();
});

Deno.test("the first container runtime that works is taken, and kind is told", async () => {
  await using given = await kindOf({
    hooks: { "docker info": DAEMON, "kind create": `echo "by $KIND_EXPERIMENTAL_PROVIDER" >> "$state/calls"` },
  });
  await given.machine.alias("podman");
  const { code, out, err } = await given.machine.run(KIND, { main: MAIN });
  assert.equal(code, 0, out + err);
  assert.ok((await given.machine.lines("calls")).includes("by podman"));
});

// FR-174
Deno.test("a cluster that is kept or was there before stays", async () => {
  await using kept = await kindOf();
  assert.equal((await kept.machine.run([...KIND, "--keep-cluster"], { main: MAIN })).code, 0);
  await kept.machine.assertClean({ clusters: ["pintle-test"] });
  const { code, out, err } = await kept.machine.run([...KIND, "--reuse"], { main: MAIN });
  assert.equal(code, 0, out + err);
  await kept.machine.assertClean({ clusters: ["pintle-test"] });
});

/** What fails once the run has begun: told in one line, whatever the exit code, and nothing is left behind. */
const BROKEN: Record<string, Failure> = {
  "a creation that fails halfway": {
    machine: {
      hooks: {
        "kind create": `echo "$name" >> "$state/clusters"
echo "ERROR: failed to create cluster: failed to init node with kubeadm: exit status 1" >&2
echo "Stack Trace:" >&2; exit 1`,
      },
    },
    code: 1,
    says:
      /^✗ kind create cluster exited with 1: failed to create cluster: failed to init node with kubeadm: exit status 1$/m,
  },
  "a port that is taken": {
    machine: {
      hooks: {
        "kind create": `echo 'ERROR: failed to create cluster: command "docker run --name pintle-test" failed' >&2
echo "Command Output: docker: Error response from daemon: Bind for 127.0.0.1:6443 failed: port is already allocated." >&2
exit 1`,
      },
    },
    code: 1,
    says:
      /^✗ kind create cluster exited with 1: docker: .* Bind for 127\.0\.0\.1:6443 failed: port is already allocated\.$/m,
  },
  "a node image that cannot be had": {
    machine: {
      hooks: { "kind create": `echo 'ERROR: failed to pull image "kindest/node:v9": no such host' >&2; exit 1` },
    },
    args: ["--node-image", "kindest/node:v9"],
    code: 1,
    says: /^✗ kind create cluster exited with 1: failed to pull image "kindest\/node:v9": no such host$/m,
  },
  "a list of clusters that cannot be had": {
    machine: { hooks: { "kind get clusters": `echo "ERROR: failed to list clusters: daemon gone" >&2; exit 1` } },
    code: 1,
    says: /^✗ kind get clusters exited with 1: failed to list clusters: daemon gone$/m,
  },
  "a kubeconfig that is none": {
    machine: { kubeconfig: "token: c2VjcmV0: [\n" },
    code: 2,
    says:
      /^patient: kind gave no usable kubeconfig of cluster pintle-test: kind is not a kubeconfig: it is not a YAML mapping$/m,
  },
  "a kubeconfig that leads nowhere": {
    machine: {
      kubeconfig: JSON.stringify({
        clusters: [{ name: "kind", cluster: { server: "https://127.0.0.1:1" } }],
        contexts: [{ name: "kind", context: { cluster: "kind", user: "kind" } }],
        users: [{ name: "kind", user: { token: "c2VjcmV0" } }],
        "current-context": "kind",
      }),
    },
    code: 3,
    says: /^patient: .*127\.0\.0\.1:1/m,
  },
  "an image that is not there": {
    machine: {},
    args: ["--deployed", "--image", "mine:1"],
    code: 2,
    says: /^patient: docker has no image mine:1: No such image: mine:1$/m,
    fix: /^ {2}fix: build it, or docker pull mine:1$/m,
  },
  "an image that cannot be loaded": {
    machine: {
      images: ["mine:1"],
      hooks: { "kind load": `echo "ERROR: failed to load image: ctr: no space left on device" >&2; exit 1` },
    },
    args: ["--deployed", "--image", "mine:1"],
    code: 1,
    says: /^✗ kind load docker-image exited with 1: failed to load image: ctr: no space left on device$/m,
  },
  "an image that cannot be built": {
    machine: { hooks: { "docker build": `echo "Error response from daemon: no space left on device" >&2; exit 1` } },
    args: ["--deployed"],
    code: 1,
    says: /^✗ docker build exited with 1: Error response from daemon: no space left on device$/m,
  },
  "no kubectl": {
    machine: { without: ["kubectl"], images: ["mine:1"] },
    args: ["--deployed", "--image", "mine:1"],
    code: 2,
    says: /^patient: kubectl cannot be used: it is not installed$/m,
    fix: /^ {2}fix: install kubectl/m,
  },
  "manifests that cannot be applied": {
    machine: {
      images: ["mine:1"],
      hooks: { "kubectl apply": `cat > /dev/null; echo "error: Internal error occurred" >&2; exit 1` },
    },
    args: ["--deployed", "--image", "mine:1"],
    code: 1,
    says: /^✗ kubectl apply exited with 1: Internal error occurred$/m,
  },
  "pods that do not become ready": {
    machine: { images: ["mine:1"] },
    args: ["--deployed", "--image", "mine:1", "--rollout", "1s"],
    code: 1,
    says: /^✗ Deployment patient-system\/patient to be ready: not within 1s; last seen:$/m,
  },
};

for (const [what, failure] of Object.entries(BROKEN)) {
  // FR-166
  Deno.test(`${what} is exit ${failure.code} and one line, and nothing is left behind`, async () => {
    await using given = await kindOf(failure.machine);
    await using root = await operatorRoot();
    const { machine } = given, env = { PATIENT_ROOT: root.path };
    const { code, out, err } = await machine.run([...KIND, ...failure.args ?? []], { main: MAIN, env });
    assert.equal(code, failure.code, out + err);
    assert.match(out + err, failure.says);
    if (failure.fix) assert.match(err, failure.fix);
    assert.doesNotMatch(out + err, /\n\s+at |c2VjcmV0/, "a stack trace, or a secret");
    if (code === 1) assert.deepEqual([err, out.trimEnd().split("\n").at(-1)], ["", "0 passed, 1 failed"]);
    await machine.assertClean({ images: failure.machine.images });
  });
}

// FR-166
Deno.test("a cluster that cannot be deleted fails the run and is named, with the command that deletes it", async () => {
  await using given = await kindOf({ hooks: { "kind delete": `echo "ERROR: daemon gone" >&2; exit 1` } });
  const { code, out, err } = await given.machine.run(KIND, { main: MAIN });
  assert.deepEqual([code, err], [1, ""]);
  assert.match(
    out,
    /^✗ kind cluster pintle-test was not deleted; delete it with `kind delete cluster --name pintle-test`: .*daemon gone$/m,
  );
  assert.match(out, /\n1 passed, 1 failed\n$/);
});

// FR-166
Deno.test("without a folder for temporary files the run is exit 2 and says which setting names one", async () => {
  await using given = await kindOf();
  const { code, err } = await given.machine.run(KIND, { main: MAIN, env: { TMPDIR: "/dev/null/none" } });
  assert.equal(code, 2, err);
  assert.match(err, /^patient: cannot make a temporary folder: .*\n {2}fix: set TMPDIR/);
  await given.machine.assertClean();
});

const MOUNTS = await canMount() ? undefined : "this machine gives no mount namespace";

for (
  const [what, options, says] of [
    ["read-only", "ro", /cannot make a temporary folder: .*Read-only file system/],
    ["full", "size=64k", /cannot write the image's files: .*No space left on device/],
  ] as const
) {
  testWith(
    MOUNTS,
    `a ${what} disk for temporary files is exit 2 and one line, and nothing is left behind`,
    async () => {
      await using given = await kindOf();
      await using root = await operatorRoot();
      const { machine } = given;
      const script =
        `mount -t tmpfs -o ${options} tmpfs "$TMPDIR"; "$@"; code=$?; ls -A "$TMPDIR" | sed s/^/left:/; exit $code`;
      const { code, out, err } = await machine.run([...KIND, "--deployed"], {
        main: MAIN,
        env: { PATIENT_ROOT: root.path },
        wrapper: ["/usr/bin/unshare", "-m", "/bin/bash", "-c", `PATH=$PATH:/usr/bin:/bin; ${script}`, "bash"],
      });
      assert.equal(code, 2, out + err);
      assert.match(err, says);
      assert.match(err, /\n {2}fix: set TMPDIR to a folder that can be written and has free space\n$/);
      assert.doesNotMatch(out, /left:/);
      await machine.assertClean();
    },
  );
}

testWith(MOUNTS, "a home that cannot be written is no hindrance", async () => {
  await using given = await kindOf();
  const script = `PATH=$PATH:/usr/bin:/bin; mount -t tmpfs -o ro tmpfs "$HOME"; exec "$@"`;
  const wrapper = ["/usr/bin/unshare", "-m", "/bin/bash", "-c", script, "bash"];
  const { code, out, err } = await given.machine.run(KIND, { main: MAIN, wrapper });
  assert.deepEqual([code, err], [0, ""], out);
  await given.machine.assertClean();
});

async function canMount(): Promise<boolean> {
  const command = new Deno.Command("unshare", {
    args: ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
    stderr: "null",
  });
  return await command.output().then(({ success }) => success, () => false);
}
