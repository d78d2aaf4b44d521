import { UsageError } from "../base/mod.ts";

export type KubernetesVersion = readonly [major: number, minor: number, patch: number];

/** Parses `1.34.2` and `v1.34.2`; undefined for others, such as alpha and beta versions. */
export function parseVersion(text: string): KubernetesVersion | undefined {
  const found = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(text.trim());
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : undefined;
}

export function formatVersion(version: KubernetesVersion): string {
  return version.join(".");
}

/**
 * Matches versions: `1.34` any patch of it, `1.34.2` only that, undefined any.
 *
 * @throws {UsageError} if `wanted` is neither.
 */
export function versionMatcher(wanted: string | undefined): (version: KubernetesVersion) => boolean {
  if (!wanted) return () => true;
  const found = /^v?(\d+)\.(\d+)(?:\.(\d+))?$/.exec(wanted);
  if (!found) throw new UsageError(`${wanted} is not a version of Kubernetes`, "write it as 1.34 or 1.34.0");
  const parts = found.slice(1).filter((part) => part !== undefined).map(Number);
  return (version) => parts.every((part, nth) => version[nth] === part);
}

export function compareVersions(one: KubernetesVersion, other: KubernetesVersion): number {
  return other[0] - one[0] || other[1] - one[1] || other[2] - one[2];
}
