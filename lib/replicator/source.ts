import { createHmac, randomBytes } from "node:crypto";
import type { ConfigMapObject, KubeObject, SecretObject } from "../mod.ts";

/** A source as it is read, for as long as one reconcile lasts. */
export type SourceObject =
  & KubeObject
  & Pick<SecretObject & ConfigMapObject, "type" | "data" | "binaryData" | "immutable">;

/** What is remembered of a source: enough to compare copies with it, without its content. */
export interface SourceFacts {
  /** resourceVersion as last read. */
  readonly readVersion: string;
  /** resourceVersion at which the present content was first seen; a change of labels alone does not move it. */
  readonly contentVersion: string;
  /** Sorted keys of data and binaryData, as {@linkcode fieldKeys} writes them. */
  readonly keys: string;
  /** Whether this process has itself seen the content change, so that a copy of an older version is surely outdated. */
  readonly changedHere: boolean;
  readonly digest: string;
  /** Why the object can be no source, and what to do. */
  readonly refused?: { readonly reason: string; readonly message: string };
}

// Keyed with a secret of this process: a digest of a guessable password, were it ever to leak, must reveal nothing.
const DIGEST_KEY = randomBytes(32);

/** The facts of a source that was just read, given those of its last reading. */
export function sourceFacts(
  source: SourceObject,
  former: SourceFacts | undefined,
  refused?: SourceFacts["refused"],
): SourceFacts {
  const readVersion = source.metadata!.resourceVersion!;
  const digest = contentDigest(source);
  const same = former?.digest === digest;
  return {
    readVersion,
    contentVersion: same ? former.contentVersion : readVersion,
    keys: fieldKeys(Object.keys(source.data ?? {}), Object.keys(source.binaryData ?? {})),
    changedHere: same ? former.changedHere : former !== undefined,
    digest,
    ...(refused ? { refused } : {}),
  };
}

/** A fixed spelling of the keys of data and binaryData. */
export function fieldKeys(data: readonly string[], binaryData: readonly string[]): string {
  return `${[...data].sort().join(",")};${[...binaryData].sort().join(",")}`;
}

/** Whether two objects hold the same content. */
export function sameContent(left: SourceObject, right: SourceObject): boolean {
  return contentDigest(left) === contentDigest(right);
}

function contentDigest({ type, data = {}, binaryData = {}, immutable = false }: SourceObject): string {
  const sorted = (map: Record<string, string>) => Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const content = JSON.stringify([type ?? "", immutable, sorted(data), sorted(binaryData)]);
  return createHmac("sha256", DIGEST_KEY).update(content).digest("base64");
}
