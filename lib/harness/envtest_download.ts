import { type Clock, describeError, isObject, TimeLimit, UsageError } from "../base/mod.ts";
import { ExitHook } from "./exit_hook.ts";
import { folderName, type Platform } from "./envtest_folders.ts";
import type { EnvtestMirror } from "./envtest_mirror.ts";
import { compareVersions, formatVersion, type KubernetesVersion, parseVersion } from "./kubernetes_version.ts";
import { readTar } from "./tar_reader.ts";
import { downloadFile, downloadText } from "./verified_download.ts";

interface EnvtestDownloadOptions {
  readonly mirror: EnvtestMirror;
  readonly cache: string;
  readonly platform: Platform;
  readonly clock: Clock;
  /** Longest download; ten minutes if absent. */
  readonly downloadMsMax?: number;
  readonly onStage?: (what: string) => void;
}

const DOWNLOAD_MS_MAX = 600_000;
const INDEX_BYTES_MAX = 10_000_000, DIGEST_BYTES_MAX = 1_000, PROGRAM_BYTES_MAX = 1_000_000_000;
const MANAGER = "kube-controller-manager";
const ARCHIVED: readonly string[] = ["etcd", "kube-apiserver"];

interface Archive {
  readonly version: KubernetesVersion;
  readonly url: URL;
  readonly digest: string;
}

/**
 * Downloads control planes into a folder of this user.
 *
 * Guarantees: a program appears whole, and only after its checksum matched. A failure or interruption leaves nothing.
 * Concurrent downloads do not disturb each other.
 */
export class EnvtestDownload {
  readonly #options: EnvtestDownloadOptions;

  constructor(options: EnvtestDownloadOptions) {
    this.#options = options;
  }

  folder(version: KubernetesVersion): string {
    return `${this.#options.cache}/${folderName(version, this.#options.platform)}`;
  }

  /** @throws {UsageError} if no whole control plane is published for this system. */
  requirePublished(): void {
    const { os } = this.#options.platform;
    if (os === "linux") return;
    throw new UsageError(
      `Kubernetes publishes no ${MANAGER} for ${os}`,
      "build one, put it beside kube-apiserver and name the folder with --assets, or use --cluster kind",
    );
  }

