import { createHash } from "node:crypto";
import { type KubeObject, LABEL_VALUE_LENGTH_MAX, type ObjectKey } from "../operator/mod.ts";

/** Label of every copy: the watch selects by it. Its value tells copies of one Replication from others. */
export const CLAIM_LABEL = "pintle.dev/replication";
/** Annotation of every copy: `namespace/name` of its Replication. The claim itself; the label is only its index. */
export const CLAIM_ANNOTATION = "pintle.dev/replication";
/** Annotation of every copy: resourceVersion of the source that it shows. */
export const VERSION_ANNOTATION = "pintle.dev/source-version";

/** What makes an object a copy of a Replication. */
export function claimOf(object: KubeObject): string | undefined {
  return object.metadata?.annotations?.[CLAIM_ANNOTATION];
}

/** The claim of a Replication. */
export function claimText(replication: ObjectKey): string {
  return `${replication.namespace}/${replication.name}`;
}

/** The label value of a Replication: readable where it fits, else shortened with a digest of the names (not of any secret). */
export function claimLabel(replication: ObjectKey): string {
  const text = `${replication.namespace}.${replication.name}`;
  if (text.length <= LABEL_VALUE_LENGTH_MAX) return text;
  const digest = createHash("sha256").update(claimText(replication)).digest("hex").slice(0, 12);
  return `${text.slice(0, LABEL_VALUE_LENGTH_MAX - digest.length - 1)}-${digest}`;
}
