import { Buffer } from "node:buffer";
import {
  describeError,
  formatJson,
  isObject,
  jsonEqual,
  type JsonObject,
  parseJson,
  randomUuid,
} from "../../base/mod.ts";
import { applyJsonPatch, type DynamicObject, formatApiVersion } from "../../apimachinery/mod.ts";
import { ApiError, badRequest, statusOf } from "../api_error.ts";
import { decodeObject } from "../object_decoding.ts";
import type { ResourceType } from "../resource_type.ts";
import type { AdmissionAttributes, AdmissionServer } from "./attributes.ts";
import type { PolicyTable } from "./policy.ts";
import { PolicyChain } from "./policy_chain.ts";
import { applyDefaults } from "../schema/defaulting.ts";
import { decodingFault } from "../schema/go_decoder.ts";
import type { Webhook, WebhookPhase, WebhookTable } from "./webhook.ts";
import { conditionsMatch, type Match } from "./match_conditions.ts";
import { requestVariables } from "./request_variables.ts";
import { deniedBy, type WebhookCaller } from "./webhook_call.ts";
import { selectorsMatch, webhookType, type WrittenObject } from "./webhook_match.ts";

/** A failed call or an invalid response: `failurePolicy` decides. */
class CallError extends Error {}

const OPTIONS = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions" } as const;
/** Both versions have the same fields. */
const REVIEW_VERSIONS = ["v1", "v1beta1"];

/**
 * Runs the webhooks and policies of a write as kube-apiserver does: mutating policies and webhooks, then validating
 * ones. Those with
 * `reinvocationPolicy: IfNeeded` run again after a later change. Validating ones run one by one, so that a run repeats.
 */
export class AdmissionChain {
  readonly #server: AdmissionServer;
  readonly #table: WebhookTable;
  readonly #caller: WebhookCaller;
  readonly #policies: PolicyChain;

