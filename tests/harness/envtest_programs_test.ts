import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { envtestFolders, locateEnvtest, type LocateOptions } from "../../lib/harness/mod.ts";
import { gzipped, LocalMirror, rawTar } from "./envtest_mirror.ts";

const PLATFORM = { os: "linux", arch: "amd64" };
const TWO = ["etcd", "kube-apiserver"], THREE = [...TWO, "kube-controller-manager"];

/** A home with a store of setup-envtest and a cache, and a mirror to download from. */
class Machine implements AsyncDisposable {
  readonly mirror = new LocalMirror();

  private constructor(readonly home: string) {}

  static async make(): Promise<Machine> {
    return new Machine(await Deno.makeTempDir({ prefix: "envtest-home-" }));
  }

  /** setup-envtest's store. */
  get store(): string {
    return `${this.home}/.local/share/kubebuilder-envtest/k8s`;
  }

  /** The cache of downloads. */
  get cache(): string {
    return `${this.home}/.cache/pintle-envtest`;
  }

  /** Puts programs into a folder; the API server tells its version. */
  async has(folder: string, programs: readonly string[], version = "1.34.0"): Promise<void> {
    await Deno.mkdir(folder, { recursive: true });
    for (const name of programs) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\necho Kubernetes v${version}\n`, { mode: 0o755 });
    }
  }

  /** Looks for a control plane; `download` lets it fetch what is missing. */
  async locate(options: Partial<LocateOptions> & { download?: boolean } = {}, signal?: AbortSignal) {
    const { download, ...more } = options, folders = envtestFolders({ HOME: this.home }, "linux");
    const mirror = download ? this.mirror.mirror : undefined;
    const found = await locateEnvtest(
      { folders, mirror, platform: PLATFORM, clock: new SystemClock(), ...more },
      signal,
    );
    return Object.values(found).map((path) => path.replace(`${this.home}/`, ""));
  }

  /** Every file below the cache. */
  async cached(folder: string = this.cache): Promise<string[]> {
    const found: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory) found.push(`${folder}/${name}`.slice(this.cache.length + 1));
      else {found.push(
          `${`${folder}/${name}`.slice(this.cache.length + 1)}/`,
          ...await this.cached(`${folder}/${name}`),
        );}
    }
    return found.sort();
  }

  /** Fails where a download left anything but whole programs. */
  async assertNothingLeft(): Promise<void> {
    assert.deepEqual(await this.cached().catch(() => []), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    await Deno.remove(this.home, { recursive: true });
  }
}

// FR-169
Deno.test("folders are where setup-envtest and each system have them", () => {
  assert.deepEqual(envtestFolders({ HOME: "/users/a" }, "linux"), {
    setupEnvtest: "/users/a/.local/share/kubebuilder-envtest/k8s",
    cache: "/users/a/.cache/pintle-envtest",
  });
  assert.deepEqual(envtestFolders({ HOME: "/users/a", XDG_DATA_HOME: "/data", XDG_CACHE_HOME: "/cache" }, "linux"), {
    setupEnvtest: "/data/kubebuilder-envtest/k8s",
    cache: "/cache/pintle-envtest",
  });
  assert.deepEqual(envtestFolders({ HOME: "/Users/a", XDG_DATA_HOME: "/data" }, "darwin"), {
    setupEnvtest: "/Users/a/Library/Application Support/io.kubebuilder.envtest/k8s",
    cache: "/Users/a/Library/Caches/pintle-envtest",
  });
  assert.deepEqual(envtestFolders({ LOCALAPPDATA: "C:\\a" }, "windows"), {
    setupEnvtest: "C:\\a/kubebuilder-envtest/k8s",
    cache: "C:\\a/pintle-envtest",
  });
  assert.deepEqual(envtestFolders({}, "linux"), { setupEnvtest: undefined, cache: undefined });
});

Deno.test("the folder that is named counts before all others, and a program that it lacks is named", async () => {
  await using machine = await Machine.make();
  await machine.has(`${machine.home}/mine`, THREE);
  await machine.has(`${machine.store}/1.35.0-linux-amd64`, THREE);
  const assets = `${machine.home}/mine`;
  assert.deepEqual(await machine.locate({ assets }), THREE.map((name) => `mine/${name}`));
  await Deno.remove(`${assets}/etcd`);
  await assert.rejects(machine.locate({ assets, download: true }), {
    name: "UsageError",
    message: `there is no etcd in ${assets}`,
  });
  assert.deepEqual(machine.mirror.asked, []);
});

// FR-169
Deno.test("of setup-envtest's store the newest whole version is used, or the requested one", async () => {
  await using machine = await Machine.make();
  for (const version of ["1.9.0", "1.33.2", "1.33.10", "1.34.0"]) {
    await machine.has(`${machine.store}/${version}-linux-amd64`, THREE);
  }
  await machine.has(`${machine.store}/1.35.0-linux-amd64`, TWO); // as setup-envtest leaves it
  await machine.has(`${machine.store}/1.36.0-linux-arm64`, THREE);
  await machine.has(`${machine.store}/1.36.0-alpha.1-linux-amd64`, THREE);
  const folderOf = async (version?: string) => (await machine.locate({ version }))[0]!.split("/").at(-2);
  assert.equal(await folderOf(), "1.34.0-linux-amd64");
  assert.equal(await folderOf("1.33"), "1.33.10-linux-amd64");
  assert.equal(await folderOf("v1.33.2"), "1.33.2-linux-amd64");
  await assert.rejects(folderOf("newest"), { name: "UsageError", message: "newest is not a version of Kubernetes" });
  await assert.rejects(folderOf("1.32"), { name: "UsageError", message: /^there is no control plane 1\.32 on this/ });
});

// FR-169
Deno.test("where nothing is found the error names the three ways, and nothing is downloaded without a request", async () => {
  await using machine = await Machine.make();
  await machine.mirror.release("1.34.0");
  const error = await machine.locate().catch((error) => error);
  assert.equal(error.name, "UsageError");
  assert.match(
    error.message,
    /KUBEBUILDER_ASSETS is not set, and setup-envtest's store \S+kubebuilder-envtest\/k8s has/,
  );
  for (const way of [/KUBEBUILDER_ASSETS/, /setup-envtest use/, /--download/]) assert.match(error.hint, way);
  assert.deepEqual(machine.mirror.asked, []);
});

// FR-169
Deno.test("a store without kube-controller-manager is completed by a download of that alone, and only on request", async () => {
  await using machine = await Machine.make();
  await machine.has(`${machine.store}/1.34.0-linux-amd64`, TWO);
  await machine.mirror.release("1.34.0");
  await machine.mirror.release("1.35.0");
  await assert.rejects(machine.locate(), {
    name: "UsageError",
    message:
      `there is no kube-controller-manager in ${machine.store}/1.34.0-linux-amd64, and setup-envtest brings none`,
    hint: /^let --download fetch that of 1\.34\.0, put one there, or point KUBEBUILDER_ASSETS at/,
  });
  const store = ".local/share/kubebuilder-envtest/k8s/1.34.0-linux-amd64";
  const expected = [
    `${store}/etcd`,
    `${store}/kube-apiserver`,
    ".cache/pintle-envtest/1.34.0-linux-amd64/kube-controller-manager",
  ];
  assert.deepEqual(await machine.locate({ download: true }), expected);
  const path = machine.mirror.managerPath("1.34.0");
  assert.deepEqual(machine.mirror.asked, [`${path}.sha256`, path]);
  assert.deepEqual(await machine.locate(), expected, "from now on without a download");
  assert.equal(machine.mirror.asked.length, 2);
  const { mode } = await Deno.stat(`${machine.home}/${expected[2]}`);
  assert.equal(mode! & 0o777, 0o755);
});

Deno.test("a named folder without kube-controller-manager is completed for the version that its API server reports", async () => {
  await using machine = await Machine.make();
  const assets = `${machine.home}/mine`;
  await machine.has(assets, TWO, "1.33.1");
  await machine.mirror.release("1.33.1");
  const found = await machine.locate({ assets, download: true });
  assert.deepEqual(found, [
    "mine/etcd",
    "mine/kube-apiserver",
    ".cache/pintle-envtest/1.33.1-linux-amd64/kube-controller-manager",
  ]);
});

// FR-169
Deno.test("a control plane is downloaded whole, the newest or the requested one, and kept", async () => {
  await using machine = await Machine.make();
  for (const version of ["1.9.9", "1.33.0", "1.34.1"]) await machine.mirror.release(version);
  const stages: string[] = [], onStage = (what: string) => void stages.push(what);
  const newest = THREE.map((name) => `.cache/pintle-envtest/1.34.1-linux-amd64/${name}`);
  assert.deepEqual(await machine.locate({ download: true, onStage }), newest);
  assert.deepEqual(stages, [
    "listing the control planes that can be downloaded",
    "downloading etcd and kube-apiserver 1.34.1",
    "downloading kube-controller-manager 1.34.1",
  ]);
  assert.deepEqual(await machine.cached(), [
    "1.34.1-linux-amd64/",
    ...THREE.map((name) => `1.34.1-linux-amd64/${name}`),
  ]);
  assert.match(await Deno.readTextFile(`${machine.home}/${newest[0]}`), /# etcd 1\.34\.1/);
  const { length } = machine.mirror.asked;
  assert.deepEqual(await machine.locate(), newest);
  assert.equal(machine.mirror.asked.length, length, "nothing more is asked for");
  assert.match((await machine.locate({ download: true, version: "1.33" }))[0]!, /1\.33\.0-linux-amd64\/etcd$/);
  await assert.rejects(machine.locate({ download: true, version: "1.20" }), {
    name: "UsageError",
    message: "there is no such control plane for linux/amd64 to download",
    hint: /there are 1\.9\.9, 1\.33\.0, 1\.34\.1/,
  });
});

const ARCHIVE = "/archives/envtest-v1.34.0-linux-amd64.tar.gz";
const MANAGER = "/release/v1.34.0/bin/linux/amd64/kube-controller-manager";

/** What a mirror may do wrong, and what is said of it. */
const WRONG: Record<string, {
  readonly path: string;
  readonly answer: (whole: Uint8Array<ArrayBuffer>) => Response;
  readonly name?: string;
  readonly message: RegExp;
}> = {
  "a list that is not there": {
    path: "/index.yaml",
    answer: () => new Response(null, { status: 404, statusText: "Not Found" }),
    name: "UsageError",
    message: /\/index\.yaml cannot be downloaded: 404 Not Found$/,
  },
  "a list that is none": {
    path: "/index.yaml",
    answer: () => new Response("<html>sign in: [</html>"),
    name: "UsageError",
    message: /\/index\.yaml is not a list of envtest releases$/,
  },
  "an archive that is not there": {
    path: ARCHIVE,
    answer: () => new Response(null, { status: 404, statusText: "Not Found" }),
    name: "UsageError",
    message: /amd64\.tar\.gz cannot be downloaded: 404 Not Found$/,
  },
  "an archive that was changed": {
    path: ARCHIVE,
    answer: (whole) => new Response(whole.map((byte, nth) => nth === 100 ? byte ^ 1 : byte)),
    message: /amd64\.tar\.gz does not match its sha512: \d+ bytes with [0-9a-f]{12}… instead of [0-9a-f]{12}…$/,
  },
  "an archive that is cut off": {
    path: ARCHIVE,
    answer: (whole) => new Response(whole.slice(0, 100)),
    message: /amd64\.tar\.gz does not match its sha512: 100 bytes with/,
  },
  "a controller manager that was changed": {
    path: MANAGER,
    answer: (whole) => new Response(whole.slice(1)),
    message: /kube-controller-manager does not match its sha256/,
  },
  "a checksum that is none": {
    path: `${MANAGER}.sha256`,
    answer: () => new Response("<html>"),
    message: /kube-controller-manager\.sha256 contains no sha256$/,
  },
  "an endless checksum": {
    path: `${MANAGER}.sha256`,
    answer: () => new Response("0".repeat(2_000)),
    message: /has more than the maximum of 1000 bytes$/,
  },
};

for (const [what, { path, answer, name = "Error", message }] of Object.entries(WRONG)) {
  // FR-169
  Deno.test(`${what} ends the download with one line, and leaves no half of a program`, async () => {
    await using machine = await Machine.make();
    await machine.mirror.release("1.34.0");
    machine.mirror.answers.set(path, () => answer(machine.mirror.file(path)));
    await assert.rejects(machine.locate({ download: true }), { name, message });
    const kept = path.startsWith("/release") ? ["", "etcd", "kube-apiserver"] : [];
    assert.deepEqual(
      await machine.cached().catch(() => []),
      kept.map((program) => `1.34.0-linux-amd64/${program}`),
      "what came before it and is right",
    );
    machine.mirror.answers.clear();
    assert.equal((await machine.locate({ download: true })).length, 3, "and the next one works");
  });
}

Deno.test("a connection that breaks ends the download with one line, and leaves nothing", async () => {
  await using machine = await Machine.make();
  await machine.mirror.release("1.34.0");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const breaking = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(10_000));
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of it"));
  })();
  machine.mirror.answers.set(ARCHIVE, () => Response.redirect(`http://127.0.0.1:${listener.addr.port}/`));
  await assert.rejects(machine.locate({ download: true }), {
    name: "UsageError",
    message: /^the download of \S+amd64\.tar\.gz broke off: /,
  });
  await breaking;
  await machine.assertNothingLeft();
});

