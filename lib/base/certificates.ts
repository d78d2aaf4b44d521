import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { bits, elements, integer, objectId, octets, pem, sequence, setOf, tagged, TRUE, utcTime, utf8 } from "./der.ts";

/** PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

type CertificatePurpose = { readonly kind: "server"; readonly names: readonly string[] } | {
  readonly kind: "client";
};

/** `commonName` is Kubernetes' user, `organizations` are its groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

const DAY_MS = 86_400_000;
/** Clients' clocks may be behind. */
const BACKDATED_MS = 300_000;
const ID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;
const ALGORITHM = sequence(objectId(ID.ecdsaWithSha256));

/** What today's TLS clients accept: ECDSA, RSA and RSA-PSS with SHA-2, Ed25519. */
const SIGNATURES: readonly string[] = [
  ...["2", "3", "4"].map((hash) => `1.2.840.10045.4.3.${hash}`),
  ...["10", "11", "12", "13"].map((scheme) => `1.2.840.113549.1.1.${scheme}`),
  "1.3.101.112",
];
const RSA_BITS = { min: 2048, max: 8192 };
const ANY_USAGE = "2.5.29.37.0";
/** The keyUsage bit for signing certificates (RFC 5280 §4.2.1.3). */
const KEY_CERT_SIGN = 0x04;

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function newKeys(): Keys {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function nameOf(subject: Subject): Buffer {
  const attribute = (id: string, value: string) => setOf(sequence(objectId(id), utf8(value)));
  const organizations = (subject.organizations ?? []).map((value) => attribute(ID.organization, value));
  return sequence(...organizations, attribute(ID.commonName, subject.commonName));
}

function publicKeyOf(keys: Keys): Buffer {
  return keys.publicKey.export({ type: "spki", format: "der" });
}

function keyId(keys: Keys): Buffer {
  return createHash("sha256").update(publicKeyOf(keys)).digest().subarray(0, 20);
}

function extension(id: string, value: Uint8Array, critical: boolean = false): Buffer {
  return critical ? sequence(objectId(id), TRUE, octets(value)) : sequence(objectId(id), octets(value));
}

function alternativeName(name: string): Buffer {
  if (name.includes(":")) return tagged(7, ipv6Bytes(name), false);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return tagged(7, Buffer.from(name.split(".").map(Number)), false);
  return tagged(2, Buffer.from(name), false);
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const before = groups(head), after = groups(tail);
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Issues X.509 v3 certificates (RFC 5280), ECDSA P-256; its key never leaves the process. */
export class CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly #keys: Keys;
  readonly #subject: Subject;
  readonly #nowMs: number;
  readonly #lifetimeMs: number;

  /** `nowMs` should be the machine's time: clients check validity by theirs. */
  constructor(nowMs: number, options: { commonName?: string; lifetimeMs?: number } = {}) {
    this.#keys = newKeys();
    this.#nowMs = nowMs;
    this.#lifetimeMs = options.lifetimeMs ?? 365 * DAY_MS;
    this.#subject = { commonName: options.commonName ?? "pintle-embedded" };
    this.certificate = this.#sign(this.#subject, this.#keys, [
      extension(ID.basicConstraints, sequence(TRUE), true),
      // keyCertSign and cRLSign.
      extension(ID.keyUsage, bits(Buffer.from([0x06]), 1), true),
    ]);
  }

  issue(subject: Subject, purpose: CertificatePurpose): Identity {
    const keys = newKeys();
    const usage = purpose.kind === "server" ? ID.serverAuth : ID.clientAuth;
    const extensions = [
      extension(ID.basicConstraints, sequence(), true),
      // digitalSignature.
      extension(ID.keyUsage, bits(Buffer.from([0x80]), 7), true),
      extension(ID.extendedKeyUsage, sequence(objectId(usage))),
    ];
    if (purpose.kind === "server") {
      extensions.push(extension(ID.alternativeNames, sequence(...purpose.names.map(alternativeName))));
    }
    const certificate = this.#sign(subject, keys, extensions);
    return { certificate, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  }

  #sign(subject: Subject, keys: Keys, extensions: readonly Buffer[]): string {
    const body = sequence(
      tagged(0, integer(Buffer.from([2])), true),
      integer(randomBytes(16)),
      ALGORITHM,
      nameOf(this.#subject),
      sequence(utcTime(this.#nowMs - BACKDATED_MS), utcTime(this.#nowMs + this.#lifetimeMs)),
      nameOf(subject),
      publicKeyOf(keys),
      tagged(
        3,
        sequence(
          ...extensions,
          extension(ID.subjectKeyId, octets(keyId(keys))),
          extension(ID.authorityKeyId, sequence(tagged(0, keyId(this.#keys), false))),
        ),
        true,
      ),
    );
    const signature = sign("sha256", body, this.#keys.privateKey);
    return pem("CERTIFICATE", sequence(body, ALGORITHM, bits(signature)));
  }
}

/**
 * In milliseconds since the epoch, of a certificate (PEM).
 *
 * @throws {Error} where the text is not a certificate.
 */
export function validUntilMs(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}

/**
 * Why TLS clients refuse a certificate (PEM); the text follows "its certificate" or "its authority". Signature, names
 * and times are not checked. The rules are RFC 5280 §4.2 as in Go, and two stricter ones: RSA keys of at least 2048
 * bits, no name constraints.
 */
export function refusalOf(certificate: string, role: "server" | "authority"): string | undefined {
  try {
    const x509 = new X509Certificate(certificate), { signature, extensions } = partsOf(x509.raw);
    return faultOfKey(x509.publicKey) ??
      (SIGNATURES.some((id) => objectId(id).equals(signature)) ? undefined : "is signed by an outdated algorithm") ??
      faultOfExtensions(extensions, role);
  } catch {
    return "cannot be read";
  }
}

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

function partsOf(certificate: Uint8Array): {
  readonly signature: Buffer;
  readonly extensions: ReadonlyMap<string, Extension>;
} {
  const [body, algorithm] = elements(elements(certificate)[0]!.content);
  const last = elements(body!.content).find(({ tag }) => tag === 0xa3);
  const listed = last ? elements(elements(last.content)[0]!.content) : [];
  const extensions = listed.map(({ content }) => {
    const parts = elements(content), value = parts.at(-1)!.content;
    return [parts[0]!.bytes.toString("hex"), {
      critical: parts.length === 3 && parts[1]!.content[0] !== 0,
      value,
    }] as const;
  });
  if (new Set(extensions.map(([id]) => id)).size < extensions.length) throw new RangeError("an extension occurs twice");
  return { signature: elements(algorithm!.content)[0]!.bytes, extensions: new Map(extensions) };
}

function faultOfKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType !== "rsa" && asymmetricKeyType !== "rsa-pss") return undefined;
  const { min, max } = RSA_BITS, length = asymmetricKeyDetails?.modulusLength ?? 0;
  return length < min || length > max ? `has an RSA key of ${length} bits` : undefined;
}

function faultOfExtensions(
  extensions: ReadonlyMap<string, Extension>,
  role: "server" | "authority",
): string | undefined {
  const valueOf = (id: string) => extensions.get(objectId(id).toString("hex"))?.value;
  const known = new Set(
    [ID.basicConstraints, ID.nameConstraints, ID.keyUsage, ID.extendedKeyUsage, ID.alternativeNames].map((id) =>
      objectId(id).toString("hex")
    ),
  );
  if ([...extensions].some(([id, { critical }]) => critical && !known.has(id))) {
    return "has an unknown critical extension";
  }
  const usages = valueOf(ID.extendedKeyUsage);
  const allowed = usages && elements(elements(usages)[0]!.content).map(({ bytes }) => bytes);
  if (allowed && ![ID.serverAuth, ANY_USAGE].some((id) => allowed.some((each) => objectId(id).equals(each)))) {
    return "is not for servers (extended key usage)";
  }
  if (role === "server") return valueOf(ID.alternativeNames) ? undefined : "has no alternative names";
  if (valueOf(ID.nameConstraints)) return "has name constraints";
  const constraints = valueOf(ID.basicConstraints), usage = valueOf(ID.keyUsage);
  const isAuthority = constraints &&
    elements(elements(constraints)[0]!.content).some(({ bytes }) => bytes.equals(TRUE));
  if (!isAuthority) return "is not an authority (basic constraints)";
  if (usage && !(elements(usage)[0]!.content[1]! & KEY_CERT_SIGN)) return "may not sign certificates (key usage)";
  return undefined;
}
