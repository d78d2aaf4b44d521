import type { NamespaceObject } from "../../lib/operator/builtin_kinds.ts";
import { Buffer } from "node:buffer";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import type { ReplicationObject } from "../../lib/replicator/mod.ts";
import { readyProblems } from "./ready.ts";
import { placeOf, type UsersObjects } from "./users_objects.ts";

/** A Secret or ConfigMap. */
export interface DataObject extends KubeObject {
  readonly kind?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Everything that the state of the replicator is judged by, as the API server has it. */
export interface ReplicationState {
  readonly namespaces: readonly NamespaceObject[];
  readonly replications: readonly ReplicationObject[];
  /** All Secrets and ConfigMaps of these namespaces, each with its kind. */
  readonly objects: readonly DataObject[];
  readonly users: UsersObjects;
  /** Namespaces whose Replications may write everywhere. */
  readonly trusted: ReadonlySet<string>;
}

const MARK = "pintle.dev/replication", CLAIM = "pintle.dev/claim", ORPHANED = "pintle.dev/orphaned-by";
const ACCEPT = "pintle.dev/accept-from";
/** Controllers of Kubernetes publish it in every namespace. */
const PUBLISHED = "kube-root-ca.crt";

/** What a user, or the source of a Replication, wrote. */
export function valueOf({ kind, data }: DataObject): string | undefined {
  const value = data?.value;
  return value === undefined || kind !== "Secret" ? value : Buffer.from(value, "base64").toString();
}

/**
 * What is wrong with a state in which nothing happens any more; empty where it is as Replications, sources and
 * namespaces ask for. It shares no code with the replicator: globs are exact names, or end with `*`.
 */
export function replicationProblems(state: ReplicationState): string[] {
  const objects = new Map(state.objects.map((each) => [placeOfObject(each), each]));
  const problems: string[] = [], copies = new Set<string>();
  for (const replication of state.replications) {
    const judged = judge(replication, state, objects);
    problems.push(...judged.problems);
    for (const place of judged.copies) copies.add(place);
  }
  const ending = new Set(state.namespaces.filter(isEnding).map(({ metadata }) => metadata?.name));
  for (const [place, object] of objects) {
    // What is in a namespace that goes is deleted with it.
    if (!copies.has(place) && !ending.has(object.metadata?.namespace)) {
      problems.push(...strangeness(place, object, state));
    }
  }
  return [...problems, ...state.users.problems((place) => objects.get(place), valueOf)];
}

function judge(
  replication: ReplicationObject,
  { namespaces, users, trusted }: ReplicationState,
  objects: ReadonlyMap<string, DataObject>,
): { readonly problems: string[]; readonly copies: readonly string[] } {
  const { metadata, spec } = replication, { namespace = "", name, uid = "", deletionTimestamp } = metadata;
  const who = `Replication ${namespace}/${name}`, { kind, name: sourceName } = spec.source;
  if (deletionTimestamp) {
    return { problems: [`${who} is still there: finalizers ${metadata.finalizers?.join(", ")}`], copies: [] };
  }
  const source = objects.get(placeOf(kind, { namespace, name: sourceName })),
    copyName = spec.targets.name ?? sourceName;
  const problems: string[] = [], copies: string[] = [];
  let isReady = source !== undefined;
  for (const target of source ? namespaces.filter((each) => matches(each, replication)) : []) {
    const place = placeOf(kind, { namespace: target.metadata!.name!, name: copyName }), object = objects.get(place);
    if (object && users.mayHave(place) && !isClaimedBy(object, uid)) isReady = false; // a conflict
    else if (!trusted.has(namespace) && !accepts(target, namespace)) {
      isReady = false;
      copies.push(place); // what was copied while it was trusted stays as it is
    } else {
      copies.push(place);
      problems.push(...copyProblems(place, object, source!, uid).map((problem) => `${who}: ${problem}`));
    }
  }
  return { problems: [...problems, ...readyProblems(who, replication, isReady)], copies };
}

function copyProblems(place: string, copy: DataObject | undefined, source: DataObject, uid: string): string[] {
  if (!copy) return [`the copy ${place} is missing`];
  const problems: string[] = [];
  if (!isClaimedBy(copy, uid)) problems.push(`${place} is not claimed by it`);
  const content = ({ data = {} }: DataObject) => JSON.stringify(Object.entries(data).sort());
  if (content(copy) !== content(source)) problems.push(`the copy ${place} does not show the source`);
  return problems;
}

/** What is wrong with an object that no Replication asks for. */
function strangeness(place: string, object: DataObject, { users }: ReplicationState): string[] {
  const { labels = {}, annotations = {}, name } = object.metadata ?? {};
  if (users.mayHave(place) || name === PUBLISHED) return [];
  if (ORPHANED in annotations && !(CLAIM in annotations)) return [];
  if (CLAIM in annotations || MARK in labels) return [`${place} is a copy that no Replication wants`];
  return [`${place} was made by no user`];
}

/** The namespaces that are on their way out, in words. */
export function endingNamespaces(namespaces: readonly NamespaceObject[]): string[] {
  return namespaces.filter(isEnding).map(({ metadata }) => `Namespace ${metadata?.name} is still going`);
}

/** Whether a namespace is on its way out. */
export function isEnding({ metadata, status }: NamespaceObject): boolean {
  return metadata?.deletionTimestamp !== undefined || status?.phase === "Terminating";
}

function matches(namespace: NamespaceObject, { metadata: own, spec }: ReplicationObject): boolean {
  const { name = "", labels = {} } = namespace.metadata ?? {}, { namespaces = ["*"], selector } = spec.targets;
  if (isEnding(namespace) || name === own.namespace) return false;
  const fits = (glob: string) => glob.endsWith("*") ? name.startsWith(glob.slice(0, -1)) : name === glob;
  if (!namespaces.some((glob) => !glob.startsWith("!") && fits(glob))) return false;
  if (namespaces.some((glob) => glob.startsWith("!") && fits(glob.slice(1)))) return false;
  return Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function accepts({ metadata }: NamespaceObject, namespace: string): boolean {
  return (metadata?.annotations?.[ACCEPT] ?? "").split(",").includes(namespace);
}

function isClaimedBy(object: DataObject | undefined, uid: string): boolean {
  return object?.metadata?.annotations?.[CLAIM]?.startsWith(`${uid} `) === true;
}

function placeOfObject({ kind = "", metadata }: DataObject): string {
  return placeOf(kind, { namespace: metadata?.namespace, name: metadata?.name ?? "" });
}