/** Archives with a right checksum that are not what they say. */
const HOSTILE: Record<string, { readonly tar: Uint8Array<ArrayBuffer>; readonly message: RegExp }> = {
  "a path to outside": {
    tar: rawTar([{ path: "tools/etcd", content: "x" }, { path: "../../../kube-apiserver", content: "x" }]),
    message: /cannot be unpacked: it has a path that leads out of its folder: "\.\.\/\.\.\/\.\.\/kube-apiserver"$/,
  },
  "an absolute path": {
    tar: rawTar([{ path: "/tmp/etcd", content: "x" }]),
    message: /cannot be unpacked: it has a path that leads out of its folder: "\/tmp\/etcd"$/,
  },
  "a link in place of a program": {
    tar: rawTar([{ path: "tools/etcd", type: "2", linkTo: "/bin/sh" }, { path: "tools/kube-apiserver", content: "x" }]),
    message: /cannot be unpacked: it has no etcd$/,
  },
  "nothing in it": { tar: rawTar([]), message: /cannot be unpacked: it has no etcd and no kube-apiserver$/ },
  "an end before its end": {
    tar: rawTar([{ path: "tools/etcd", content: "x".repeat(2_000) }]).slice(0, 1_024),
    message: /cannot be unpacked: it is cut off$/,
  },
};

