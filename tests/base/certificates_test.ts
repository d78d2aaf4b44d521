import "reflect-metadata";
import assert from "node:assert/strict";
import * as x509 from "@peculiar/x509";
import { CertificateAuthority, refusalOf } from "../../lib/base/certificates.ts";

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const rsa = (modulusLength: number, hash = "SHA-256") => ({
  name: "RSASSA-PKCS1-v1_5",
  hash,
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
const NAMES = new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "w.shop.svc" }]);

async function certificate(extensions: x509.Extension[], algorithm: EcKeyGenParams | RsaHashedKeyGenParams = ECDSA) {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as CryptoKeyPair;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=w.shop.svc",
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date("2030-01-01"),
    notAfter: new Date("2031-01-01"),
    extensions,
  });
  return made.toString("pem");
}

Deno.test("certificates that the program issues are accepted in their role, and in no other", () => {
  const authority = new CertificateAuthority(Date.parse("2030-01-01T00:00:00Z"));
  const server = authority.issue({ commonName: "w" }, { kind: "server", names: ["w.shop.svc", "10.0.0.1"] });
  const client = authority.issue({ commonName: "u" }, { kind: "client" });
  assert.equal(refusalOf(authority.certificate, "authority"), undefined);
  assert.equal(refusalOf(server.certificate, "server"), undefined);
  assert.equal(refusalOf(server.certificate, "authority"), "is not an authority (basic constraints)");
  assert.equal(refusalOf(client.certificate, "server"), "is not for servers (extended key usage)");
  assert.equal(refusalOf("no certificate", "server"), "cannot be read");
});

// FR-350
Deno.test("a server certificate that TLS clients refuse is refused with the reason", async () => {
  const unknown = new x509.Extension("1.2.3.4", true, new Uint8Array([5, 0]));
  const harmless = new x509.Extension("1.2.3.4", false, new Uint8Array([5, 0]));
  const usage = (...usages: string[]) => new x509.ExtendedKeyUsageExtension(usages);
  const cases: readonly (readonly [string | undefined, Promise<string>])[] = [
    [undefined, certificate([NAMES])],
    [undefined, certificate([NAMES, harmless, usage(clientAuth, serverAuth)])],
    [undefined, certificate([NAMES, usage("2.5.29.37.0")], rsa(2048))],
    ["has no alternative names", certificate([])],
    ["is not for servers (extended key usage)", certificate([NAMES, usage(clientAuth)])],
    ["has an unknown critical extension", certificate([NAMES, unknown])],
    ["has an RSA key of 1024 bits", certificate([NAMES], rsa(1024))],
    ["is signed by an outdated algorithm", certificate([NAMES], rsa(2048, "SHA-1"))],
    ["cannot be read", certificate([NAMES, harmless, harmless])],
  ];
  for (const [expected, made] of cases) assert.equal(refusalOf(await made, "server"), expected);
});

// FR-350
Deno.test("an authority whose certificate may not sign others is refused with the reason", async () => {
  const may = new x509.BasicConstraintsExtension(true, undefined, true);
  const usage = (flags: number) => new x509.KeyUsagesExtension(flags, true);
  // Permits the names under other.com (RFC 5280 §4.2.1.10).
  const constraints = new Uint8Array([0x30, 15, 0xa0, 13, 0x30, 11, 0x82, 9, ...new TextEncoder().encode("other.com")]);
  const cases: readonly (readonly [string | undefined, Promise<string>])[] = [
    [undefined, certificate([may])],
    [undefined, certificate([may, usage(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign)])],
    ["is not an authority (basic constraints)", certificate([])],
    ["is not an authority (basic constraints)", certificate([new x509.BasicConstraintsExtension(false)])],
    ["may not sign certificates (key usage)", certificate([may, usage(x509.KeyUsageFlags.digitalSignature)])],
    ["is not for servers (extended key usage)", certificate([may, new x509.ExtendedKeyUsageExtension([clientAuth])])],
    ["has name constraints", certificate([may, new x509.Extension("2.5.29.30", false, constraints)])],
    ["has name constraints", certificate([may, new x509.Extension("2.5.29.30", true, constraints)])],
  ];
  for (const [expected, made] of cases) assert.equal(refusalOf(await made, "authority"), expected);
});
