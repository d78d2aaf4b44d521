import { crdOf } from "../crd.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CertificateAuthority } from "../../lib/apiserver/mod.ts";
import type { Answer, Case } from "./conformance_case.ts";

/** A document of a case. */
// deno-lint-ignore no-explicit-any -- the cases look into JSON of any shape
export type Json = any;

/** One ConversionReview that was asked. */
export interface Review {
  readonly apiVersion: string;
  readonly desired: string;
  readonly objects: Json[];
}

/** What the webhook says instead of the truth: a response's body, a text, or undefined for the truth after all. */
export type Lie = (request: Json, truth: Json) => Promise<Json> | Json;

/** Where definitions are. */
export const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Where v1 keeps the mode. */
export const MODE = "doors.example.com/mode";

/** The door in the other version. A mode that v1 has no field for is kept in an annotation. */
export function converted(door: Json, desired: string): Json {
  const { metadata: { annotations, ...metadata }, spec, status } = door;
  if (desired.endsWith("/v2")) {
    const { [MODE]: mode, ...others } = annotations ?? {};
    const rest = Object.keys(others).length > 0 ? { annotations: others } : {};
    return {
      apiVersion: desired,
      kind: door.kind,
      metadata: { ...metadata, ...rest },
      ...(spec && {
        spec: {
          ...(spec.host !== undefined && { address: `${spec.host}:${spec.port ?? 0}` }),
          ...(mode && { mode }),
          ...(spec.replicas !== undefined && { scale: { count: spec.replicas } }),
          ...(spec.items && { items: spec.items }),
        },
      }),
      ...(status && { status: { state: status.phase, count: status.replicas } }),
    };
  }
  const [host, port] = (spec?.address ?? "").split(":");
  const notes = spec?.mode ? { ...annotations, [MODE]: spec.mode } : annotations;
  return {
    apiVersion: desired,
    kind: door.kind,
    metadata: { ...metadata, ...(notes && { annotations: notes }) },
    ...(spec && {
      spec: {
        ...(spec.address !== undefined && { host, port: Number(port) }),
        ...(spec.scale?.count !== undefined && { replicas: spec.scale.count }),
        ...(spec.items && { items: spec.items }),
      },
    }),
    ...(status && { status: { phase: status.state, replicas: status.count } }),
  };
}

const ITEMS = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
  items: {
    type: "object",
    required: ["name"],
    properties: { name: { type: "string" }, value: { type: "string" } },
  },
};

function versions(storage: string): Json[] {
  const text = { type: "string" }, count = { type: "integer" };
  const object = (properties: Json) => ({ type: "object", properties });
  const version = (
    name: string,
    field: string,
    replicas: [spec: string, status: string],
    spec: Json,
    status: Json,
  ) => ({
    name,
    served: true,
    storage: storage === name,
    subresources: {
      status: {},
      scale: { specReplicasPath: `.spec.${replicas[0]}`, statusReplicasPath: `.status.${replicas[1]}` },
    },
    selectableFields: [{ jsonPath: `.spec.${field}` }],
    additionalPrinterColumns: [{ name: field, type: "string", jsonPath: `.spec.${field}` }],
    schema: { openAPIV3Schema: object({ spec: object({ ...spec, items: ITEMS }), status: object(status) }) },
  });
  const first = { host: text, port: { type: "integer", minimum: 0 }, replicas: count };
  const address = { type: "string", pattern: "^[^:]+:\\d+$" };
  const second = { address, mode: { type: "string", default: "open" }, scale: object({ count }) };
  return [
    version("v1", "host", ["replicas", "replicas"], first, { phase: text, replicas: count }),
    version("v2", "address", ["scale.count", "count"], second, { state: text, count }),
  ];
}

/** The definition of doors in two versions. */
export function doorDefinition(group: string, conversion: Json, storage: string = "v1"): Json {
  const crd: Json = crdOf({ group, kind: "Door", plural: "doors" }, ...versions(storage));
  return { ...crd, spec: { ...crd.spec, conversion } };
}

/** A conversion webhook of one case, on a loopback port of this process, and the CRD of two versions that it is for. */
export class ConversionServer implements AsyncDisposable {
  readonly #authority = new CertificateAuthority(Date.now());
  #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #port: number;
  /** What was asked, oldest first. */
  readonly reviews: Review[] = [];
  /** What is said instead of the truth. */
  lie: Lie | undefined;
  readonly group: string;
  /** The path of the definition. */
  readonly crd: string;

  private constructor(readonly test: Case) {
    this.group = `${test.namespace}.example.com`;
    this.crd = `${CRDS}/doors.${this.group}`;
    this.#server = this.#listen(0);
    this.#port = this.#server.addr.port;
  }

