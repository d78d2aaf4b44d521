import { type Area, crdOf, create, define, get, remove, request, type RequestOptions, type Script } from "../script.ts";

const GROUP_VERSIONS = [
  "admissionregistration.k8s.io/v1",
  "apiextensions.k8s.io/v1",
  "apiregistration.k8s.io/v1",
  "apps/v1",
  "authentication.k8s.io/v1",
  "authorization.k8s.io/v1",
  "autoscaling/v1",
  "autoscaling/v2",
  "batch/v1",
  "certificates.k8s.io/v1",
  "coordination.k8s.io/v1",
  "discovery.k8s.io/v1",
  "events.k8s.io/v1",
  "flowcontrol.apiserver.k8s.io/v1",
  "networking.k8s.io/v1",
  "node.k8s.io/v1",
  "policy/v1",
  "rbac.authorization.k8s.io/v1",
  "resource.k8s.io/v1",
  "scheduling.k8s.io/v1",
  "storage.k8s.io/v1",
  "storagemigration.k8s.io/v1",
];

const aggregated = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const openApi = (version: string) => `application/com.github.proto-openapi.spec.v${version}+protobuf`;

/** A script that reads one path. */
function reads(name: string, path: string, options: RequestOptions = {}): Script {
  return { name, steps: [get(path, options)] };
}

/** A script per path. */
function each(given: string, paths: readonly string[], options: RequestOptions = {}): Script[] {
  return paths.map((path) => reads(`${given} ${path}`, path, options));
}

/** A script per method. */
function methods(
  path: string,
  names: readonly ("POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS")[],
  options: RequestOptions = {},
): Script[] {
  return names.map((name) => ({ name: `${name} of ${path}`, steps: [request(name, path, options)] }));
}

function accepted(path: string, accept: string, options: RequestOptions = {}): Script {
  return reads(`${path} as ${accept}`, path, { accept, ...options });
}

const own = crdOf("Widget", "$ns.example.com", { spec: { type: "object" } });

