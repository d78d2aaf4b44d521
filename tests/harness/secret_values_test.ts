import assert from "node:assert/strict";
import { SecretValues } from "../../lib/harness/secret_values.ts";

const PATH = "/api/v1/namespaces/a/secrets/token", VALUE = "correct horse", KEY = "one\ntwo-lines\n";
const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

function noted(body: unknown, path = PATH): SecretValues {
  const values = new SecretValues();
  values.note(path, JSON.stringify(body));
  return values;
}

for (
  const [form, body] of Object.entries({
    "data": { kind: "Secret", data: { a: base64(VALUE) } },
    "stringData": { kind: "Secret", stringData: { a: VALUE } },
    "a list": { kind: "SecretList", items: [{ data: { a: base64(VALUE) } }] },
    "a merge patch": { data: { a: base64(VALUE), b: null } },
    "a JSON patch of one key": [{ op: "replace", path: "/data/a", value: base64(VALUE) }],
    "a JSON patch of all": [{ op: "add", path: "/stringData", value: { a: VALUE } }],
  })
) {
  Deno.test(`what a Secret holds in ${form} is hidden, as it stands and in base64`, () => {
    const values = noted(body);
    assert.equal(values.hide(`found ${VALUE}, ${base64(VALUE)}.`), "found [secret], [secret].");
  });
}

Deno.test("each line of a value, and a value in JSON, is hidden; a word of five letters is not", () => {
  const values = noted({ stringData: { a: KEY, b: `say "friend"`, c: "enter" } });
  assert.equal(values.hide(`+ 'one\\n' +\n+ 'two-lines\\n'`), `+ 'one\\n' +\n+ '[secret]\\n'`);
  assert.equal(values.hide(JSON.stringify({ b: `say "friend"` })), `{"b":"[secret]"}`);
  assert.equal(values.hide("enter"), "enter");
});

Deno.test("other kinds hold no secrets, and what is no object is no reason to fail", () => {
  assert.equal(noted({ data: { a: VALUE } }, "/api/v1/namespaces/a/configmaps/secrets-of-a").hide(VALUE), VALUE);
  for (const body of ["", "{", "null", "[1, null]", `{"data":[1],"stringData":7,"items":{"a":1}}`]) {
    const values = new SecretValues();
    values.note(PATH, body);
    assert.equal(values.hide(VALUE), VALUE);
  }
});

Deno.test("texts are replaced however deep they are, and everything else stays", () => {
  const values = noted({ stringData: { a: VALUE } });
  const found = values.hideIn({ a: [VALUE, 1, null, { b: `<${VALUE}>` }], c: undefined, d: true });
  assert.deepEqual(found, { a: ["[secret]", 1, null, { b: "<[secret]>" }], c: undefined, d: true });
});
