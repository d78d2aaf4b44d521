import { compareVersions, type KubernetesVersion, parseVersion } from "./kubernetes_version.ts";

/** A system and processor, by their names in Kubernetes' archives. */
export interface Platform {
  /** `linux`, `darwin` or `windows`. */
  readonly os: string;
  /** `amd64` or `arm64`. */
  readonly arch: string;
}

/** A function, because modules must load without Deno. */
export function thisPlatform(): Platform {
  return { os: Deno.build.os, arch: Deno.build.arch === "aarch64" ? "arm64" : "amd64" };
}

/** Folders that contain a folder for each version, such as `1.34.0-linux-amd64`. */
export interface EnvtestFolders {
  /** setup-envtest's store; only read. */
  readonly setupEnvtest: string | undefined;
  /** Cache of this program's downloads. */
  readonly cache: string | undefined;
}

/**
 * This program's cache, and setup-envtest's default store: `k8s` below `$XDG_DATA_HOME/kubebuilder-envtest`, on macOS
 * `~/Library/Application Support/io.kubebuilder.envtest`, on Windows `%LocalAppData%\kubebuilder-envtest`. Undefined if
 * the environment names no home.
 */
export function envtestFolders(
  env: Readonly<Record<string, string | undefined>>,
  os: string = Deno.build.os,
): EnvtestFolders {
  const below = (base: string | undefined, ...path: string[]) => base ? [base, ...path].join("/") : undefined;
  const home = env.HOME;
  if (os === "windows") {
    const local = env.LOCALAPPDATA ?? env.LocalAppData;
    return {
      setupEnvtest: below(local, "kubebuilder-envtest", "k8s"),
      cache: below(local, "pintle-envtest"),
    };
  }
  if (os === "darwin") {
    return {
      setupEnvtest: below(home, "Library/Application Support/io.kubebuilder.envtest/k8s"),
      cache: below(home, "Library/Caches/pintle-envtest"),
    };
  }
  return {
    setupEnvtest: below(env.XDG_DATA_HOME || below(home, ".local/share"), "kubebuilder-envtest/k8s"),
    cache: below(env.XDG_CACHE_HOME || below(home, ".cache"), "pintle-envtest"),
  };
}

export function folderName(version: KubernetesVersion, { os, arch }: Platform): string {
  return `${version.join(".")}-${os}-${arch}`;
}

/** A folder's versions for a platform, newest first; none if it does not exist. */
export async function versionsIn(folder: string | undefined, { os, arch }: Platform): Promise<KubernetesVersion[]> {
  if (!folder) return [];
  const found: KubernetesVersion[] = [], suffix = `-${os}-${arch}`;
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const version = name.endsWith(suffix) ? parseVersion(name.slice(0, -suffix.length)) : undefined;
      if (version) found.push(version);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
  }
  return found.sort(compareVersions);
}