/** What a server says of itself: its groups, resources, documents and health. */
export const discovery: Area = {
  name: "discovery",
  scripts: [
    ...each("the resources of", ["/api/v1", ...GROUP_VERSIONS.map((one) => `/apis/${one}`)]),
    ...each("the group", [...new Set(GROUP_VERSIONS.map((one) => `/apis/${one.split("/")[0]}`))]),
    ...each("the versions of", ["/api"], { only: ["kind", "apiVersion", "versions"] }),
    ...[...GROUP_VERSIONS.keys()].map((index) =>
      reads(`group ${index + 1} of all`, "/apis", { only: [`groups.${index}`] })
    ),
    accepted("/api", aggregated("v2"), { shows: ["cache-control", "vary"] }),
    accepted("/api", aggregated("v2beta1")),
    ...["/apis"].flatMap((path) =>
      [...GROUP_VERSIONS.keys()].slice(0, 21).map((index) =>
        reads(`item ${index + 1} of the aggregated discovery`, path, {
          accept: aggregated("v2"),
          only: [`items.${index}.metadata`, `items.${index}.versions`],
        })
      )
    ),
    accepted("/apis", aggregated("v2beta1"), { only: ["kind", "apiVersion", "metadata", "items.1"] }),
    accepted("/apis", aggregated("v9"), { only: ["kind", "message"] }),
    accepted("/apis", `${aggregated("v9")},${aggregated("v2")}`, { only: ["kind", "apiVersion"] }),
    accepted("/apis", `${aggregated("v2")},application/json`, { only: ["kind", "apiVersion"] }),
    accepted("/apis", `application/json,${aggregated("v2")}`, { only: ["kind", "apiVersion"] }),
    accepted("/apis", "application/yaml", { codeOnly: true }),
    accepted("/apis/apps", "application/yaml"),
    accepted("/apis/coordination.k8s.io/v1", "application/yaml"),
    accepted("/apis/apps", "application/xml"),
    accepted("/apis/apps/v1", "text/html"),
    accepted("/apis/apps/v1", "*/*", { codeOnly: true }),
    accepted("/apis/apps/v1", `${PROTOBUF},application/json;q=0.5`, { codeOnly: true }),
    accepted("/apis/apps", "application/json;as=Table;g=meta.k8s.io;v=v1"),
    {
      name: "aggregated discovery has an ETag",
      steps: [
        get("/api", { accept: aggregated("v2"), only: ["kind"] }),
        get("/api", { accept: aggregated("v2"), headers: { "if-none-match": '"0"' }, only: ["kind"] }),
      ],
    },
    reads("the version", "/version", { only: ["major", "minor", "emulationMajor", "minCompatibilityMinor"] }),
    reads("the version with a slash", "/version/", { only: ["major", "minor"] }),
    accepted("/version", "application/yaml", { codeOnly: true }),
    accepted("/version", "application/xml"),
    reads("the swagger document", "/openapi/v2", {
      only: ["swagger", "info.title", "securityDefinitions", "security"],
    }),
    reads("definitions of the swagger document", "/openapi/v2", {
      only: [
        "paths./api/v1/namespaces/{namespace}/configmaps.get.operationId",
      ],
    }),
    accepted("/openapi/v2", "application/yaml"),
    accepted("/openapi/v2", "*/*", { only: ["swagger"] }),
    accepted("/openapi/v2", "application/json;q=0.5", { only: ["swagger"] }),
    accepted("/openapi/v2", openApi("2@v1.0"), { codeOnly: true }),
    accepted("/openapi/v2", `${openApi("2@v1.0")},application/json`, { codeOnly: true }),
    accepted("/openapi/v3", "application/json", { only: ["paths.api/v9"] }),
    ...["/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1", "/openapi/v3/apis/coordination.k8s.io/v1"].map((path) =>
      reads(`the document ${path}`, path, { only: ["openapi", "info.title"], shows: ["vary"] })
    ),
    accepted("/openapi/v3/apis/apps/v1", "application/yaml"),
    accepted("/openapi/v3/apis/apps/v1", "*/*", { only: ["openapi"] }),
    accepted("/openapi/v3/apis/apps/v1", openApi("3@v1.0"), { codeOnly: true }),
    reads("the document of an unknown group", "/openapi/v3/apis/nothing.example.com/v1"),
    reads("a document with a stale hash", "/openapi/v3/apis/apps/v1?hash=0", { codeOnly: true }),
    ...methods("/openapi/v2", ["POST", "DELETE"], { codeOnly: true }),
    ...methods("/openapi/v3", ["POST"], { codeOnly: true }),
    reads("the OpenID configuration", "/.well-known/openid-configuration", {
      only: [
        "issuer",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
      ],
      shows: ["cache-control"],
    }),
    reads("the keys that sign tokens", "/openid/v1/jwks", {
      accept: "application/jwk-set+json",
      only: ["keys.0.use", "keys.0.kty", "keys.0.alg", "keys.0.e", "keys.1"],
      shows: ["cache-control"],
    }),
    accepted("/openid/v1/jwks", "application/xml", { only: ["keys.0.use"] }),
    ...methods("/openid/v1/jwks", ["POST"]),
    ...each("health", [
      "/healthz",
      "/livez",
      "/readyz",
      "/livez/ping",
      "/readyz/etcd",
      "/readyz/shutdown",
      "/readyz/informer-sync",
      "/livez/poststarthook/rbac/bootstrap-roles",
      "/healthz/nothing",
      "/livez/poststarthook/nothing",
      "/healthz/shutdown",
    ]),
    ...each("health", ["/readyz/?verbose", "/livez/ping?verbose"], { codeOnly: true }),
    ...each("health", [
      "/readyz?verbose",
      "/livez?verbose",
      "/healthz?verbose",
      "/readyz?verbose&exclude=ping",
      "/readyz?exclude=nothing",
      "/readyz?verbose&exclude=nothing",
    ]),
    accepted("/livez", "application/json"),
    ...methods("/healthz", ["POST", "HEAD"]),
    ...methods("/version", ["POST", "HEAD", "OPTIONS", "DELETE"]),
    ...methods("/api", ["POST", "HEAD", "OPTIONS"]),
    ...methods("/apis/apps", ["POST", "PUT"]),
    ...methods("/apis/apps/v1", ["POST", "DELETE", "HEAD"]),
    ...methods("/apis/nothing.example.com", ["POST"]),
    ...methods("/", ["POST", "HEAD"]),
    ...methods("/api/v1/namespaces", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    ...methods("/api/v1/namespaces/default", ["POST", "OPTIONS", "HEAD"]),
    ...methods("/api/v1/pods", ["POST", "PUT", "PATCH", "DELETE"]),
    ...methods("/api/v1/namespaces/default/pods", ["PUT", "PATCH"]),
    ...methods("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ["DELETE", "PUT"]),
    reads("a collection that takes only creates", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    reads("an object of a kind that takes only creates", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/a"),
    ...each("nothing at", [
      "/nothing",
      "/api/v1/nothing",
      "/api/v1/namespaces/default/nothing",
      "/api/v1/namespaces/default/nothing/a",
      "/api/v1/namespaces/default/pods/a/nothing",
      "/api/v1/namespaces/default/configmaps/kube-root-ca.crt/status",
      "/api/v1/namespaces/default/configmaps/a/b/c",
      "/api/v1/namespaces/default/nodes",
      "/api/v1/configmaps/a",
      "/api/v2",
      "/api/v2/pods",
      "/api/",
      "/apis/",
      "/apis/apps/",
      "/apis/apps/v1/",
      "/apis/apps/v9",
      "/apis/apps/v9/deployments",
      "/apis/nothing.example.com",
      "/apis/nothing.example.com/v1",
      "/apis/nothing.example.com/v1/things",
      "/apis/nothing.example.com/v1/namespaces/default/things/a",
      "/apis/apps/v1/nothing",
      "/openapi",
      "/openapi/v4",
      "/openid",
      "/.well-known",
      "/logs",
      "/ui",
      "/favicon.ico",
      "//api/v1",
      "/api//v1",
      "/api/v1//namespaces",
      "/api/v1/namespaces//configmaps",
      "/api/v1/namespaces/default/configmaps/",
      "/API/v1",
    ], { only: ["kind", "reason", "message", "details", "code"] }),
    reads("the paths of a server", "/", { only: ["paths.0", "paths.1", "paths.2", "paths.3", "paths.4"] }),
    {
      name: "discovery of a CRD",
      steps: [
        ...define(own),
        get("/apis/$ns.example.com"),
        get("/apis/$ns.example.com/v1", {
          only: ["apiVersion", "groupVersion", "resources.0.name", "resources.0.verbs"],
        }),
        get("/apis/$ns.example.com/v1/nothing"),
        remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.$ns.example.com", undefined, {
          codeOnly: true,
        }),
        { until: "/apis/$ns.example.com/v1/widgets", holds: "gone" },
      ],
    },
    {
      name: "an object without a Table is refused as one",
      steps: [get("/version", { accept: "application/json;as=Table;g=meta.k8s.io;v=v1", only: ["major", "message"] })],
    },
    {
      name: "a list in no media type that there is",
      steps: [
        get("v1/configmaps", { accept: "application/xml" }),
        get("v1/configmaps", { accept: "application/json;as=Table;g=meta.k8s.io;v=v2" }),
        get("v1/configmaps", { accept: "application/json;as=Nothing;g=meta.k8s.io;v=v1" }),
        get("v1/configmaps", { accept: "application/json;as=Table;g=example.com;v=v1" }),
        create("v1/configmaps", { metadata: { name: "a" } }, { accept: "application/xml" }),
        get("v1/configmaps/a"),
      ],
    },
  ],
};
