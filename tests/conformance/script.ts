import { isObject } from "../../lib/base/mod.ts";

/** What a request of a script has beside method, path and body. */
export interface RequestOptions {
  /** Of the body; JSON where absent. */
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who asks, instead of an administrator. */
  readonly user?: { readonly name: string; readonly groups?: readonly string[] };
  /** Values of the answer that later steps write as `${name}`: a name, and the path of its field. */
  readonly keep?: Readonly<Record<string, string>>;
  /** Compares the status code alone, always or where the request is accepted: the rest is the implementation's own. */
  readonly codeOnly?: boolean | "accepted";
  /** Names of headers to compare too. */
  readonly shows?: readonly string[];
  /** Compares these fields of the body alone, by their paths. */
  readonly only?: readonly string[];
  /** Compares the body as a text: its spaces and its order count. */
  readonly asText?: boolean;
}

/** One request. `path` is absolute, or `groupVersion/resource[/name[/subresource]]` in the script's namespace. */
export interface RequestStep extends RequestOptions {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS";
  readonly path: string;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
}

/** Opens a watch under a name. */
export interface WatchStep {
  readonly watch: string;
  readonly path: string;
  readonly accept?: string;
}

/** The next events of a watch; `end`: it also has to end then. */
export interface EventsStep {
  readonly events: string;
  readonly count: number;
  readonly end?: boolean;
}

/** Asks until the answer has the fields of `holds`; a list has them where one of its items has. `gone`: until 404. */
export interface UntilStep {
  readonly until: string;
  readonly holds: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One step of a script. */
export type Step = RequestStep | WatchStep | EventsStep | UntilStep;

/**
 * Requests that two API servers answer alike. `$ns` in any text is the script's namespace, which no other script uses:
 * also a group of its own (`$ns.example.com`) where it makes a CRD.
 */
export interface Script {
  /** A sentence on what it shows; unique in its area. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Scripts on one part of the API. */
export interface Area {
  readonly name: string;
  /** Runs once before the scripts, for instance to make CRDs that all of them use. Its answers are not compared. */
  readonly setup?: readonly Step[];
  readonly scripts: readonly Script[];
}

const TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

export function get(path: string, options: RequestOptions = {}): RequestStep {
  return { method: "GET", path, ...options };
}

export function create(path: string, body: unknown, options: RequestOptions = {}): RequestStep {
  return { method: "POST", path, body, ...options };
}

export function request(
  method: RequestStep["method"],
  path: string,
  options: RequestOptions & Pick<RequestStep, "body"> = {},
): RequestStep {
  return { method, path, ...options };
}

export function update(path: string, body: unknown, options: RequestOptions = {}): RequestStep {
  return { method: "PUT", path, body, ...options };
}

export function remove(path: string, body?: unknown, options: RequestOptions = {}): RequestStep {
  return { method: "DELETE", path, body, ...options };
}

/** A patch of a kind; an apply without `fieldManager` in its path is the tester's. */
export function patch(
  kind: keyof typeof TYPES,
  path: string,
  body: unknown,
  options: RequestOptions = {},
): RequestStep {
  const named = kind !== "apply" || path.includes("fieldManager=")
    ? path
    : `${path}${path.includes("?") ? "&" : "?"}fieldManager=tester`;
  return { method: "PATCH", path: named, body, type: TYPES[kind], ...options };
}

export function watch(name: string, path: string, accept?: string): WatchStep {
  return { watch: name, path: `${path}${path.includes("?") ? "&" : "?"}watch=true`, ...accept && { accept } };
}

export function events(name: string, count: number, end: boolean = false): EventsStep {
  return { events: name, count, ...end && { end } };
}

export function until(path: string, holds: unknown, headers?: Record<string, string>): UntilStep {
  return { until: path, holds, ...headers && { headers } };
}

export const gone = "gone";

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/** Creates a CRD and waits until its kinds are served. */
export function define(crd: object): Step[] {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const { metadata, spec } = crd as Crd, served = spec.versions.filter(({ served }) => served);
  return [
    create(path, crd, { codeOnly: true }),
    until(`${path}/${metadata.name}`, { status: { conditions: [{ type: "Established", status: "True" }] } }),
    ...served.map(({ name }) =>
      until(`/apis/${spec.group}/${name}/${spec.names.plural}`, { apiVersion: `${spec.group}/${name}` })
    ),
  ];
}

/** A CRD of one version, with the schema of its objects. */
export function crdOf(
  kind: string,
  group: string,
  properties: Record<string, unknown>,
  { scope = "Namespaced", version = {}, schema = {} }: {
    readonly scope?: "Namespaced" | "Cluster";
    readonly version?: Record<string, unknown>;
    readonly schema?: Record<string, unknown>;
  } = {},
): Record<string, unknown> {
  const singular = kind.toLowerCase(), plural = `${singular}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural, singular, listKind: `${kind}List` },
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties, ...schema } },
        ...version,
      }],
    },
  };
}

/** Whether `value` has the fields of `wanted`; a list has them where some item has each wanted one. */
export function hasFields(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(value) && wanted.every((item) => value.some((one) => hasFields(one, item)));
  }
  if (!isObject(wanted)) return value === wanted;
  return isObject(value) && Object.entries(wanted).every(([field, item]) => hasFields(value[field], item));
}
