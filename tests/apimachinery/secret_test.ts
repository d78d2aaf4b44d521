import { MASKED } from "../../lib/base/mask.ts";
import assert from "node:assert/strict";
import { learnSecrets } from "../../lib/apimachinery/mod.ts";
import { Mask } from "../../lib/base/mod.ts";

const VALUE = "correct horse", base64 = (text: string) => new TextEncoder().encode(text).toBase64();
const applied = JSON.stringify({ kind: "Secret", stringData: { a: VALUE } });

function learned(body: unknown, ofSecrets = true): Mask {
  const mask = new Mask();
  learnSecrets(mask, body, { ofSecrets });
  return mask;
}

for (
  const [form, body] of Object.entries({
    "data": { data: { a: base64(VALUE) } },
    "stringData": { stringData: { a: VALUE } },
    "the annotation of kubectl apply": {
      metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": applied } },
    },
    "a list": { kind: "SecretList", items: [{ data: { a: base64(VALUE) } }] },
    "a merge patch": { data: { a: base64(VALUE), b: null } },
    "a JSON patch of one key": [{ op: "replace", path: "/data/a", value: base64(VALUE) }],
    "a JSON patch of all": [{ op: "add", path: "/stringData", value: { a: VALUE } }],
    "a JSON patch of the object": [{ op: "replace", path: "", value: { data: { a: base64(VALUE) } } }],
    "a JSON patch of the annotation of kubectl apply": [{
      op: "add",
      path: "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
      value: applied,
    }],
    "a JSON patch of all annotations": [{
      op: "add",
      path: "/metadata/annotations",
      value: { "kubectl.kubernetes.io/last-applied-configuration": applied },
    }],
    "one of several fields that hold no keys": { data: "first", stringData: VALUE, datta: "third" },
    "data that is not encoded": { data: { a: VALUE } },
    "a field that no Secret has": { dataa: { a: VALUE } },
    "keys that objects inherit": JSON.parse(`{"data":{"__proto__":"${base64(VALUE)}","constructor":"YQ=="}}`),
  })
) {
  Deno.test(`the values of a Secret in ${form} are learned, unchanged and in base64`, () => {
    const mask = learned(body);
    assert.equal(mask.text(`found ${VALUE}, ${base64(VALUE)}.`), `found ${MASKED}, ${MASKED}==.`);
  });
}

Deno.test("a Secret is found by its kind where the request does not name it, also in a list of several kinds", () => {
  const secret = { apiVersion: "v1", kind: "Secret", stringData: { a: VALUE } };
  for (const body of [secret, [secret], { kind: "List", items: [secret] }]) {
    assert.equal(learned(body, false).text(VALUE), MASKED);
  }
});

Deno.test("a number that a server would refuse is learned as the server would quote it", () => {
  assert.equal(learned({ data: { pin: 12345678 } }).text("got 12345678, want string"), `got ${MASKED}, want string`);
});

// FR-281
Deno.test("the name and the namespace of a Secret are public, although its data contains them", () => {
  const mask = learned({
    metadata: { name: "shop-token", namespace: "kube-system" },
    data: { namespace: base64("kube-system"), name: base64("shop-token"), token: base64(VALUE) },
  });
  assert.equal(mask.text(`kube-system/shop-token: ${VALUE}`), `kube-system/shop-token: ${MASKED}`);
});

Deno.test("other kinds hold no secrets, and other JSON values are ignored", () => {
  const map = { apiVersion: "v1", kind: "ConfigMap", data: { a: VALUE } };
  for (
    const body of [map, { kind: "ConfigMapList", items: [map] }, {
      kind: "Secret",
      apiVersion: "x.io/v1",
      data: { a: VALUE },
    }]
  ) {
    assert.equal(learned(body, false).text(VALUE), VALUE);
  }
  for (const body of [undefined, null, "", 1, [1, null], { data: [1], stringData: 7, items: { a: 1 } }]) {
    assert.equal(learned(body).text(VALUE), VALUE);
  }
});

Deno.test("strings are replaced at any depth, and everything else stays", () => {
  const found = learned({ stringData: { a: VALUE } }).json({
    a: [VALUE, 1, null, { b: `<${VALUE}>` }],
    c: undefined,
    d: true,
  });
  assert.deepEqual(found, { a: [MASKED, 1, null, { b: `<${MASKED}>` }], c: undefined, d: true });
});
