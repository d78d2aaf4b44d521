import { deepFreeze, describeError, invariant, jsonClone, type Random, randomUuid } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatKey } from "../apimachinery/mod.ts";
import type { WebhookCaller } from "./admission/webhook_call.ts";
import { ApiError, conversionFailed, unreadableList, unreadableObject } from "./api_error.ts";
import { convertsByWebhook, inVersion, needsViews, storedVersion } from "./conversion.ts";
import { conversionReview, conversionWebhookName, convertedObjects } from "./conversion_review.ts";
import { type ConversionSteps, settled } from "./conversion_steps.ts";
import type { KindVersions, ResourceType } from "./resource_type.ts";
import { applyDefaults } from "./schema/defaulting.ts";
import { pruneUnknown } from "./schema/pruning.ts";
import type { ServerLimits } from "./server_limits.ts";
import { StoredObject } from "./stored_object.ts";

/** kube-apiserver's fixed timeout for conversion webhooks. */
const TIMEOUT_SECONDS = 30;

type ConversionLimits = Pick<ServerLimits, "conversionObjectsMax" | "conversionCharactersMax">;

/** Views of one state; a CRD with other versions may convert differently. */
interface Views {
  readonly versions: KindVersions;
  readonly byVersion: Map<string, StoredObject>;
}

/** `fresh` calls the webhook again. */
type Freshness = "remembered" | "fresh";

/**
 * Converts custom resources by webhook, or by dropping unknown fields.
 *
 * Guarantees: objects in the right version need no webhook. Lists and watches convert each state once, as a real watch
 * cache does. Webhook responses are pruned by schema.
 */
export class ObjectConverter {
  readonly #caller: WebhookCaller;
  readonly #random: Random;
  readonly #limits: ConversionLimits;
  readonly #views = new WeakMap<StoredObject, Views>();

  constructor(caller: WebhookCaller, random: Random, limits: ConversionLimits) {
    this.#caller = caller;
    this.#random = random;
    this.#limits = limits;
  }

  /**
   * Shares no values with a webhook's result.
   *
   * @throws {ApiError} 500 where the webhook fails, in kube-apiserver's words.
   */
  async convert(object: DynamicObject, apiVersion: string, type: ResourceType): Promise<DynamicObject> {
    const { versions } = type;
    if (object.apiVersion === apiVersion || !versions || !convertsByWebhook(type)) {
      return inVersion(object, apiVersion, versions);
    }
    const [converted] = await this.#callWebhook([object], apiVersion, versions);
    return converted!;
  }

  toStorage(object: DynamicObject, type: ResourceType): Promise<DynamicObject> {
    return this.convert(object, storedVersion(object, type), type);
  }

  settle<T>(steps: ConversionSteps<T>, type: ResourceType): Promise<T> {
    return settled(steps, ({ object, apiVersion }) => this.convert(object, apiVersion, type));
  }

  /** @throws {ApiError} 500 where conversion fails. */
  async view(stored: StoredObject, type: ResourceType, freshness: Freshness = "remembered"): Promise<StoredObject> {
    const known = this.#known(stored, type, freshness);
    if (known) return known;
    try {
      const [view] = await this.#convertStates([stored], type);
      return view!;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { key, revision } = placeOf(stored);
      throw unreadableObject(type, key, revision, error.message);
    }
  }

  /**
   * Converts in batches.
   *
   * @throws {ApiError} 500 that names the objects that fail.
   */
  async views(states: readonly StoredObject[], type: ResourceType): Promise<StoredObject[]> {
    const unknown = states.filter((stored) => !this.#known(stored, type, "remembered"));
    const faults: { key: string; revision: number; why: string }[] = [];
    for (const batch of this.#batches(unknown)) {
      try {
        await this.#convertStates(batch, type);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        faults.push(...batch.map((stored) => ({ ...placeOf(stored), why: error.message })));
      }
    }
    if (faults.length > 0) throw unreadableList(type, faults);
    return states.map((stored) => this.remembered(stored, type));
  }

  /** A view that {@linkcode views} made. */
  remembered(stored: StoredObject, type: ResourceType): StoredObject {
    const view = this.#known(stored, type, "remembered");
    invariant(view, "a state is converted before it is shown");
    return view;
  }

  #known(stored: StoredObject, type: ResourceType, freshness: Freshness): StoredObject | undefined {
    const apiVersion = formatApiVersion(type), { versions } = type;
    if (!versions || !needsViews(type) || stored.object.apiVersion === apiVersion) return stored;
    const views = this.#views.get(stored);
    const known = views?.versions === versions ? views.byVersion.get(apiVersion) : undefined;
    if (convertsByWebhook(type)) return freshness === "fresh" ? undefined : known;
    return known ?? this.#remember(stored, versions, inVersion(stored.object, apiVersion, versions));
  }

  /** As many as the bounds allow, at least one. */
  *#batches(states: readonly StoredObject[]): Generator<StoredObject[]> {
    const { conversionObjectsMax, conversionCharactersMax } = this.#limits;
    let batch: StoredObject[] = [], characters = 0;
    for (const stored of states) {
      const { length } = stored.members;
      if (batch.length >= conversionObjectsMax || (batch.length > 0 && characters + length > conversionCharactersMax)) {
        yield batch;
        batch = [];
        characters = 0;
      }
      batch.push(stored);
      characters += length;
    }
    if (batch.length > 0) yield batch;
  }

  async #convertStates(states: readonly StoredObject[], type: ResourceType): Promise<StoredObject[]> {
    const versions = type.versions!;
    const objects = states.map(({ object }) => {
      const schema = versions.schemas.get(object.apiVersion!);
      if (!schema) throw conversionFailed(`request to convert CR from an invalid group/version: ${object.apiVersion}`);
      // The schema may have changed since.
      const copy = jsonClone(object);
      pruneUnknown(copy, schema);
      applyDefaults(copy, schema);
      return copy;
    });
    const converted = await this.#callWebhook(objects, formatApiVersion(type), versions);
    return states.map((stored, index) => this.#remember(stored, versions, converted[index]!));
  }

  #remember(stored: StoredObject, versions: KindVersions, object: DynamicObject): StoredObject {
    let views = this.#views.get(stored);
    if (views?.versions !== versions) this.#views.set(stored, views = { versions, byVersion: new Map() });
    const view = new StoredObject(deepFreeze(object), stored.revision);
    views.byVersion.set(object.apiVersion!, view);
    return view;
  }

  async #callWebhook(
    objects: readonly DynamicObject[],
    desired: string,
    versions: KindVersions,
  ): Promise<DynamicObject[]> {
    const { clientConfig, reviewVersion } = versions.webhook!, schema = versions.schemas.get(desired);
    if (!schema) throw conversionFailed(`request to convert CR to an invalid group/version: ${desired}`);
    const conversion = { objects, desired }, uid = randomUuid(this.#random);
    let answer: Record<string, unknown>;
    try {
      const review = conversionReview(conversion, uid, reviewVersion);
      answer = await this.#caller.post(clientConfig, review, TIMEOUT_SECONDS);
    } catch (error) {
      throw conversionFailed(`${conversionWebhookName(conversion)} failed: ${describeError(error)}`);
    }
    const converted = convertedObjects(conversion, answer, uid, reviewVersion);
    for (const object of converted) pruneUnknown(object, schema);
    return converted;
  }
}

function placeOf({ object, revision }: StoredObject): { key: string; revision: number } {
  const { namespace, name = "" } = object.metadata!;
  return { key: formatKey({ namespace, name }), revision };
}
