import assert from "node:assert/strict";
import { conversionFit, conversionPatch, converterOf, webhookConversion } from "../../lib/admission/crd_conversion.ts";

const service = { namespace: "shop-system", name: "shop-webhook" };
const crd = (conversion?: unknown) => ({ metadata: { name: "disks.example.com" }, spec: { group: "x", conversion } });
const declared = crd(webhookConversion({ service }));

Deno.test("a CRD names the Service, its path and the version of the review", () => {
  assert.deepEqual(declared.spec.conversion, {
    strategy: "Webhook",
    webhook: {
      clientConfig: { service: { ...service, path: "/convert", port: 443 } },
      conversionReviewVersions: ["v1"],
    },
  });
  assert.deepEqual(converterOf(declared), { service: { ...service, path: "/convert", port: 443 } });
  for (const none of [undefined, { strategy: "None" }]) assert.equal(converterOf(crd(none)), undefined);
});

Deno.test("a declared CRD is applied unchanged where none exists, or one without a webhook or with the Service", () => {
  const trusted = crd(webhookConversion({ service }, ["pem"]));
  for (const live of [undefined, crd({ strategy: "None" }), trusted]) {
    assert.deepEqual(conversionFit(declared, live, false), { object: declared });
    assert.deepEqual(conversionFit(declared, live, true), { object: declared });
  }
});

// FR-257
Deno.test("a URL is replaced by the Service before the apply, or kept where requested", () => {
  const live = crd(webhookConversion({ url: "https://10.0.0.1:9443" }, ["pem"]));
  const { first, object } = conversionFit(declared, live, false);
  assert.equal(object, declared);
  assert.deepEqual(first, conversionPatch({ service }));
  const { clientConfig } = (first!.spec as { conversion: { webhook: { clientConfig: object } } }).conversion.webhook;
  assert.deepEqual(clientConfig, { url: null, caBundle: null, service: { ...service, path: "/convert", port: 443 } });
  const kept = conversionFit(declared, live, true);
  assert.equal(kept.first, undefined);
  assert.deepEqual(converterOf(kept.object), { url: "https://10.0.0.1:9443/convert" });
});

// FR-257
Deno.test("a kind without conversion drops the former webhook first: an apply would leave the authority, and be refused", () => {
  const bare = crd();
  assert.deepEqual(conversionFit(bare, crd(webhookConversion({ service }, ["pem"])), false), {
    first: { spec: { conversion: { strategy: "None", webhook: null } } },
    object: bare,
  });
  assert.deepEqual(conversionFit(bare, crd({ strategy: "None" }), false), { object: bare });
});
