import { methodNotAllowed, resourceNotFound } from "./api_error.ts";
import { jsonResponse, jsonTextResponse, textResponse, yamlResponse } from "./api_response.ts";
import { healthPaths, healthText } from "./health_checks.ts";
import { checkAccept, checkObjectAccept, negotiateDiscovery, negotiateDocument, takesJson } from "./negotiation.ts";
import type { ResourceRegistry } from "./resource_registry.ts";
import type { PathRequestInfo } from "./request_info.ts";
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./schema/discovery.ts";
import { openApiDocument, openApiHash, openApiIndex } from "./schema/openapi.ts";
import { swaggerDocument } from "./schema/swagger.ts";
import type { ServerContext } from "./server_context.ts";
import type { TokenIssuer } from "./token_issuer.ts";
import { formatJson } from "../base/mod.ts";

const VERSION = {
  major: "1",
  minor: "37",
  emulationMajor: "1",
  emulationMinor: "37",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "36",
  gitVersion: "v1.37.2+pintle-embedded",
  gitCommit: "embedded",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "deno",
  platform: "embedded",
};
const ISSUED = { "cache-control": "public, max-age=3600" };

type Handler = () => Response | Promise<Response>;

/** Serves paths outside of resources: discovery, OpenAPI documents, health, the keys of tokens. */
export class PathHandler {
  readonly #server: ServerContext;
  readonly #tokens: TokenIssuer;

  constructor(server: ServerContext, tokens: TokenIssuer) {
    this.#server = server;
    this.#tokens = tokens;
  }

  /** @throws {ApiError} 404, 405 or 406, as kube-apiserver. */
  async handle(info: PathRequestInfo, accept: string | undefined): Promise<Response> {
    const any = this.#anyMethod(info, accept);
    if (any) return await any();
    const path = info.path.length > 1 ? info.path.replace(/\/$/, "") : info.path;
    const read = this.#readOnly(path, accept);
    if (!read) return this.#notFound(info.path);
    if (info.verb !== "get") throw methodNotAllowed();
    return await read();
  }

  /** Outside of the API's groups the answer is a text, as from Go's HTTP server. */
  #notFound(path: string): Response {
    const [, group, version = ""] = /^\/apis\/([^/]+)\/([^/]*)/.exec(path) ?? [];
    const isServed = path.startsWith("/api/") ||
      (group !== undefined && isServedGroup(this.#server.registry, { group, version, plural: "" }));
    if (isServed) throw resourceNotFound();
    return notFoundText();
  }

  /** Documents that kube-apiserver serves to every method. */
  #anyMethod({ path, query }: PathRequestInfo, accept: string | undefined): Handler | undefined {
    const types = () => this.#server.registry.all();
    const health = healthText(path, query);
    if (health !== undefined) return () => textResponse(200, health);
    switch (path) {
      case "/":
        return () => jsonTextResponse(200, JSON.stringify({ paths: this.#paths() }, null, 2));
      case "/openapi/v2":
        return () => (takesJson(accept) ? varying(jsonResponse(200, swaggerDocument(types()))) : unacceptable());
      case "/openapi/v3":
      case "/openapi/v3/":
        return () => textResponse(200, formatJson(openApiIndex(types())));
    }
    const openapi = /^\/openapi\/v3\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(path);
    if (openapi) return () => this.#openApi(openapi[1] ?? openapi[2]!, path, query, accept);
    if (path.startsWith("/openapi/v3/")) return () => new Response(null, { status: 404 });
    const group = /^\/apis\/([^/]+)\/?$/.exec(path)?.[1];
    const body = group && apiGroup(types(), group);
    return body ? async () => await document(body, negotiateDocument(accept)) : undefined;
  }

  #openApi(groupVersion: string, path: string, query: URLSearchParams, accept: string | undefined): Response {
    const types = this.#server.registry.all(), hash = openApiHash(types, groupVersion);
    const found = openApiDocument(types, groupVersion);
    if (!found) return new Response(null, { status: 404 });
    if (!takesJson(accept)) return unacceptable();
    const asked = query.get("hash");
    // A client that knows an older document learns the path of the present one.
    if (asked && asked !== hash) {
      return new Response(null, { status: 301, headers: { location: `${path}?hash=${hash}` } });
    }
    return varying(jsonResponse(200, found));
  }

  #readOnly(path: string, accept: string | undefined): Handler | undefined {
    const types = this.#server.registry.all();
    switch (path) {
      case "/version":
        return () => (checkAccept(accept, ["application/json"]), jsonResponse(200, VERSION));
      case "/api":
        return () => this.#discovery(accept, "core");
      case "/apis":
        return () => this.#discovery(accept, "groups");
      case "/.well-known/openid-configuration":
        return () => (checkAccept(accept, ["application/json"]),
          issued(this.#tokens.configuration, "application/json"));
      case "/openid/v1/jwks":
        return () => {
          checkAccept(accept, ["application/jwk-set+json"]);
          return issued(this.#tokens.keys, "application/jwk-set+json");
        };
    }
    const groupVersion = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(path);
    const list = groupVersion && apiResourceList(types, groupVersion[1] ?? groupVersion[2]!);
    if (!list) return undefined;
    return async () => {
      checkObjectAccept(accept, false);
      return await document(list, negotiateDocument(accept));
    };
  }

  async #discovery(accept: string | undefined, which: "core" | "groups"): Promise<Response> {
    const types = this.#server.registry.all();
    const mediaType = negotiateDiscovery(accept);
    if (mediaType !== "aggregated") {
      return await document(which === "core" ? apiVersions() : apiGroupList(types), mediaType);
    }
    const response = jsonResponse(200, aggregatedDiscovery(types, which));
    response.headers.set("content-type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    response.headers.set("cache-control", "public");
    return varying(response);
  }

  #paths(): string[] {
    const groups = this.#server.registry.all().filter(({ group }) => group !== "");
    const discovery = groups.flatMap(({ group, version }) => [`/apis/${group}`, `/apis/${group}/${version}`]);
    const rest = ["/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/"];
    const openapi = ["/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/version"];
    return [...new Set([...rest, ...discovery, ...healthPaths(), ...openapi])].sort();
  }
}

/** Whether an unknown resource is answered with a Status: in the API's own groups, and for kinds of CRDs. */
export function isServedGroup(
  registry: ResourceRegistry,
  { group, version, plural }: { readonly group: string; readonly version: string; readonly plural: string },
): boolean {
  return registry.find(group, version, plural) !== undefined || group === "" || registry.isBuiltinGroup(group);
}

export function notFoundText(): Response {
  const response = textResponse(404, "404 page not found\n");
  response.headers.set("x-content-type-options", "nosniff");
  return response;
}

function unacceptable(): Response {
  return varying(new Response(null, { status: 406 }));
}

function varying(response: Response): Response {
  response.headers.set("vary", "Accept");
  return response;
}

function issued(value: unknown, type: string): Response {
  return new Response(formatJson(value), { status: 200, headers: { "content-type": type, ...ISSUED } });
}

async function document(value: unknown, mediaType: "application/json" | "application/yaml"): Promise<Response> {
  return mediaType === "application/yaml" ? await yamlResponse(200, formatJson(value), []) : jsonResponse(200, value);
}
