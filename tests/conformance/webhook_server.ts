import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CertificateAuthority } from "../../lib/apiserver/mod.ts";
import type { JsonPatchOperation } from "../../lib/apimachinery/mod.ts";
import type { Answer, Case } from "./conformance_case.ts";

/** An AdmissionReview's request. */
// deno-lint-ignore no-explicit-any -- the cases look into JSON of any shape
export type Request = any;

/** What a webhook of a case says; a text is the body of an answer, and undefined a plain yes. */
export type Reply = Record<string, unknown> | string | undefined;

/** A webhook as a configuration lists it. */
export interface WebhookFields extends Record<string, unknown> {
  readonly name: string;
  readonly clientConfig: { readonly url: string; readonly caBundle: string };
}

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1";

/** A patch, as a webhook answers with it. */
export function patch(...operations: JsonPatchOperation[]): Record<string, unknown> {
  return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(operations)).toString("base64") };
}

/** The webhooks of one case, on a loopback port of this process, for its own namespace only. */
export class WebhookServer implements AsyncDisposable {
  readonly #test: Case;
  readonly #authority = new CertificateAuthority(Date.now());
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #answers = new Map<string, (request: Request) => Promise<Reply> | Reply>();
  readonly #reached = new Set<string>();
  readonly #made: string[] = [];
  /** What the case asked for: the webhook and the request. */
  readonly seen: { readonly webhook: string; readonly request: Request }[] = [];

  constructor(test: Case) {
    this.#test = test;
    const { certificate: cert, key } = this.#authority.issue({ commonName: "w" }, {
      kind: "server",
      names: ["127.0.0.1"],
    });
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#made) await this.#test.delete(path);
    await this.#server.shutdown();
  }

  /** A webhook of ConfigMaps and of what `more` says, which answers with `reply`. */
  webhook(
    name: string,
    reply: (request: Request) => Promise<Reply> | Reply,
    more: Record<string, unknown> = {},
  ): WebhookFields {
    this.#answers.set(name, reply);
    return {
      name: `${name}.case.example.com`,
      clientConfig: {
        url: `https://127.0.0.1:${this.#server.addr.port}/${name}`,
        caBundle: Buffer.from(this.#authority.certificate).toString("base64"),
      },
      rules: [{
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE", "DELETE"],
        resources: ["configmaps"],
      }],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": this.#test.namespace } },
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      ...more,
    };
  }

  /** Stores a configuration and, unless nothing of it can be reached, waits until the server obeys it. */
  async install(
    phase: "mutating" | "validating",
    webhooks: readonly { readonly name: string }[],
    options: { readonly name?: string; readonly until?: () => Promise<boolean> } = {},
  ): Promise<Answer> {
    const name = `${this.#test.namespace}-${options.name ?? phase}`,
      path = `${CONFIGURATIONS}/${phase}webhookconfigurations`;
    const made = await this.#test.post(path, { metadata: { name }, webhooks });
    if (made.code !== 201) return made;
    this.#made.push(`${path}/${name}`);
    const expected = webhooks.map((webhook) => webhook.name.split(".")[0]!);
    const until = options.until ?? (async () => {
      await this.#test.post(`${this.#test.core("configmaps")}?dryRun=All`, {
        metadata: { name: "probe", labels: { probe: "" } },
      });
      return expected.every((each) => this.#reached.has(each));
    });
    for (let attempt = 0; !(await until()); attempt++) assert.ok(attempt < 5_000, "the webhooks are never called");
    return made;
  }

  async #answer(http: globalThis.Request): Promise<Response> {
    const webhook = new URL(http.url).pathname.slice(1), { request, ...review } = await http.json();
    assert.deepEqual(review, { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" });
    this.#reached.add(webhook);
    // A control plane puts its authority into each new namespace, at whatever moment.
    const isProbe = request.name === "probe" || request.name === "kube-root-ca.crt";
    if (!isProbe) this.seen.push({ webhook, request });
    const reply = isProbe ? undefined : await this.#answers.get(webhook)!(request);
    if (typeof reply === "string") return new Response(reply, { headers: { "content-type": "application/json" } });
    return Response.json({ ...review, response: { uid: request.uid, allowed: true, ...reply } });
  }
}
