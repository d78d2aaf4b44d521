import {
  CLAIM_ANNOTATION,
  claimText,
  isCopyOf,
  REPLICATION_ANNOTATION,
  REPLICATION_LABEL,
  type ReplicationIdentity,
  replicationLabel,
  replicationText,
  VERSION_ANNOTATION,
} from "./claim.ts";
import type { CopyRecord } from "./copy_record.ts";
import type { ReplicationSpec } from "./replication.ts";
import type { SourceFacts } from "./source.ts";
import { copyName } from "./targets.ts";

export type Step =
  /** The copy matches the source: no request. */
  | { readonly kind: "keep"; readonly namespace: string; readonly copy: CopyRecord }
  /** No copy is known. `occupied`: another object had its name last time, so read before creating. */
  | { readonly kind: "create"; readonly namespace: string; readonly occupied: boolean }
  /** The copy may differ: read it, then decide. */
  | { readonly kind: "verify"; readonly namespace: string; readonly copy: CopyRecord }
  /** The copy surely differs. */
  | { readonly kind: "update"; readonly namespace: string; readonly copy: CopyRecord }
  /** The copy is being deleted, held by a finalizer: wait. */
  | { readonly kind: "leaving"; readonly namespace: string; readonly copy: CopyRecord };

export interface PlanInput {
  readonly replication: ReplicationIdentity;
  readonly spec: ReplicationSpec;
  readonly source: SourceFacts;
  /** Namespaces that match and may be written to. */
  readonly targets: Iterable<string>;
  /** This Replication's copy in a namespace, if it is ours. */
  readonly copyIn: (namespace: string) => CopyRecord | undefined;
  /** Namespaces where a foreign object was in the way last time. */
  readonly occupied: ReadonlySet<string>;
  /** Whether this version of a copy was read and shows this version of the source. */
  readonly verified: (copy: CopyRecord) => boolean;
}

/** One step per target namespace, in order. Pure. */
export function planSteps(input: PlanInput): Step[] {
  const steps: Step[] = [];
  for (const namespace of input.targets) {
    const copy = input.copyIn(namespace);
    if (!copy) steps.push({ kind: "create", namespace, occupied: input.occupied.has(namespace) });
    else steps.push({ kind: planCopy(input, copy, desiredMarks(input, namespace)), namespace, copy });
  }
  return steps;
}

export interface Marks {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function desiredMarks(
  { replication, spec, source }: Pick<PlanInput, "replication" | "spec" | "source">,
  namespace: string,
): Marks {
  return {
    labels: { ...spec.targets.labels, [REPLICATION_LABEL]: replicationLabel(replication) },
    annotations: {
      ...spec.targets.annotations,
      [REPLICATION_ANNOTATION]: replicationText(replication),
      [CLAIM_ANNOTATION]: claimText(replication, { namespace, name: copyName(spec) }),
      [VERSION_ANNOTATION]: source.contentVersion,
    },
  };
}

/** Marks of an earlier version of the Replication that the current one lacks. */
export function outdatedMarks(copy: CopyRecord, marks: Marks): { labels: string[]; annotations: string[] } {
  return {
    labels: (copy.ownLabels ?? []).filter((key) => !Object.hasOwn(marks.labels, key)),
    annotations: (copy.ownAnnotations ?? []).filter((key) => !Object.hasOwn(marks.annotations, key)),
  };
}

function planCopy(input: PlanInput, copy: CopyRecord, marks: Marks): "keep" | "verify" | "update" | "leaving" {
  const { labels = {}, annotations = {}, deletionTimestamp } = copy.metadata ?? {};
  if (deletionTimestamp) return "leaving";
  const { [VERSION_ANNOTATION]: wantedVersion, ...rest } = marks.annotations;
  const outdated = outdatedMarks(copy, marks);
  const marked = holds(labels, marks.labels) && holds(annotations, rest) && outdated.labels.length === 0 &&
    outdated.annotations.length === 0;
  if (!marked) return "update";
  if (annotations[VERSION_ANNOTATION] !== wantedVersion) {
    if (input.verified(copy)) return "keep";
    // An older version that this process has not compared may be equal: reading is cheaper than writing.
    return input.source.changedHere ? "update" : "verify";
  }
  const untouched = !copy.foreign && copy.ownKeys === input.source.keys;
  return untouched || input.verified(copy) ? "keep" : "verify";
}

function holds(have: Readonly<Record<string, string>>, want: Readonly<Record<string, string>>): boolean {
  return Object.entries(want).every(([key, value]) => have[key] === value);
}

/** Copies that a Replication no longer declares: another name, kind or namespace. */
export function undeclaredCopies(
  replication: ReplicationIdentity,
  copies: Iterable<CopyRecord>,
  isDeclared: (copy: CopyRecord) => boolean,
): CopyRecord[] {
  return [...copies].filter((copy) =>
    isCopyOf(copy, replication) && !copy.metadata?.deletionTimestamp && !isDeclared(copy)
  );
}
