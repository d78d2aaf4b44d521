import { type Clock, UsageError } from "../base/mod.ts";
import { runCommand } from "./command.ts";
import { EnvtestDownload } from "./envtest_download.ts";
import { type EnvtestFolders, folderName, type Platform, thisPlatform, versionsIn } from "./envtest_folders.ts";
import type { EnvtestMirror } from "./envtest_mirror.ts";
import {
  compareVersions,
  formatVersion,
  type KubernetesVersion,
  parseVersion,
  versionMatcher,
} from "./kubernetes_version.ts";

const ENVTEST_PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager"] as const;

/** A program of a control plane. */
export type EnvtestProgram = typeof ENVTEST_PROGRAMS[number];

/** Path of each program of a control plane. */
export type EnvtestPrograms = Readonly<Record<EnvtestProgram, string>>;

/** Options of {@linkcode locateEnvtest}. */
export interface LocateOptions {
  /** The named folder, as `KUBEBUILDER_ASSETS`; it takes precedence. */
  readonly assets?: string;
  /** Version where no folder is named, such as `1.34` or `1.34.0`; the newest if absent. */
  readonly version?: string;
  /** Folders on this machine. */
  readonly folders: EnvtestFolders;
  /** Where missing programs are downloaded from; no download if absent. */
  readonly mirror?: EnvtestMirror;
  /** Bounds downloads. */
  readonly clock: Clock;
  /** This machine's if absent. */
  readonly platform?: Platform;
  /** Notified of slow parts. */
  readonly onStage?: (what: string) => void;
}

const NAMED = `point KUBEBUILDER_ASSETS at a folder with ${ENVTEST_PROGRAMS.join(", ")}`;

/**
 * Finds a control plane's programs: in the named folder, else setup-envtest's store, the cache, or by download if
 * allowed. setup-envtest lacks kube-controller-manager: it is found beside the others, cached or downloaded.
 *
 * @throws {UsageError} naming every way to get what is missing.
 */
export async function locateEnvtest(options: LocateOptions, signal?: AbortSignal): Promise<EnvtestPrograms> {
  return await new Location(options, signal ?? new AbortController().signal).find();
}

class Location {
  readonly #options: LocateOptions;
  readonly #signal: AbortSignal;
  readonly #platform: Platform;

  constructor(options: LocateOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#platform = options.platform ?? thisPlatform();
  }

  async find(): Promise<EnvtestPrograms> {
    const { assets, folders } = this.#options;
    if (assets) return await this.#named(assets);
    const wanted = versionMatcher(this.#options.version), kept = await this.#kept(wanted);
    for (const { folder, version } of kept) {
      const manager = await this.#managerOf(folder, version);
      if (manager) return programs(folder, manager);
    }
    const [newest] = kept;
    if (newest) return programs(newest.folder, await this.#fetchedManager(newest.folder, newest.version));
    const download = this.#download();
    if (!download) {
      const what = this.#options.version ? ` ${this.#options.version}` : "";
      throw new UsageError(
        `there is no control plane${what} on this machine: KUBEBUILDER_ASSETS is not set, and setup-envtest's store ` +
          `${folders.setupEnvtest ?? "is unknown"} has none`,
        `${NAMED}, or run \`setup-envtest use\` and this again with --download, or let --download fetch all of it`,
      );
    }
    download.requirePublished();
    const version = await download.archive(wanted, this.#signal);
    return programs(download.folder(version), await this.#fetchedManager(download.folder(version), version));
  }

  async #named(folder: string): Promise<EnvtestPrograms> {
    for (const name of ["etcd", "kube-apiserver"]) {
      if (!await isProgram(`${folder}/${name}`)) throw new UsageError(`there is no ${name} in ${folder}`, NAMED);
    }
    const beside = `${folder}/kube-controller-manager`;
    if (await isProgram(beside)) return programs(folder, beside);
    const output = await runCommand(`${folder}/kube-apiserver`, ["--version"], { signal: this.#signal }).catch(() =>
      ""
    );
    const version = parseVersion(output.trim().split(" ").at(-1) ?? "");
    if (!version) {
      throw new UsageError(`there is no kube-controller-manager in ${folder}`, NAMED);
    }
    const manager = await this.#managerOf(folder, version);
    return programs(folder, manager ?? await this.#fetchedManager(folder, version));
  }

  async #kept(wanted: (version: KubernetesVersion) => boolean) {
    const { setupEnvtest, cache } = this.#options.folders;
    const kept: { folder: string; version: KubernetesVersion }[] = [];
    for (const parent of [setupEnvtest, cache]) {
      for (const version of await versionsIn(parent, this.#platform)) {
        const folder = `${parent}/${folderName(version, this.#platform)}`;
        if (!wanted(version)) continue;
        if (await isProgram(`${folder}/etcd`) && await isProgram(`${folder}/kube-apiserver`)) {
          kept.push({ folder, version });
        }
      }
    }
    return kept.sort((one, other) => compareVersions(one.version, other.version));
  }

  /** Beside its kube-apiserver, or in the cache. */
  async #managerOf(folder: string, version: KubernetesVersion): Promise<string | undefined> {
    const cache = `${this.#options.folders.cache}/${folderName(version, this.#platform)}`;
    for (const each of [folder, cache]) {
      if (await isProgram(`${each}/kube-controller-manager`)) return `${each}/kube-controller-manager`;
    }
    return undefined;
  }

  async #fetchedManager(folder: string, version: KubernetesVersion): Promise<string> {
    const download = this.#download();
    if (!download) {
      throw new UsageError(
        `there is no kube-controller-manager in ${folder}, and setup-envtest brings none`,
        `let --download fetch that of ${formatVersion(version)}, put one there, or ${NAMED}`,
      );
    }
    await download.controllerManager(version, this.#signal);
    return `${download.folder(version)}/kube-controller-manager`;
  }

  #download(): EnvtestDownload | undefined {
    const { mirror, folders: { cache }, clock, onStage } = this.#options;
    if (!mirror) return undefined;
    if (!cache) throw new UsageError("there is no folder for downloads", "set HOME or XDG_CACHE_HOME");
    return new EnvtestDownload({ mirror, cache, platform: this.#platform, clock, onStage });
  }
}

function programs(folder: string, manager: string): EnvtestPrograms {
  return {
    etcd: `${folder}/etcd`,
    "kube-apiserver": `${folder}/kube-apiserver`,
    "kube-controller-manager": manager,
  };
}

async function isProgram(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}
