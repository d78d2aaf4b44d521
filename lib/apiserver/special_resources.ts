import { isObject } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatTime } from "../apimachinery/mod.ts";
import { badRequest, methodNotAllowed, notImplemented, resourceNotFound } from "./api_error.ts";
import { checkReviewMetadata, reviewStatus } from "./access_review.ts";
import type { ResourceRequest } from "./api_request.ts";
import { jsonResponse } from "./api_response.ts";
import type { Authorizer } from "./authorizer.ts";
import { runWithoutConversion } from "./conversion_steps.ts";
import { deleteAdmitted } from "./delete_object.ts";
import { decodeObject } from "./object_decoding.ts";
import { patchedDocument, patchKind, storedObject } from "./patch_object.ts";
import { mediaTypeOf, parseBody, parseObjectBody } from "./request_body.ts";
import { deleteOptions } from "./request_options.ts";
import { trackUpdate } from "./schema/managed_fields.ts";
import { writeTarget } from "./resource_handler.ts";
import type { ResourceType } from "./resource_type.ts";
import { scaleOf, withScale } from "./scale.ts";
import type { ServerContext } from "./server_context.ts";
import type { StoredObject } from "./stored_object.ts";
import type { TokenIssuer } from "./token_issuer.ts";
import { issueToken } from "./token_request.ts";
import { type Change, updateAdmitted } from "./update_object.ts";
import type { WriteTarget } from "./write_target.ts";

const REVIEW_GROUPS = new Set(["authorization.k8s.io", "authentication.k8s.io"]);
/** Disruption budgets do not protect these (policy/v1 eviction). */
const EVICTABLE_PHASES = new Set(["Pending", "Succeeded", "Failed"]);
const SCALE_SCHEMA: ResourceType["schema"] = { type: "object" };

/** Serves reviews, and subresources of another kind. */
export class SpecialResources {
  readonly #server: ServerContext;
  readonly #authorizer: Authorizer;
  readonly #tokens: TokenIssuer;

  constructor(server: ServerContext, authorizer: Authorizer, tokens: TokenIssuer) {
    this.#server = server;
    this.#authorizer = authorizer;
    this.#tokens = tokens;
  }

  handle(request: ResourceRequest): Promise<Response> | undefined {
    const { group, plural, subresource } = request.info;
    if (REVIEW_GROUPS.has(group)) return this.#review(request);
    switch (subresource) {
      case "scale":
        return this.#scale(request);
      case "token":
        return group === "" && plural === "serviceaccounts"
          ? issueToken(this.#server, this.#tokens, request)
          : undefined;
      case "eviction":
        return this.#evict(request);
      default:
        return undefined;
    }
  }

  async #review(request: ResourceRequest): Promise<Response> {
    const { info, type, user } = request;
    if (info.name !== undefined) throw resourceNotFound();
    if (info.verb !== "create") throw methodNotAllowed();
    const review = await parseObjectBody(request.body, request.headers["content-type"]);
    const { options } = writeTarget(request, "Create");
    decodeObject(review, type, { options, warnings: request.warnings });
    const { namespace } = info;
    const isAccess = info.group === "authorization.k8s.io";
    if (isAccess) checkReviewMetadata(review);
    const context = { authorizer: this.#authorizer, user, namespace, tokens: this.#tokens };
    const status = reviewStatus(info.plural, review, context);
    if (!status) throw notImplemented(`${info.plural}.${info.group}`);
    const answer = { ...review, metadata: this.#reviewMetadata(request, review, options.fieldManager), status };
    return jsonResponse(201, answer, request.warnings);
  }

  #reviewMetadata({ info, type }: ResourceRequest, review: DynamicObject, manager: string): DynamicObject["metadata"] {
    const nowMs = this.#server.clock.now();
    if (info.plural === "selfsubjectreviews") return { creationTimestamp: formatTime(nowMs) };
    const steps = trackUpdate({
      after: review,
      manager,
      schema: type.schema,
      apiVersion: formatApiVersion(type),
      nowMs,
    });
    const managedFields = runWithoutConversion(steps);
    return { namespace: info.namespace, ...managedFields.length > 0 && { managedFields } };
  }

  async #evict(request: ResourceRequest): Promise<Response> {
    const { info, type } = request;
    this.#refuseWebhooks(request, "CREATE");
    if (info.verb !== "create") throw methodNotAllowed();
    const { object } = storedObject(this.#server, { type, namespace: info.namespace, name: info.name });
    const phase = isObject(object.status) ? String(object.status.phase) : "";
    if (!EVICTABLE_PHASES.has(phase) && this.#server.storage.count("poddisruptionbudgets.policy") > 0) {
      throw notImplemented("eviction of running pods under a PodDisruptionBudget");
    }
    const body = await parseObjectBody(request.body, request.headers["content-type"]);
    const given = isObject(body.deleteOptions) ? body.deleteOptions : {};
    const options = deleteOptions(info.query, given);
    await deleteAdmitted(this.#server, { type, namespace: info.namespace, name: info.name!, options }, request);
    const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
    return jsonResponse(201, status);
  }

  async #scale(request: ResourceRequest): Promise<Response> {
    const { info, type } = request;
    this.#refuseWebhooks(request, "UPDATE");
    const place = { type, namespace: info.namespace, name: info.name };
    switch (info.verb) {
      case "get":
        return await this.#scaleResponse(type, storedObject(this.#server, place));
      case "update":
        return await this.#putScale(request);
      case "patch":
        return await this.#patchScale(request);
      default:
        throw methodNotAllowed();
    }
  }

  /** Webhooks would have to receive the Scale or Eviction. */
  #refuseWebhooks({ info, type }: ResourceRequest, operation: "CREATE" | "UPDATE"): void {
    const { subresource, namespace } = info;
    if (info.verb === "get" || !this.#server.admission.intercepts({ operation, type, subresource, namespace })) {
      return;
    }
    throw notImplemented(`admission webhooks for ${type.plural}/${subresource}`);
  }

  async #putScale(request: ResourceRequest): Promise<Response> {
    const { type } = request;
    const target = writeTarget(request, "Update");
    const scale = checkedScale(await parseObjectBody(request.body, request.headers["content-type"]));
    return await this.#writeScale(target, (live) => withScale(live, scale, type));
  }

  async #patchScale(request: ResourceRequest): Promise<Response> {
    const { type } = request;
    const mediaType = mediaTypeOf(request.headers["content-type"]);
    const kind = patchKind(mediaType, type.builtin);
    if (kind === "apply") throw notImplemented("server-side apply of the scale subresource");
    const target = writeTarget(request, "Patch");
    const patch = await parseBody(request.body, mediaType);
    return await this.#writeScale(target, (live) => {
      const scaleType = { ...type, schema: SCALE_SCHEMA };
      const scale = checkedScale(patchedDocument(scaleOf(live, type), kind, patch, { type: scaleType }));
      return withScale(live, scale, type);
    });
  }

  async #writeScale(target: WriteTarget, change: Change): Promise<Response> {
    return await this.#scaleResponse(target.type, await updateAdmitted(this.#server, target, change));
  }

  async #scaleResponse(type: ResourceType, stored: StoredObject): Promise<Response> {
    const { object } = await this.#server.converter.view(stored, type, "fresh");
    return jsonResponse(200, scaleOf(object, type));
  }
}

function checkedScale(scale: DynamicObject): DynamicObject {
  if (scale.kind && scale.kind !== "Scale") throw badRequest(`${scale.kind} is no Scale`);
  return scale;
}