  /**
   * Downloads etcd and kube-apiserver of the newest wanted version.
   *
   * @throws {UsageError} if there is none, or the download fails.
   */
  async archive(wanted: (version: KubernetesVersion) => boolean, signal: AbortSignal): Promise<KubernetesVersion> {
    const { platform, onStage } = this.#options;
    return await this.#limited("the download of a control plane", signal, async (signal) => {
      const archives = await this.#index(signal);
      const archive = archives.filter(({ version }) => wanted(version))
        .sort((one, other) => compareVersions(one.version, other.version))[0];
      if (!archive) {
        const known = archives.map(({ version }) => formatVersion(version)).join(", ") || "none";
        throw new UsageError(
          `there is no such control plane for ${platform.os}/${platform.arch} to download`,
          `name another --kubernetes-version; there are ${known}`,
        );
      }
      onStage?.(`downloading etcd and kube-apiserver ${formatVersion(archive.version)}`);
      await this.#intoCache(archive.version, async (part) => {
        const path = `${part}/archive`, { url, digest } = archive;
        await downloadFile(path, { url, digest, algorithm: "sha512", bytesMax: PROGRAM_BYTES_MAX, signal });
        await unpack(path, url, part);
        return ARCHIVED;
      });
      return archive.version;
    });
  }

  /**
   * Downloads kube-controller-manager, which the archives lack.
   *
   * @throws {UsageError} if Kubernetes publishes none for this system, or the download fails.
   */
  async controllerManager(version: KubernetesVersion, signal: AbortSignal): Promise<void> {
    const { mirror, platform: { os, arch }, onStage } = this.#options, name = MANAGER;
    this.requirePublished();
    await this.#limited(`the download of ${name}`, signal, async (signal) => {
      const path = `release/v${formatVersion(version)}/bin/${os}/${arch}/${name}`;
      const url = urlOf(path, mirror.kubernetesUrl, "--kubernetes-url");
      onStage?.(`downloading ${name} ${formatVersion(version)}`);
      const digest = (await downloadText(new URL(`${url}.sha256`), DIGEST_BYTES_MAX, signal)).trim().split(/\s/)[0]!;
      if (!/^[0-9a-f]{64}$/i.test(digest)) throw new Error(`${url}.sha256 contains no sha256`);
      await this.#intoCache(version, async (part) => {
        const bytesMax = PROGRAM_BYTES_MAX;
        await downloadFile(`${part}/${name}`, { url, digest, algorithm: "sha256", bytesMax, signal });
        return [name];
      });
    });
  }

  async #limited<T>(what: string, signal: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, downloadMsMax = DOWNLOAD_MS_MAX } = this.#options;
    using limit = new TimeLimit(clock, downloadMsMax, `${what} took longer than`, [signal]);
    return await act(limit.signal);
  }

  /** `fill` makes programs in a temporary folder, which then move into the cache. */
  async #intoCache(version: KubernetesVersion, fill: (part: string) => Promise<readonly string[]>): Promise<void> {
    const { cache } = this.#options, folder = this.folder(version);
    const part = await writable(cache, async () => {
      await Deno.mkdir(cache, { recursive: true, mode: 0o755 });
      return await Deno.makeTempDir({ dir: cache, prefix: ".part-" });
    });
    const remove = () => Deno.removeSync(part, { recursive: true });
    using _duty = new ExitHook(remove);
    try {
      await writable(cache, async () => {
        const names = await fill(part);
        await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
        for (const name of names) {
          await Deno.chmod(`${part}/${name}`, 0o755);
          await Deno.rename(`${part}/${name}`, `${folder}/${name}`); // one of the same version may be there by now
        }
      });
    } finally {
      remove();
    }
  }

  async #index(signal: AbortSignal): Promise<Archive[]> {
    const { mirror: { indexUrl }, platform: { os, arch }, onStage } = this.#options;
    onStage?.("listing the control planes that can be downloaded");
    const base = urlOf(indexUrl, undefined, "--envtest-index");
    const { parse } = await import("../base/yaml.ts"), text = await downloadText(base, INDEX_BYTES_MAX, signal);
    const { releases } = parsed(parse, text) as { releases?: Record<string, Record<string, unknown>> };
    if (!isObject(releases)) {
      throw new UsageError(`${indexUrl} is not a list of envtest releases`, "name another with --envtest-index");
    }
    return Object.entries(releases).flatMap(([name, archives]) => {
      const version = parseVersion(name),
        archive = isObject(archives) && archives[`envtest-${name}-${os}-${arch}.tar.gz`];
      if (!version || !isObject(archive)) return [];
      const { hash, selfLink } = archive;
      if (typeof hash !== "string" || typeof selfLink !== "string" || !URL.canParse(selfLink, base)) return [];
      return [{ version, url: new URL(selfLink, base), digest: hash }];
    });
  }
}

function parsed(parse: (text: string) => unknown, text: string): object {
  try {
    const value = parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {}; // the caller reports the error
  }
}

function urlOf(path: string, base: string | undefined, flag: string): URL {
  if (URL.canParse(path, base)) return new URL(path, base);
  throw new UsageError(`${base ?? path} is not an address`, `give ${flag} one that begins with https://`);
}

/** System errors have a code; errors of streams, archives and signals have none. */
function isDiskError(error: unknown): boolean {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "string";
}

/** @throws {UsageError} if the disk refuses the write. */
async function writable<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!isDiskError(cause)) throw cause;
    throw new UsageError(
      `cannot write to ${folder}: ${describeError(cause)}`,
      "free disk space and make it writable, or set XDG_CACHE_HOME to another folder",
      { cause },
    );
  }
}

async function unpack(archive: string, url: URL, folder: string): Promise<void> {
  const missing = new Set(ARCHIVED), { readable } = await Deno.open(archive);
  try {
    for await (const entry of readTar(readable.pipeThrough(new DecompressionStream("gzip")))) {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
      if (!entry.isFile || !missing.has(name)) continue;
      if (entry.size > PROGRAM_BYTES_MAX) throw new Error(`its ${name} has ${entry.size} bytes`);
      using file = await Deno.open(`${folder}/${name}`, { write: true, createNew: true });
      for await (const part of entry.content) {
        let rest: Uint8Array = part;
        while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      }
      missing.delete(name);
    }
  } catch (cause) {
    if (isDiskError(cause)) throw cause;
    throw new Error(`${url} cannot be unpacked: ${describeError(cause)}`, { cause });
  }
  if (missing.size > 0) throw new Error(`${url} cannot be unpacked: it has no ${[...missing].join(" and no ")}`);
}
