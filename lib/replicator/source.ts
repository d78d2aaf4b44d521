import { createHmac, randomBytes } from "node:crypto";
import type { ConfigMapObject, KubeObject, SecretObject } from "../mod.ts";

/** A source as read, kept for one reconcile. */
export type SourceObject =
  & KubeObject
  & Pick<SecretObject & ConfigMapObject, "type" | "data" | "binaryData" | "immutable">;

/** Enough memory of a source to compare copies, without its content. */
export interface SourceFacts {
  /** resourceVersion as last read. */
  readonly readVersion: string;
  /** resourceVersion that first had the present content; label changes do not move it. */
  readonly contentVersion: string;
  /** Sorted keys of data and binaryData, from {@linkcode fieldKeys}. */
  readonly keys: string;
  /** Whether this process saw the content change, so that a copy of an older version is surely outdated. */
  readonly changedHere: boolean;
  readonly digest: string;
  /** Why the object can be no source, and what to do. */
  readonly refused?: { readonly reason: string; readonly message: string };
}

// Keyed with a secret of this process: a leaked digest of a guessable password must reveal nothing.
const DIGEST_KEY = randomBytes(32);

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

/** Canonical text of the keys of data and binaryData. */
export function fieldKeys(data: readonly string[], binaryData: readonly string[]): string {
  return `${[...data].sort().join(",")};${[...binaryData].sort().join(",")}`;
}

export function sameContent(left: SourceObject, right: SourceObject): boolean {
  return contentDigest(left) === contentDigest(right);
}

function contentDigest({ type, data = {}, binaryData = {}, immutable = false }: SourceObject): string {
  const sorted = (map: Record<string, string>) => Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const content = JSON.stringify([type ?? "", immutable, sorted(data), sorted(binaryData)]);
  return createHmac("sha256", DIGEST_KEY).update(content).digest("base64");
}
