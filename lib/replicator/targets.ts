import {
  globProblem,
  isDnsSubdomain,
  isLabelValue,
  isQualifiedName,
  matchesGlobs,
  matchesLabels,
  type NamespaceObject,
  PermanentError,
  requirementsOf,
} from "../operator/mod.ts";
import type { ReplicationSpec } from "./replication.ts";

/** Which namespaces a Replication speaks of, compiled once per reconcile. */
export type TargetMatcher = (namespace: NamespaceObject) => boolean;

/**
 * Compiles the targets of a Replication in `ownNamespace`. A namespace that is going away is no target, nor is the
 * Replication's own, nor a protected one.
 *
 * @throws {PermanentError} naming the field that cannot be used.
 */
export function targetMatcher(
  spec: ReplicationSpec,
  ownNamespace: string,
  protectedGlobs: readonly string[],
): TargetMatcher {
  const { namespaces, selector } = spec.targets;
  if (!namespaces && !selector) throw invalid("spec.targets", "needs at least one of namespaces and selector");
  namespaces?.forEach((glob, index) => {
    const problem = globProblem(glob);
    if (problem) throw invalid(`spec.targets.namespaces[${index}]`, `"${glob}" ${problem}`);
  });
  checkMarks(spec);
  const requirements = compileSelector(selector);
  return ({ metadata, status }) => {
    const name = metadata?.name ?? "";
    if (name === ownNamespace || metadata?.deletionTimestamp || status?.phase === "Terminating") return false;
    if (matchesGlobs(protectedGlobs, name)) return false;
    return (!namespaces || matchesGlobs(namespaces, name)) && matchesLabels(requirements, metadata?.labels);
  };
}

/** The name of every copy. */
export function copyName(spec: ReplicationSpec): string {
  return spec.targets.name ?? spec.source.name;
}

function compileSelector(selector: ReplicationSpec["targets"]["selector"]): ReturnType<typeof requirementsOf> {
  try {
    return requirementsOf(selector ?? {});
  } catch (error) {
    throw invalid("spec.targets.selector", (error as Error).message);
  }
}

function checkMarks(spec: ReplicationSpec): void {
  const { name, labels = {}, annotations = {} } = spec.targets;
  if (name !== undefined && !isDnsSubdomain(name)) throw invalid("spec.targets.name", `"${name}" is no object name`);
  for (const [field, marks] of Object.entries({ labels, annotations })) {
    for (const [key, value] of Object.entries(marks)) {
      const at = `spec.targets.${field}["${key}"]`;
      if (!isQualifiedName(key)) throw invalid(at, "is no valid key");
      if (key.startsWith("pintle.dev/")) throw invalid(at, "is the replicator's own: choose another prefix");
      if (field === "labels" && !isLabelValue(value)) throw invalid(at, `"${value}" is no label value`);
    }
  }
}

function invalid(field: string, problem: string): PermanentError {
  return new PermanentError(`${field}: ${problem}`, { reason: "InvalidTargets" });
}
