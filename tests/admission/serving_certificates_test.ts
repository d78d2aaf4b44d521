import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  afterStep,
  faultOf,
  issueServing,
  ROTATION_DEFAULTS,
  rotationStep,
  type ServingCertificates,
} from "../../lib/admission/serving_certificates.ts";
import { CertificateAuthority } from "../../lib/base/certificates.ts";
import { fromSecret, toSecret } from "../../lib/admission/certificate_secret.ts";

const DAY_MS = 86_400_000, START_MS = Date.parse("2030-01-01T00:00:00Z");
const { settleMs, lifetimeMs } = ROTATION_DEFAULTS;
const take = (step: Parameters<typeof afterStep>[0], present: ServingCertificates | undefined, nowMs: number) =>
  afterStep(step, present, { names: ["w.shop.svc"], nowMs, lifetimeMs });
const due = (present: ServingCertificates | undefined, nowMs: number) =>
  rotationStep(present, nowMs, ROTATION_DEFAULTS);
const trusts = ({ authorities }: ServingCertificates, { certificate }: { certificate: string }) =>
  authorities.some((authority) => new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey));

// FR-247
Deno.test("a rotation trusts a certificate before it is served, and serves it before the old authority is removed", () => {
  assert.equal(due(undefined, START_MS), "issue");
  const first = take("issue", undefined, START_MS);
  assert.ok(trusts(first, first.serving));
  assert.equal(due(first, START_MS + 59 * DAY_MS), "keep");
  const begin = START_MS + 60 * DAY_MS;
  assert.equal(due(first, begin), "announce");
  const announced = take("announce", first, begin);
  assert.deepEqual(announced.serving, first.serving);
  assert.ok(trusts(announced, first.serving) && trusts(announced, announced.next!));
  assert.equal(due(announced, begin + settleMs - 1), "keep", "not before every API server has seen it");
  assert.equal(due(announced, begin + settleMs), "switch");
  const switched = take("switch", announced, begin + settleMs);
  assert.deepEqual([switched.serving, switched.next], [announced.next, undefined]);
  assert.ok(trusts(switched, first.serving), "replicas that have not looked yet show the old one");
  assert.equal(due(switched, begin + 2 * settleMs - 1), "keep");
  assert.equal(due(switched, begin + 2 * settleMs), "retire");
  const retired = take("retire", switched, begin + 2 * settleMs);
  assert.ok(trusts(retired, retired.serving) && !trusts(retired, first.serving));
  assert.equal(due(retired, begin + 3 * settleMs), "keep");
});

// FR-247
Deno.test("certificates that ended between two checks are replaced at once", () => {
  const first = take("issue", undefined, START_MS), late = START_MS + lifetimeMs + 1;
  assert.equal(due(first, late), "issue");
  const announced = take("announce", first, START_MS + 89 * DAY_MS);
  assert.equal(due(announced, late), "switch", "the next one is there and trusted");
});

// FR-247
Deno.test("certificates are read back from their Secret, which holds no key of an authority", () => {
  const announced = take("announce", take("issue", undefined, START_MS), START_MS);
  const secret = toSecret({ namespace: "shop", name: "w" }, announced, {});
  assert.deepEqual(fromSecret(secret), announced);
  const { data } = secret as unknown as { data: Record<string, string> };
  assert.deepEqual(Object.keys(data), ["tls.crt", "tls.key", "ca.crt", "next.crt", "next.key"]);
  for (const broken of ["tls.crt", "tls.key", "ca.crt"]) {
    assert.equal(fromSecret({ ...secret, data: { ...data, [broken]: btoa("nothing") } }), undefined, broken);
  }
  assert.equal(fromSecret({ ...secret, data: undefined }), undefined);
});

// FR-350
Deno.test("certificates are good for callers where key, authority, names, times and the last step fit", () => {
  const names = ["w.shop.svc"], good = take("issue", undefined, START_MS), other = take("issue", undefined, START_MS);
  const fault = (changed: Partial<ServingCertificates>, nowMs = START_MS) =>
    faultOf({ ...good, ...changed }, { names, nowMs });
  assert.equal(fault({}), undefined);
  assert.equal(fault({ authorities: [...other.authorities, ...good.authorities] }), undefined);
  assert.equal(fault({}, START_MS + lifetimeMs + 1), undefined, "one that has ended is replaced by a rotation");
  assert.match(fault({ authorities: other.authorities })!, /not signed by an authority of ca.crt/);
  assert.match(fault({ serving: { ...good.serving, key: other.serving.key } })!, /key does not belong/);
  assert.match(fault({ serving: { ...good.serving, key: "PRIVATE KEY" } })!, /key does not belong/);
  assert.match(faultOf(good, { names: [...names, "w.other.svc"], nowMs: START_MS })!, /not for w.other.svc/);
  const authority = new CertificateAuthority(START_MS),
    client = authority.issue({ commonName: "w" }, { kind: "client" });
  const byClient = { serving: client, authorities: [authority.certificate] };
  assert.match(fault(byClient)!, /certificate is not for servers/);
  const byItself = {
    serving: { certificate: authority.certificate, key: client.key },
    authorities: byClient.authorities,
  };
  assert.match(fault(byItself)!, /key does not belong/);
  assert.match(fault({}, START_MS - DAY_MS)!, /not valid before/);
  assert.match(fault({ sinceMs: START_MS + 2 * DAY_MS })!, /last step is dated in the future/);
});

// FR-350
Deno.test("an authority that is retired is never the one of the certificate that is served", () => {
  const first = take("issue", undefined, START_MS), { authority } = issueServing(["w.shop.svc"], START_MS, lifetimeMs);
  const retired = take("retire", { ...first, authorities: [...first.authorities, authority] }, START_MS + settleMs);
  assert.deepEqual(retired.authorities, first.authorities);
});