for (const [what, { tar, message }] of Object.entries(HOSTILE)) {
  // FR-169
  Deno.test(`an archive with ${what} is refused, and leaves nothing`, async () => {
    await using machine = await Machine.make();
    await machine.mirror.release("1.34.0", { archive: await gzipped(tar) });
    await assert.rejects(machine.locate({ download: true }), { name: "Error", message });
    await machine.assertNothingLeft();
  });
}

Deno.test("an archive that is not compressed is refused, and leaves nothing", async () => {
  await using machine = await Machine.make();
  await machine.mirror.release("1.34.0", { archive: rawTar([{ path: "etcd", content: "x" }]) });
  await assert.rejects(machine.locate({ download: true }), { message: /amd64\.tar\.gz cannot be unpacked: / });
  await machine.assertNothingLeft();
});

Deno.test("a mirror that cannot be reached is said in one line, with what to do", async () => {
  await using machine = await Machine.make();
  const mirror = { indexUrl: "http://127.0.0.1:1/index.yaml", kubernetesUrl: "http://127.0.0.1:1/" };
  await assert.rejects(machine.locate({ mirror }), {
    name: "UsageError",
    message: /^http:\/\/127\.0\.0\.1:1\/index\.yaml cannot be downloaded: /,
    hint: /--envtest-index and --kubernetes-url/,
  });
  await assert.rejects(machine.locate({ mirror: { ...mirror, indexUrl: "mirror" } }), {
    name: "UsageError",
    message: "mirror is not an address",
    hint: /--envtest-index/,
  });
});

