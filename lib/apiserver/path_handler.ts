import { methodNotAllowed, resourceNotFound } from "./api_error.ts";
import { jsonResponse, textResponse } from "./api_response.ts";
import { negotiateDiscovery } from "./negotiation.ts";
import type { PathRequestInfo } from "./request_info.ts";
import { aggregatedDiscovery, apiGroupList, apiResourceList, apiVersions } from "./schema/discovery.ts";
import { openApiDocument, openApiIndex } from "./schema/openapi.ts";
import type { ServerContext } from "./server_context.ts";

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
const HEALTH = /^\/(healthz|livez|readyz)(\/.*)?$/;

export function handlePath(server: ServerContext, info: PathRequestInfo, accept: string | undefined): Response {
  const path = info.path.length > 1 ? info.path.replace(/\/$/, "") : info.path;
  const answer = documentAt(server, path, accept);
  if (!answer) throw resourceNotFound();
  if (info.verb !== "get" && info.verb !== "head") throw methodNotAllowed();
  return answer();
}

function documentAt(server: ServerContext, path: string, accept: string | undefined): (() => Response) | undefined {
  const types = () => server.registry.all();
  if (HEALTH.test(path)) return () => textResponse(200, "ok");
  switch (path) {
    case "/":
      return () =>
        jsonResponse(200, { paths: ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"] });
    case "/version":
      return () => jsonResponse(200, VERSION);
    case "/api":
      return () => discovery(server, accept, "core");
    case "/apis":
      return () => discovery(server, accept, "groups");
    case "/openapi/v3":
      return () => jsonResponse(200, openApiIndex(types()));
  }
  const openapi = /^\/openapi\/v3\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(path);
  if (openapi) return () => orNotFound(openApiDocument(types(), openapi[1] ?? openapi[2]!));
  const groupVersion = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(path);
  if (groupVersion) {
    const name = groupVersion[1] ?? groupVersion[2]!;
    const served = types().some((type) =>
      (type.group === "" ? type.version : `${type.group}/${type.version}`) === name
    );
    return served ? () => jsonResponse(200, apiResourceList(types(), name)) : undefined;
  }
  const group = /^\/apis\/([^/]+)$/.exec(path)?.[1];
  const entry = group && (apiGroupList(types()) as { groups: { name: string }[] }).groups
    .find(({ name }) => name === group);
  return entry ? () => jsonResponse(200, { kind: "APIGroup", apiVersion: "v1", ...entry }) : undefined;
}

function orNotFound(document: unknown): Response {
  if (document === undefined) throw resourceNotFound();
  return jsonResponse(200, document);
}

function discovery(server: ServerContext, accept: string | undefined, which: "core" | "groups"): Response {
  const types = server.registry.all();
  const version = negotiateDiscovery(accept);
  if (version === "plain") return jsonResponse(200, which === "core" ? apiVersions() : apiGroupList(types));
  const document = aggregatedDiscovery(types, which) as { apiVersion: string };
  const response = jsonResponse(200, { ...document, apiVersion: `apidiscovery.k8s.io/${version}` });
  const as = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  response.headers.set("content-type", as);
  return response;
}
