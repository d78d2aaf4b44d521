import { isObject, type JsonObject, parseJson } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";
import { hideSecrets, secretFieldsOf, snapshotOf } from "./handled_content.ts";
import type { HandledStateStorage } from "./storage.ts";

const KOPF_PREFIX = "kopf.zalando.org";

/**
 * Reads a Kopf operator's last-handled configuration, so that an operator on Pintle takes its objects over as handled.
 * For use as a later storage of a {@linkcode ChainStorage}. Progress is not taken over: handlers' ids and meaning are
 * another operator's (Kopf 1.45, `AnnotationsDiffBaseStorage`).
 */
export class KopfRecords implements Pick<HandledStateStorage, "load" | "isRecord"> {
  readonly #prefix: string;
  readonly #name: string;

  /** `prefix` and `name` as in the Kopf operator's settings. */
  constructor({ prefix = KOPF_PREFIX, name = "last-handled-configuration" }: { prefix?: string; name?: string } = {}) {
    this.#prefix = prefix;
    this.#name = name;
  }

  /** See {@linkcode HandledStateStorage.load}. */
  load({ apiVersion = "", kind = "", metadata }: KubeObject): Promise<HandledState> {
    const text = metadata?.annotations?.[`${this.#prefix}/${this.#name}`];
    if (text === undefined) return Promise.resolve({});
    const essence = essenceIn(text), group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
    hideSecrets(essence, metadata?.uid ?? "", secretFieldsOf({ group, kind }));
    return Promise.resolve({ lastHandled: snapshotOf(essence) });
  }

  /** Every annotation of Kopf's, progress and marks included. */
  isRecord(annotation: string): boolean {
    return annotation.startsWith(`${this.#prefix}/`);
  }
}

/** Kopf's essence has the same parts as ours; empty ones are absent in ours. */
function essenceIn(text: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return {};
  }
  if (!isObject(value)) return {};
  const { metadata, ...essence } = value as JsonObject;
  const kept = isObject(metadata)
    ? Object.fromEntries(
      Object.entries(metadata).filter(([, part]) => isObject(part) && Object.keys(part).length > 0),
    ) as JsonObject
    : {};
  return Object.keys(kept).length > 0 ? { ...essence, metadata: kept } : essence;
}