// FR-169
Deno.test("an interruption ends a download at once, and leaves nothing", async () => {
  await using machine = await Machine.make();
  await machine.mirror.release("1.34.0");
  const abort = new AbortController(), begun = Promise.withResolvers<void>();
  machine.mirror.answers.set(ARCHIVE, () => {
    begun.resolve();
    return new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1_000)) }), // and no more
    );
  });
  const locating = machine.locate({ download: true }, abort.signal);
  await begun.promise;
  abort.abort(new Error("interrupted"));
  await assert.rejects(locating, { message: "interrupted" });
  await machine.assertNothingLeft();
});

// FR-169
Deno.test("downloads at the same time do not disturb each other", async () => {
  await using machine = await Machine.make();
  await machine.mirror.release("1.34.0");
  const all = await Promise.all(Array.from({ length: 5 }, () => machine.locate({ download: true })));
  for (const found of all) assert.deepEqual(found, all[0]);
  assert.deepEqual(await machine.cached(), [
    "1.34.0-linux-amd64/",
    ...THREE.map((name) => `1.34.0-linux-amd64/${name}`),
  ]);
});

Deno.test("a cache that cannot be written is one line with what to do", async () => {
  await using machine = await Machine.make();
  await machine.mirror.release("1.34.0");
  await Deno.writeTextFile(`${machine.home}/.cache`, "a file stands in its way");
  await assert.rejects(machine.locate({ download: true }), {
    name: "UsageError",
    message: /^cannot write to \S+\/\.cache\/pintle-envtest: /,
    hint: /XDG_CACHE_HOME/,
  });
  await assert.rejects(machine.locate({ download: true, folders: { setupEnvtest: undefined, cache: undefined } }), {
    name: "UsageError",
    message: "there is no folder for downloads",
  });
});

Deno.test("for systems that Kubernetes publishes no controller manager for, that is said before anything is fetched", async () => {
  await using machine = await Machine.make();
  const platform = { os: "darwin", arch: "arm64" };
  const refused = {
    name: "UsageError",
    message: "Kubernetes publishes no kube-controller-manager for darwin",
    hint: /--cluster kind/,
  };
  await assert.rejects(machine.locate({ platform, download: true }), refused);
  await machine.has(`${machine.store}/1.34.0-darwin-arm64`, TWO);
  await assert.rejects(machine.locate({ platform, download: true }), refused);
  assert.deepEqual(machine.mirror.asked, []);
});
