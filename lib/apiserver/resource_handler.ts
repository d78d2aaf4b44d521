import { isObject, jsonClone, parseJson } from "../base/mod.ts";
import { type ApiStatus, type DynamicObject, formatApiVersion } from "../apimachinery/mod.ts";
import {
  badRequest,
  methodNotAllowed,
  notImplemented,
  resourceNotFound,
  resourceVersionTooLarge,
} from "./api_error.ts";
import { jsonResponse, jsonTextResponse, streamResponse, yamlResponse } from "./api_response.ts";
import type { ResourceRequest } from "./api_request.ts";
import { asVersion } from "./conversion.ts";
import { createAdmitted } from "./create_object.ts";
import { deleteAdmitted } from "./delete_object.ts";
import { listObjects } from "./list_objects.ts";
import { type Answered, checkObjectAccept, negotiate } from "./negotiation.ts";
import { checkPlace, decodeObject } from "./object_decoding.ts";
import { patchKind, patchObject, storedObject } from "./patch_object.ts";
import { repeatedKeys } from "./repeated_keys.ts";
import { mediaTypeOf, parseBody, parseObjectBody } from "./request_body.ts";
import { deleteOptions, listOptions, resourceVersionOf, writeOptions } from "./request_options.ts";
import { decodingFault } from "./schema/go_decoder.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import { eventWriter, includeObjectOf, listText, type ObjectFormat, objectText } from "./response_writer.ts";
import type { ServerContext } from "./server_context.ts";
import type { StoredObject } from "./stored_object.ts";
import { answersDeletedObject } from "./strategies.ts";
import { updateAdmitted } from "./update_object.ts";
import { watchObjects } from "./watch_objects.ts";
import type { WriteTarget } from "./write_target.ts";

/** Subresources that are the object with fewer writable fields. */
const OBJECT_SUBRESOURCES = new Set(["status", "finalize", "approval"]);

/** Serves resources, and the subresources that are views of them. Special ones are handled before. */
export async function handleResource(server: ServerContext, request: ResourceRequest): Promise<Response> {
  const { info, type } = request;
  if (info.subresource !== undefined && !OBJECT_SUBRESOURCES.has(info.subresource)) {
    throw notImplemented(`the subresource ${info.plural}/${info.subresource}`);
  }
  if (info.subresource === undefined && !type.verbs.includes(info.verb)) throw methodNotAllowed();
  const isCollection = info.name === undefined && (info.verb === "list" || info.verb === "watch");
  if (type.namespaced && info.namespace === undefined && !isCollection) throw methodNotAllowed();
  checkObjectAccept(request.headers.accept, isCollection || info.deprecatedWatch === true);
  if (info.name === undefined && (info.verb === "update" || info.verb === "patch")) throw methodNotAllowed();
  switch (info.verb) {
    case "get":
      checkReadVersion(server, info.query);
      return await oneResponse(server, request, 200, storedObject(server, placeOf(request)));
    case "list":
      return await listResponse(server, request);
    case "watch":
      // `watch` in the query of one object is ignored.
      return info.name === undefined || info.deprecatedWatch
        ? watchResponse(server, request)
        : await oneResponse(server, request, 200, storedObject(server, placeOf(request)));
    case "create":
      return await create(server, request);
    case "update":
      return await update(server, request);
    case "patch":
      return await patch(server, request);
    case "delete":
      return await remove(server, request);
    case "deletecollection":
      return await removeAll(server, request);
    case "":
      throw methodNotAllowed();
    default:
      return info.verb satisfies never;
  }
}

/** @throws {ApiError} 504 for a version that is not written yet. */
function checkReadVersion(server: ServerContext, query: URLSearchParams): void {
  const version = resourceVersionOf(query.get("resourceVersion") ?? undefined, true) ?? 0;
  if (version > server.storage.revision) throw resourceVersionTooLarge(version, server.storage.revision);
}

function placeOf(request: ResourceRequest): { type: ResourceType; namespace?: string; name?: string } {
  return { type: request.type, namespace: request.info.namespace, name: request.info.name };
}

export function writeTarget(
  request: ResourceRequest,
  verb: "Create" | "Update" | "Patch" | "Apply",
): WriteTarget {
  return {
    ...placeOf(request),
    subresource: request.info.subresource,
    options: writeOptions(request.info.query, verb, request.headers["user-agent"]),
    user: request.user,
    warnings: request.warnings,
  };
}

function formatOf(server: ServerContext, request: ResourceRequest, answered: Answered = "one"): ObjectFormat {
  const negotiated = negotiate(request.headers.accept, answered);
  return {
    ...negotiated,
    includeObject: includeObjectOf(request.info.query, negotiated.shape),
    nowMs: server.clock.now(),
  };
}

function textInFormat(request: ResourceRequest, code: number, text: string, format: ObjectFormat): Promise<Response> {
  if (format.mediaType === "application/yaml") return yamlResponse(code, text, request.warnings);
  return Promise.resolve(jsonTextResponse(code, `${text}\n`, request.warnings));
}

async function oneResponse(
  server: ServerContext,
  request: ResourceRequest,
  code: number,
  stored: StoredObject,
): Promise<Response> {
  const format = formatOf(server, request);
  // As in kube-apiserver, a get fails where conversion fails.
  const view = await server.converter.view(stored, request.type, "fresh");
  return await textInFormat(request, code, objectText(view, request.type, format), format);
}

async function listResponse(server: ServerContext, request: ResourceRequest): Promise<Response> {
  const { info, type } = request;
  const format = formatOf(server, request, "list");
  const page = await listObjects(server, type, info.namespace, listOptions(info.query, false));
  return await textInFormat(request, 200, listText(page, type, format), format);
}

