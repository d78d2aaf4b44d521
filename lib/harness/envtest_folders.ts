import { compareVersions, type KubernetesVersion, parseVersion } from "./kubernetes_version.ts";

/** A system and its processor, as the archives of Kubernetes name them. */
export interface Platform {
  /** `linux`, `darwin` or `windows`. */
  readonly os: string;
  /** `amd64` or `arm64`. */
  readonly arch: string;
}

/** The platform of this machine. Asked for when it is needed: a module that is only imported must load without Deno. */
export function thisPlatform(): Platform {
  return { os: Deno.build.os, arch: Deno.build.arch === "aarch64" ? "arm64" : "amd64" };
}

/** Folders with a folder for each version in them, named `1.34.0-linux-amd64`. */
export interface EnvtestFolders {
  /** Where setup-envtest keeps its own; it is read only. */
  readonly setupEnvtest: string | undefined;
  /** Where downloads of this program go. */
  readonly cache: string | undefined;
}

/**
 * Where control planes are kept on a system, by its environment: setup-envtest's default store (`k8s` below
 * `$XDG_DATA_HOME/kubebuilder-envtest`, on macOS `~/Library/Application Support/io.kubebuilder.envtest`, on Windows
 * `%LocalAppData%\kubebuilder-envtest`), and this program's cache. Undefined where the environment names no home.
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

/** The name of a version's folder. */
export function folderName(version: KubernetesVersion, { os, arch }: Platform): string {
  return `${version.join(".")}-${os}-${arch}`;
}

/** The versions that a folder has for a platform, newest first. A folder that is not there has none. */
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
