type Verb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  /** A method that no resource has, such as OPTIONS. */
  | "";

export interface ResourceRequestInfo {
  readonly kind: "resource";
  readonly verb: Verb;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** By the deprecated path `/watch/`: also one object is watched. */
  readonly deprecatedWatch?: boolean;
}

export interface PathRequestInfo {
  readonly kind: "path";
  /** The HTTP method in lower case, as in nonResourceURLs rules. */
  readonly verb: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export type RequestInfo = ResourceRequestInfo | PathRequestInfo;

const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

/**
 * As k8s.io/apiserver's RequestInfoFactory.
 *
 * @throws {URIError} for invalid percent-encoding.
 */
export function requestInfo(method: string, target: string): RequestInfo {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  if (parts.at(-1) === "") parts.pop();
  const outside: PathRequestInfo = { kind: "path", verb: method.toLowerCase(), path, query };
  const rest = parts[0] === "api" ? parts.slice(2) : parts[0] === "apis" ? parts.slice(3) : undefined;
  if (!rest || rest.length === 0 || rest.some((part) => part === "")) return outside;
  const [group, version] = parts[0] === "api" ? ["", parts[1]!] : [parts[1]!, parts[2]!];
  const deprecatedWatch = rest[0] === "watch" && rest.length > 1;
  const at = resourceParts(deprecatedWatch ? rest.slice(1) : rest);
  if (!at || rest.length > at.length + (deprecatedWatch ? 1 : 0)) return outside;
  const verb = deprecatedWatch && method === "GET" ? "watch" : verbOf(method, at.name, query);
  const { length: _length, ...place } = at;
  return { kind: "resource", verb, path, query, group, version, ...place, ...deprecatedWatch && { deprecatedWatch } };
}

interface Place {
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly length: number;
}

function resourceParts(rest: readonly string[]): Place | undefined {
  const [first, second, third, fourth, fifth] = rest;
  if (first === "namespaces" && second !== undefined && third !== undefined && !NAMESPACE_SUBRESOURCES.has(third)) {
    return { plural: third, namespace: second, name: fourth, subresource: fifth, length: 5 };
  }
  if (first === undefined) return undefined;
  const namespace = first === "namespaces" ? second : undefined;
  return { plural: first, namespace, name: second, subresource: third, length: 3 };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): Verb {
  switch (method) {
    case "GET":
    case "HEAD":
      if (isTrue(query.get("watch"))) return "watch";
      return name === undefined ? "list" : "get";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    default:
      return "";
  }
}

/** Present, and neither false nor 0. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== "false" && value !== "0";
}