function watchResponse(server: ServerContext, request: ResourceRequest): Response {
  const { info, type } = request;
  const format = formatOf(server, request, "watch");
  return streamResponse(watchObjects(server, {
    type,
    namespace: info.namespace,
    name: info.name,
    options: listOptions(info.query, true),
    write: eventWriter(type, format, () => server.clock.now()),
    signal: request.signal,
  }));
}

async function create(server: ServerContext, request: ResourceRequest): Promise<Response> {
  if (request.info.name !== undefined) throw methodNotAllowed();
  const target = writeTarget(request, "Create");
  // Nothing is done that cannot be answered.
  formatOf(server, request);
  const input = await parseObjectBody(request.body, request.headers["content-type"]);
  const repeated = repeatedKeys(request.body, input);
  return await oneResponse(server, request, 201, await createAdmitted(server, { ...target, repeated }, input));
}

async function update(server: ServerContext, request: ResourceRequest): Promise<Response> {
  const { type } = request, target = writeTarget(request, "Update");
  formatOf(server, request);
  const input = await parseObjectBody(request.body, request.headers["content-type"]);
  decodeObject(input, type, { ...target, repeated: repeatedKeys(request.body, input) });
  checkPlace(input, target);
  return await oneResponse(server, request, 200, await updateAdmitted(server, target, () => jsonClone(input)));
}

async function patch(server: ServerContext, request: ResourceRequest): Promise<Response> {
  const mediaType = mediaTypeOf(request.headers["content-type"]);
  const kind = patchKind(mediaType, request.type.builtin);
  const target = writeTarget(request, kind === "apply" ? "Apply" : "Patch");
  formatOf(server, request);
  const body = kind === "apply" ? await parseBody(request.body, mediaType) : parsedPatch(request.body);
  const repeated = repeatedKeys(request.body, body);
  const { stored, created } = await patchObject(server, { ...target, repeated }, kind, body);
  return await oneResponse(server, request, created ? 201 : 200, stored);
}

const DELETE_OPTIONS = { $ref: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions" };

const JOB_WARNING = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to " +
  "remove them or set propagationPolicy=Orphan to suppress this warning";

/** Every group has DeleteOptions in its versions. */
function checkOptionsKind({ kind = "DeleteOptions", apiVersion = "v1" }: Record<string, unknown>): void {
  if (kind === "DeleteOptions" && /^(?:[^/]+\/)?v1$/.test(String(apiVersion))) return;
  throw badRequest(
    kind === "Status" && apiVersion === "v1"
      ? "converting (v1.Status) to (v1.DeleteOptions): unknown conversion"
      : `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
  );
}

function parsedPatch(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest("invalid JSON patch");
    throw error;
  }
}

async function deleteBody(request: ResourceRequest): Promise<Record<string, unknown> | undefined> {
  if (request.body.trim() === "") return undefined;
  const body = await parseBody(request.body, mediaTypeOf(request.headers["content-type"]));
  if (body === null) return undefined;
  if (!isObject(body)) throw badRequest("DeleteOptions must be an object");
  checkOptionsKind(body);
  const fault = decodingFault(body, DELETE_OPTIONS);
  if (fault !== undefined) throw badRequest(fault);
  return body;
}

async function remove(server: ServerContext, request: ResourceRequest): Promise<Response> {
  const { info, type } = request;
  if (info.subresource !== undefined) throw methodNotAllowed();
  const options = deleteOptions(info.query, await deleteBody(request));
  const target = { type, namespace: info.namespace, name: info.name!, options };
  const isOrphaning = options.propagationPolicy === undefined && storageResource(type) === "jobs.batch";
  if (isOrphaning) request.warnings.push(JOB_WARNING);
  const deletion = await deleteAdmitted(server, target, request);
  const resource = storageResource(type);
  if (deletion.kind === "pending" || answersDeletedObject(resource)) {
    return await oneResponse(server, request, 200, deletion.stored);
  }
  const status: ApiStatus = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: info.name,
      group: type.group || undefined,
      kind: type.plural,
      uid: deletion.stored.object.metadata?.uid,
    },
    code: 200,
  };
  // kube-apiserver omits it for a success.
  return jsonResponse(200, { ...status, code: undefined }, request.warnings);
}

async function removeAll(server: ServerContext, request: ResourceRequest): Promise<Response> {
  const { info, type } = request;
  const options = deleteOptions(info.query, await deleteBody(request));
  const page = await listObjects(server, type, info.namespace, listOptions(info.query, false));
  const items: DynamicObject[] = [];
  for (const stored of page.items) {
    const { namespace, name = "", uid } = stored.object.metadata!;
    // The uid ensures that it is still the listed object.
    const one = { ...options, uid: options.uid ?? uid };
    await deleteAdmitted(server, { type, namespace, name, options: one }, request);
    items.push(asVersion(stored, type));
  }
  const metadata = { resourceVersion: String(server.storage.revision) };
  const list = { kind: type.listKind, apiVersion: formatApiVersion(type), metadata, items };
  return jsonResponse(200, list, request.warnings);
}

export function typeOf(server: ServerContext, info: ResourceRequest["info"]): ResourceType {
  const type = server.registry.find(info.group, info.version, info.plural);
  if (!type || (!type.namespaced && info.namespace !== undefined && type.plural !== "namespaces")) {
    throw resourceNotFound();
  }
  if (info.subresource !== undefined && !type.subresources.includes(info.subresource)) throw resourceNotFound();
  if (type.namespaced && info.namespace === undefined && info.name !== undefined) throw resourceNotFound();
  return type;
}