  constructor(server: AdmissionServer, table: WebhookTable, caller: WebhookCaller, policies: PolicyTable) {
    this.#server = server;
    this.#table = table;
    this.#caller = caller;
    this.#policies = new PolicyChain(server, policies, {
      request: (as, attributes) => this.#request(as, attributes),
      inVersion: (object, as) => this.#inVersion(object, as),
      accepted: (changed, attributes) => this.#accepted(changed, attributes),
    });
  }

  /** Whether any policy or webhook has a rule for this write. */
  intercepts(write: WrittenObject): boolean {
    return this.#policies.hasPolicyFor(write) ||
      (["mutating", "validating"] as const).some((phase) =>
        this.#table.of(phase).some((webhook) => webhookType(webhook, write, this.#server.registry) !== undefined)
      );
  }

  /**
   * Policies and then webhooks change the object. What changed before a later change runs once more if it wants to.
   *
   * @throws {ApiError} where a webhook denies the request, or fails under `failurePolicy: Fail`.
   */
  async mutate(attributes: AdmissionAttributes): Promise<DynamicObject | undefined> {
    const first = await this.#policies.mutate(attributes), webhooks = this.#table.of("mutating");
    const again = new Set<Webhook>(), seen: Webhook[] = [];
    let { object } = first;
    for (const webhook of webhooks) {
      const next = await this.#run("mutating", webhook, { ...attributes, object });
      if (next.called && !jsonEqual(next.object, object)) { for (const former of seen) again.add(former); }
      if (next.called && webhook.reinvocationPolicy === "IfNeeded") seen.push(webhook);
      object = next.object;
    }
    if (first.repeatable.size > 0 && !jsonEqual(object, attributes.object)) {
      const second = await this.#policies.mutate({ ...attributes, object }, first.repeatable);
      if (!jsonEqual(second.object, object)) { for (const former of seen) again.add(former); }
      object = second.object;
    }
    for (const webhook of webhooks.filter((each) => again.has(each))) {
      object = (await this.#run("mutating", webhook, { ...attributes, object })).object;
    }
    return object;
  }

  /** @throws {ApiError} as {@linkcode mutate}. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    await this.#policies.validate(attributes);
    for (const webhook of this.#table.of("validating")) await this.#run("validating", webhook, attributes);
  }

  async #run(
    phase: WebhookPhase,
    webhook: Webhook,
    attributes: AdmissionAttributes,
  ): Promise<{ readonly called: boolean; readonly object: DynamicObject | undefined }> {
    const { object } = attributes, as = webhookType(webhook, attributes, this.#server.registry);
    if (!as || !selectorsMatch(webhook, attributes, this.#server.storage)) return { called: false, object };
    try {
      const request = await this.#request(as, attributes);
      const match = this.#matches(webhook, request, attributes);
      if ("error" in match) throw new CallError(`failed calling webhook "${webhook.name}": ${match.error}`);
      if (!match.matches) return { called: false, object };
      if (attributes.dryRun && !["None", "NoneOnDryRun"].includes(webhook.sideEffects)) {
        throw badRequest(`admission webhook "${webhook.name}" does not support dry run`);
      }
      const response = await this.#call(phase, webhook, request);
      attributes.warnings.push(...response.warnings);
      if (!response.allowed) throw deniedBy(webhook.name, response.status);
      if (response.patch === undefined) return { called: true, object };
      return { called: true, object: await this.#patched(webhook, attributes, as, response.patch) };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (webhook.failurePolicy === "Ignore") return { called: true, object };
      throw new ApiError(500, "InternalError", `Internal error occurred: ${error.message}`, statusOf(error).details);
    }
  }

  #matches(webhook: Webhook, request: Record<string, unknown>, attributes: AdmissionAttributes): Match {
    const { matchConditions = [] } = webhook;
    if (matchConditions.length === 0) return { matches: true };
    const scope = { params: false, authorizer: true };
    return conditionsMatch(matchConditions, scope, requestVariables(request, attributes, this.#server));
  }

  async #request(as: ResourceType, attributes: AdmissionAttributes): Promise<Record<string, unknown>> {
    const uid = randomUuid(this.#server.random), { object, old } = attributes;
    return reviewRequest(uid, as, {
      ...attributes,
      object: object && await this.#inVersion(object, as),
      old: old && await this.#inVersion(old, as),
    });
  }

  /** @throws {ApiError} 500 where conversion fails, whatever the failure policy. */
  async #inVersion(object: DynamicObject, as: ResourceType): Promise<DynamicObject> {
    try {
      return await this.#server.converter.convert(object, formatApiVersion(as), as);
    } catch (error) {
      if (error instanceof ApiError) throw internal(error.message);
      throw error;
    }
  }

  /** Applies a webhook's patch; returns the object in the request's version. */
  async #patched(
    { name }: Webhook,
    attributes: AdmissionAttributes,
    as: ResourceType,
    patch: string,
  ): Promise<DynamicObject> {
    const { object } = attributes;
    if (!object) {
      throw internal(
        `admission webhook "${name}" attempted to modify the object, which is not supported for this operation`,
      );
    }
    const seen = await this.#inVersion(object, as);
    let next: unknown;
    try {
      next = applyJsonPatch(seen as JsonObject, parseJson(Buffer.from(patch, "base64").toString()));
    } catch (error) {
      throw internal(describeError(error));
    }
    if (!isObject(next) || !isObject(next.metadata)) throw internal(`admission webhook "${name}" made no object of it`);
    return await this.#accepted(next as DynamicObject, attributes);
  }

  /** The changed object in the request's version, decoded and with defaults. */
  async #accepted(changed: DynamicObject, { type, warnings }: AdmissionAttributes): Promise<DynamicObject> {
    const result = await this.#inVersion(changed, type);
    const fault = type.builtin ? decodingFault(result, type.schema) : undefined;
    if (fault !== undefined) throw internal(fault);
    try {
      // The patch made a copy, so `result` can be edited.
      decodeObject(result, type, { options: { fieldValidation: "Ignore" }, warnings });
    } catch (error) {
      throw internal(describeError(error));
    }
    applyDefaults(result, type.schema);
    return result;
  }

  async #call(phase: WebhookPhase, webhook: Webhook, request: Record<string, unknown>) {
    const failing = `failed calling webhook "${webhook.name}"`;
    const version = webhook.admissionReviewVersions.find((one) => REVIEW_VERSIONS.includes(one));
    const asked = { apiVersion: `admission.k8s.io/${version}`, kind: "AdmissionReview" };
    let review: Record<string, unknown>;
    try {
      review = await this.#caller.post(webhook.clientConfig, { ...asked, request }, webhook.timeoutSeconds);
    } catch (error) {
      throw new CallError(`${failing}: failed to call webhook: ${describeError(error)}`);
    }
    const why = (text: string) => new CallError(`${failing}: received invalid webhook response: ${text}`);
    const { response } = review;
    if (review.apiVersion !== asked.apiVersion || review.kind !== asked.kind) {
      throw why(`expected webhook response of ${asked.apiVersion}, Kind=${asked.kind}`);
    }
    if (!isObject(response)) throw why("webhook response was absent");
    if (response.uid !== request.uid) throw why(`expected response.uid=${formatJson(request.uid)}`);
    const { warnings, patch, patchType } = response, patches = typeof patch === "string" && patch !== "";
    if (phase === "mutating" && patches && patchType !== "JSONPatch") throw why(`invalid response.patchType`);
    if (phase === "mutating" && !patches && patchType) throw why(`response.patchType without response.patch`);
    return {
      allowed: response.allowed === true,
      status: response.status,
      warnings: Array.isArray(warnings) ? warnings.filter((each) => typeof each === "string") : [],
      patch: phase === "mutating" && patches ? patch : undefined,
    };
  }
}

function reviewRequest(uid: string, as: ResourceType, attributes: AdmissionAttributes): Record<string, unknown> {
  const { type, subresource, name, namespace, operation, user, object, old, dryRun, fieldManager } = attributes;
  const kind = ({ group, version, kind }: ResourceType) => ({ group, version, kind });
  const resource = ({ group, version, plural }: ResourceType) => ({ group, version, resource: plural });
  return {
    uid,
    kind: kind(as),
    resource: resource(as),
    ...(subresource && { subResource: subresource }),
    requestKind: kind(type),
    requestResource: resource(type),
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra },
    object: object ?? null,
    oldObject: old ?? null,
    dryRun,
    options: {
      kind: OPTIONS[operation],
      apiVersion: "meta.k8s.io/v1",
      ...(dryRun && { dryRun: ["All"] }),
      ...(fieldManager && operation !== "DELETE" && { fieldManager }),
    },
  };
}

function internal(why: string): ApiError {
  return new ApiError(500, "InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] });
}
