import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** A certificate and its key as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test file. */
export class TestAuthority {
  private constructor(readonly certificate: x509.X509Certificate, readonly keys: CryptoKeyPair) {}

  /** The authority's certificate as PEM. */
  get pem(): string {
    return this.certificate.toString("pem");
  }

  static async create(name = "test authority"): Promise<TestAuthority> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() - 3_650 * DAY_MS),
      notAfter: new Date(Date.now() + 30 * DAY_MS),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  /** Issues a certificate that is valid from yesterday for `days` (negative: it has expired). */
  async issue(name: string, names: x509.JsonGeneralName[], days = 30): Promise<Identity> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: this.certificate.subject,
      signingKey: this.keys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() + Math.min(days - 1, -1) * DAY_MS),
      notAfter: new Date(Date.now() + days * DAY_MS),
      extensions: [
        new x509.SubjectAlternativeNameExtension(names),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ],
    });
    const base64 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toBase64();
    const key = `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)!.join("\n")}\n-----END PRIVATE KEY-----\n`;
    return { cert: certificate.toString("pem"), key };
  }
}
