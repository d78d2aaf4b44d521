import type { NamespaceObject } from "../../lib/operator/builtin_kinds.ts";
import { controllerOf, keyOf } from "../../lib/apimachinery/mod.ts";
import { type ConfigMapObject } from "../../lib/operator/mod.ts";
import { Crate, CRATE_LABEL, PARCEL_LABEL } from "./operators/crates.ts";
import { endingNamespaces, isEnding } from "./replication_model.ts";
import { readyProblems } from "./ready.ts";
import type { SiteState } from "./site.ts";
import { placeOf, type UsersObjects } from "./users_objects.ts";

/** A Crate, as the server returns it. */
export type CrateObject = Parameters<typeof Crate.parseSpec>[0];

/** Everything that the state of the operator of crates is judged by, as the API server has it. */
export interface CrateState {
  readonly namespaces: readonly NamespaceObject[];
  readonly crates: readonly CrateObject[];
  /** All ConfigMaps of these namespaces. */
  readonly children: readonly ConfigMapObject[];
  readonly users: UsersObjects;
}

const PUBLISHED = "kube-root-ca.crt";

/**
 * How a state is in which nothing happens any more: each parcel of each crate has one child, and no other child is
 * there. A child whose crate is gone is ending: it is the garbage collector's work. Only namespaces count that are
 * there to stay: a namespace controller whose API server has just started may end one without its custom resources,
 * which no operator can make whole.
 */
export function crateState({ namespaces, crates, children, users }: CrateState): SiteState {
  const lasting = new Set(namespaces.filter((each) => !isEnding(each)).map(({ metadata }) => metadata!.name!));
  const isLasting = ({ metadata }: { metadata?: { namespace?: string } }) => lasting.has(metadata?.namespace ?? "");
  const judged = crates.filter(isLasting), uids = new Set(judged.map(({ metadata }) => metadata.uid));
  const places = new Map(children.filter(isLasting).map((child) => [placeOf("ConfigMap", keyOf(child)), child]));
  const problems = judged.flatMap((crate) => problemsOf(crate, children)), ending = endingNamespaces(namespaces);
  for (const [place, { metadata }] of places) {
    const uid = metadata?.labels?.[CRATE_LABEL];
    if (uid === undefined) {
      if (!users.mayHave(place) && metadata?.name !== PUBLISHED) problems.push(`${place} was made by no user`);
    } else if (!uids.has(uid)) ending.push(`${place} is the child of a crate that is gone`);
  }
  problems.push(...users.problems((place) => places.get(place), ({ data }) => data?.value));
  return { problems, ending };
}

function problemsOf({ metadata, spec, status }: CrateObject, children: readonly ConfigMapObject[]): string[] {
  const who = `Crate ${metadata.namespace}/${metadata.name}`, problems: string[] = [];
  if (metadata.deletionTimestamp) return [`${who} is still there: finalizers ${metadata.finalizers?.join(", ")}`];
  const own = children.filter((child) => child.metadata?.labels?.[CRATE_LABEL] === metadata.uid);
  for (const parcel of spec.parcels ?? []) {
    const found = own.filter((child) => child.metadata?.labels?.[PARCEL_LABEL] === parcel);
    if (found.length !== 1) problems.push(`${who}: parcel ${parcel} has ${found.length} children`);
    if (found.some(({ data }) => data?.text !== spec.text)) problems.push(`${who}: parcel ${parcel} has another text`);
  }
  for (const child of own) {
    const { name, labels } = child.metadata!;
    if (!spec.parcels?.includes(labels![PARCEL_LABEL]!)) problems.push(`${who}: nothing asks for child ${name}`);
    if (controllerOf(child)?.uid !== metadata.uid) problems.push(`${who}: child ${name} has no owner`);
  }
  return [...problems, ...readyProblems(who, { metadata, status })];
}
