import { PermanentError } from "../mod.ts";
import {
  globProblem,
  isDnsSubdomain,
  isLabelValue,
  isQualifiedName,
  LAST_APPLIED_ANNOTATION,
  matchesGlobs,
  matchesLabels,
  requirementsOf,
} from "../client.ts";
import type { NamespaceObject } from "./copied_kinds.ts";
import type { ReplicationSpec } from "./replication.ts";
import { accepts, isReservedName, isTrusted, protection, type TrustSettings } from "./trust.ts";

/** A Replication's view of a namespace: no target, one that does not trust it, or one that it may write to. */
type TargetVerdict = "none" | "refused" | "allowed";

/** The targets of a Replication, compiled once per reconcile. */
export interface Targets {
  /** A terminating namespace is no target. */
  readonly verdict: (namespace: NamespaceObject) => TargetVerdict;
  /** Exact names in `spec.targets.namespaces` that can never get a copy, with reasons. */
  readonly unreachable: readonly string[];
  readonly reachable: boolean;
}

/**
 * Compiles the targets of a Replication in `ownNamespace`. Never targets: its own namespace, the operator's, and
 * protected ones.
 *
 * @throws {PermanentError} naming the unusable field.
 */
export function compileTargets(spec: ReplicationSpec, ownNamespace: string, settings: TrustSettings): Targets {
  const { namespaces, selector } = spec.targets;
  if (!namespaces && !selector) throw invalid("spec.targets", "needs at least one of namespaces and selector");
  namespaces?.forEach((glob, index) => {
    const problem = globProblem(glob);
    if (problem) throw invalid(`spec.targets.namespaces[${index}]`, `"${glob}" ${problem}`);
  });
  checkName(spec);
  checkMarks(spec);
  const requirements = compileSelector(selector), trusted = isTrusted(ownNamespace, settings);
  const excluded = (name: string) =>
    name === ownNamespace ? "is the Replication's own namespace" : protection(name, settings);
  const unreachable = unreachableNames(namespaces ?? [], excluded);
  return {
    verdict: (namespace) => {
      const { metadata, status } = namespace, name = metadata?.name ?? "";
      if (metadata?.deletionTimestamp || status?.phase === "Terminating" || excluded(name)) return "none";
      if (namespaces && !matchesGlobs(namespaces, name)) return "none";
      if (!matchesLabels(requirements, metadata?.labels)) return "none";
      return trusted || accepts(namespace, ownNamespace) ? "allowed" : "refused";
    },
    unreachable: [...unreachable].map(([name, reason]) => `"${name}" ${reason}`),
    reachable: !namespaces || isReachable(namespaces, unreachable.size),
  };
}

export function copyName(spec: ReplicationSpec): string {
  return spec.targets.name ?? spec.source.name;
}

/**
 * Including entries that match no namespace, with reasons. Only exact names: a glob with `*` may match anything, unless
 * an exclusion covers it. A glob matches another's text only if it matches all that the other does.
 */
function unreachableNames(
  globs: readonly string[],
  excluded: (name: string) => string | undefined,
): ReadonlyMap<string, string> {
  const excluding = globs.filter((glob) => glob.startsWith("!"));
  const found = new Map<string, string>();
  for (const glob of including(globs)) {
    const own = excluding.length > 0 && !matchesGlobs(excluding, glob);
    const reason = own ? "is excluded by the same list" : glob.includes("*") ? undefined : excluded(glob);
    if (reason) found.set(glob, reason);
  }
  return found;
}

function isReachable(globs: readonly string[], unreachable: number): boolean {
  const included = including(globs).length;
  return included === 0 ? globs.length > 0 : included > unreachable;
}

function including(globs: readonly string[]): readonly string[] {
  return [...new Set(globs.filter((glob) => !glob.startsWith("!")))];
}

function compileSelector(selector: ReplicationSpec["targets"]["selector"]): ReturnType<typeof requirementsOf> {
  try {
    return requirementsOf(selector ?? {});
  } catch (error) {
    throw invalid("spec.targets.selector", (error as Error).message);
  }
}

function checkName(spec: ReplicationSpec): void {
  const { name } = spec.targets, field = name === undefined ? "spec.source.name" : "spec.targets.name";
  if (name !== undefined && !isDnsSubdomain(name)) throw invalid(field, `"${name}" is not an object name`);
  if (isReservedName(copyName(spec))) {
    const problem = `no copy may be named "${copyName(spec)}": pods trust what a controller writes there`;
    throw invalid(field, name === undefined ? `${problem}; set spec.targets.name` : problem);
  }
}

function checkMarks(spec: ReplicationSpec): void {
  const { labels = {}, annotations = {} } = spec.targets;
  for (const [field, marks] of Object.entries({ labels, annotations })) {
    for (const [key, value] of Object.entries(marks)) {
      const at = `spec.targets.${field}["${key}"]`;
      if (!isQualifiedName(key)) throw invalid(at, "is not a valid key");
      if (key === LAST_APPLIED_ANNOTATION) throw invalid(at, "is kubectl's own: choose another key");
      if (key.startsWith("pintle.dev/")) throw invalid(at, "is the replicator's own: choose another prefix");
      if (field === "labels" && !isLabelValue(value)) throw invalid(at, `"${value}" is not a label value`);
    }
  }
}

function invalid(field: string, problem: string): PermanentError {
  return new PermanentError(`${field}: ${problem}`, { reason: "InvalidTargets" });
}
