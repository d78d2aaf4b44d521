import { isObject } from "../base/mod.ts";
import { type DynamicObject, formatTime } from "../apimachinery/mod.ts";
import { badRequest, conflict, invalid, invalidValue, methodNotAllowed } from "./api_error.ts";
import type { ResourceRequest } from "./api_request.ts";
import { jsonResponse } from "./api_response.ts";
import { decodeObject } from "./object_decoding.ts";
import { storedObject } from "./patch_object.ts";
import { parseObjectBody } from "./request_body.ts";
import { writeTarget } from "./resource_handler.ts";
import type { ResourceType } from "./resource_type.ts";
import type { ServerContext } from "./server_context.ts";
import { type BoundObject, ISSUER, type TokenIssuer } from "./token_issuer.ts";

const SECONDS_DEFAULT = 3_600, SECONDS_MIN = 600, SECONDS_MAX = 2 ** 32;
const KIND = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" };
const SCHEMA = { $ref: "io.k8s.api.authentication.v1.TokenRequest" };
const BINDABLE: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets", Node: "nodes" };

/** Serves `serviceaccounts/NAME/token`. @throws {ApiError} as kube-apiserver. */
export async function issueToken(
  server: ServerContext,
  tokens: TokenIssuer,
  request: ResourceRequest,
): Promise<Response> {
  if (request.info.verb !== "create") throw methodNotAllowed();
  const { namespace = "", name = "" } = request.info;
  const body = await parseObjectBody(request.body, request.headers["content-type"]);
  const { options } = writeTarget(request, "Create");
  const type: ResourceType = { ...request.type, ...KIND, schema: SCHEMA };
  decodeObject(body, type, { options, warnings: request.warnings });
  const { object: account } = storedObject(server, { type: request.type, namespace, name });
  const given = body.metadata?.name;
  if (given && given !== name) {
    const why = "must match the service account name if specified";
    throw invalid(KIND, name, [invalidValue("metadata.name", given, why)]);
  }
  const spec = isObject(body.spec) ? body.spec : {}, seconds = secondsOf(spec);
  const audiences = Array.isArray(spec.audiences) && spec.audiences.length > 0 ? spec.audiences.map(String) : [ISSUER];
  const bound = isObject(spec.boundObjectRef) ? boundObject(server, namespace, spec.boundObjectRef) : undefined;
  const token = tokens.issue({
    account: { namespace, name, uid: account.metadata!.uid! },
    audiences,
    lifetimeMs: seconds * 1_000,
    ...bound && { bound },
  });
  const nowMs = server.clock.now();
  const answer: DynamicObject = {
    kind: KIND.kind,
    apiVersion: `${KIND.group}/${KIND.version}`,
    metadata: { name, namespace, creationTimestamp: formatTime(nowMs) },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: formatTime(nowMs + seconds * 1_000) },
  };
  return jsonResponse(201, answer, request.warnings);
}

function secondsOf(spec: Record<string, unknown>): number {
  const seconds = Number(spec.expirationSeconds ?? SECONDS_DEFAULT);
  const why = seconds < SECONDS_MIN
    ? "may not specify a duration less than 10 minutes"
    : seconds > SECONDS_MAX
    ? "may not specify a duration larger than 2^32 seconds"
    : undefined;
  if (why !== undefined) throw invalid(KIND, "", [invalidValue("spec.expirationSeconds", seconds, why)]);
  return seconds;
}

function boundObject(server: ServerContext, namespace: string, reference: Record<string, unknown>): BoundObject {
  const { kind, apiVersion = "", name, uid } = reference;
  if (typeof kind !== "string" || !Object.hasOwn(BINDABLE, kind) || apiVersion !== "v1") {
    throw badRequest(`cannot bind token to object of type /${apiVersion}, Kind=${kind}`);
  }
  if (typeof name !== "string" || name === "") throw badRequest("Name parameter required.");
  const type = server.registry.find("", "v1", BINDABLE[kind]!)!;
  const { object } = storedObject(server, { type, namespace: type.namespaced ? namespace : undefined, name });
  const found = object.metadata!.uid!;
  if (uid && uid !== found) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. ` +
      "The object might have been deleted and then recreated";
    throw conflict({ group: "", plural: kind }, name, why);
  }
  return { kind: kind as BoundObject["kind"], name, uid: found };
}