  /** Serves, makes the CRD and waits until a server obeys it. */
  static async open(
    test: Case,
    options: { storage?: string; reviewVersions?: string[] } = {},
  ): Promise<ConversionServer> {
    const server = new ConversionServer(test);
    const made = await server.define(options);
    assert.equal(made.code, 201, JSON.stringify(made.body));
    await test.until(server.crd, (object) => {
      const { conditions } = (object?.status ?? {}) as { conditions?: { type: string; status: string }[] | null };
      return conditions?.some(({ type, status }) => type === "Established" && status === "True") === true;
    });
    for (const version of ["v1", "v2"]) await server.list(version);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.delete(this.crd);
    await this.test.until(this.crd, (object) => object === undefined);
    await this.#server.shutdown();
  }

  /** Posts the definition. */
  define(options: { storage?: string; reviewVersions?: string[]; conversion?: Json } = {}): Promise<Answer> {
    return this.test.post(CRDS, this.definition(options));
  }

  /** The definition, of which v1 is stored where nothing else is said. */
  definition(options: { storage?: string; reviewVersions?: string[]; conversion?: Json } = {}): Json {
    return doorDefinition(this.group, options.conversion ?? this.conversion(options.reviewVersions), options.storage);
  }

  /** How the definition says that this webhook converts. */
  conversion(reviewVersions: string[] = ["v1"]): Json {
    return {
      strategy: "Webhook",
      webhook: {
        conversionReviewVersions: reviewVersions,
        clientConfig: {
          url: `https://127.0.0.1:${this.#port}/convert`,
          caBundle: Buffer.from(this.#authority.certificate).toString("base64"),
        },
      },
    };
  }

  /** The path of the doors, in a version. */
  path(version: string, name?: string): string {
    return this.test.in(`${this.group}/${version}`, "doors", name);
  }

  /** A door as a client writes it. */
  door(version: string, name: string, spec: Json, metadata: Json = {}): Json {
    return { apiVersion: `${this.group}/${version}`, kind: "Door", metadata: { name, ...metadata }, spec };
  }

  /** A door that was created. */
  async make(version: string, name: string, spec: Json, metadata: Json = {}): Promise<Json> {
    const made = await this.test.post(this.path(version), this.door(version, name, spec, metadata));
    assert.equal(made.code, 201, JSON.stringify(made.body));
    return made.body;
  }

  /** The door, read. */
  async read(version: string, name: string): Promise<Json> {
    const { code, body } = await this.test.get(this.path(version, name));
    assert.equal(code, 200, JSON.stringify(body));
    return body;
  }

  /** Applies a door as a manager. */
  apply(version: string, name: string, manager: string, spec: Json, query: string = ""): Promise<Answer> {
    const path = `${this.path(version, name)}?fieldManager=${manager}${query}`;
    return this.test.patch(path, "apply", this.door(version, name, spec));
  }

  /** Lists a version, when it is served: by a real server some moments after the definition came or changed. */
  async list(version: string): Promise<Answer> {
    for (let asked = 1;; asked++) {
      const listed = await this.test.get(this.path(version));
      if ((listed.code !== 404 && listed.code !== 429) || asked === 5_000) return listed;
    }
  }

  /** Changes the definition and waits until a server obeys it: it then ends the watches of before. */
  async change(edit: (spec: Json) => void): Promise<void> {
    await using watch = await this.test.watch(`${this.path("v2")}?watch=1&resourceVersion=0&timeoutSeconds=60`);
    const { body } = await this.test.get(this.crd);
    edit(body.spec);
    const changed = await this.test.put(this.crd, body);
    assert.equal(changed.code, 200, JSON.stringify(changed.body));
    while (await watch.next());
  }

  /** Serves no longer, until {@linkcode start}. */
  async stop(): Promise<void> {
    await this.#server.shutdown();
  }

  /** Serves again, at the same place. */
  start(): void {
    this.#server = this.#listen(this.#port);
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { certificate: cert, key } = this.#authority.issue({ commonName: "c" }, {
      kind: "server",
      names: ["127.0.0.1"],
    });
    return Deno.serve(
      { hostname: "127.0.0.1", port, cert, key, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  async #answer(http: Request): Promise<Response> {
    const { request, ...review } = await http.json();
    this.reviews.push({ apiVersion: review.apiVersion, desired: request.desiredAPIVersion, objects: request.objects });
    const convertedObjects = request.objects.map((object: Json) => converted(object, request.desiredAPIVersion));
    const truth = {
      apiVersion: review.apiVersion,
      kind: review.kind,
      response: { uid: request.uid, result: { status: "Success" }, convertedObjects },
    };
    const said = await this.lie?.(request, truth) ?? truth;
    if (typeof said === "string") return new Response(said, { headers: { "content-type": "application/json" } });
    if (said instanceof Response) return said;
    return Response.json(said);
  }
}
