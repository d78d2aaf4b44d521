import { createPrivateKey, X509Certificate } from "node:crypto";
import { CertificateAuthority, type Identity, refusalOf, validUntilMs } from "../base/certificates.ts";

/** The certificates of an operator's webhooks, shared by all replicas. */
export interface ServingCertificates {
  readonly serving: Identity;
  /** Served once API servers trust its authority. */
  readonly next?: Identity;
  /** To be trusted by API servers, PEM: that of `serving`, and during a rotation the other one; the newest last. */
  readonly authorities: readonly string[];
  /** When the last step was taken, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

export interface RotationBounds {
  readonly lifetimeMs: number;
  /** A rotation begins so long before the end. */
  readonly renewBeforeMs: number;
  /** Between two steps, for all replicas and API servers to see the last one. */
  readonly settleMs: number;
}

const DAY_MS = 86_400_000;

/** Ninety days, renewed after sixty. */
export const ROTATION_DEFAULTS: RotationBounds = {
  lifetimeMs: 90 * DAY_MS,
  renewBeforeMs: 30 * DAY_MS,
  settleMs: 600_000,
};

/**
 * The due step. A rotation goes `announce` (API servers trust both authorities), `switch` (servers serve the new
 * certificate), `retire` (the old authority is removed), with a pause before each of the last two: callers trust every
 * served certificate. `issue` is for a first certificate, and for one that ended without a rotation.
 */
export function rotationStep(
  present: ServingCertificates | undefined,
  nowMs: number,
  { renewBeforeMs, settleMs }: RotationBounds,
): "issue" | "announce" | "switch" | "retire" | "keep" {
  if (!present) return "issue";
  const leftMs = validUntilMs(present.serving.certificate) - nowMs, settled = nowMs - present.sinceMs >= settleMs;
  // No caller accepts an expired one, so the next is no worse.
  if (leftMs <= 0) return present.next ? "switch" : "issue";
  if (present.next) return settled ? "switch" : "keep";
  if (present.authorities.length > 1) return settled ? "retire" : "keep";
  return leftMs <= renewBeforeMs ? "announce" : "keep";
}

/** Every new certificate has its own authority, whose key is not kept. */
export function afterStep(
  step: Exclude<ReturnType<typeof rotationStep>, "keep">,
  present: ServingCertificates | undefined,
  { names, nowMs, lifetimeMs }: {
    readonly names: readonly string[];
    readonly nowMs: number;
    readonly lifetimeMs: number;
  },
): ServingCertificates {
  if (step === "issue" || !present) {
    const { identity, authority } = issueServing(names, nowMs, lifetimeMs);
    return { serving: identity, authorities: [authority], sinceMs: nowMs };
  }
  switch (step) {
    case "announce": {
      const { identity, authority } = issueServing(names, nowMs, lifetimeMs);
      return { ...present, next: identity, authorities: [...present.authorities, authority], sinceMs: nowMs };
    }
    case "switch":
      return { serving: present.next!, authorities: present.authorities, sinceMs: nowMs };
    case "retire":
      return { ...present, authorities: signersOf(present.serving, present.authorities).slice(-1), sinceMs: nowMs };
    default:
      return step satisfies never;
  }
}

/**
 * Why the certificates are unusable at `nowMs`, if so; the text follows the Secret's name. An ended one is usable:
 * {@linkcode rotationStep} replaces it.
 */
export function faultOf(
  { serving, authorities, sinceMs }: Pick<ServingCertificates, "serving" | "authorities" | "sinceMs">,
  { names, nowMs }: { readonly names: readonly string[]; readonly nowMs: number },
): string | undefined {
  const certificate = new X509Certificate(serving.certificate);
  if (!isKeyOf(serving.key, certificate)) return "the key does not belong to the certificate";
  const refusal = refusalOf(serving.certificate, "server");
  if (refusal) return `the certificate ${refusal}`;
  const signed = authorities.filter((each) => isSignedBy(certificate, each)), usable = signersOf(serving, signed);
  if (signed.length === 0) return "the certificate is not signed by an authority of ca.crt";
  if (usable.length === 0) return `its authority ${refusalOf(signed[0]!, "authority")}`;
  const signers = usable.map((each) => new X509Certificate(each));
  const lacking = names.find((name) => certificate.checkHost(name, { subject: "never" }) === undefined);
  if (lacking) return `the certificate is not for ${lacking}`;
  if (certificate.validFromDate.getTime() > nowMs) {
    return `the certificate is not valid before ${certificate.validFrom}`;
  }
  const endMs = validUntilMs(serving.certificate);
  if (endMs > nowMs && signers.every(({ validToDate }) => validToDate.getTime() <= nowMs)) {
    return "its authority has expired";
  }
  // The next step would wait for that time.
  return sinceMs > nowMs + DAY_MS ? "its last step is dated in the future" : undefined;
}

/** PEM authorities that signed a certificate and that TLS clients accept. */
export function signersOf({ certificate }: Identity, authorities: readonly string[]): string[] {
  const signed = new X509Certificate(certificate);
  return authorities.filter((authority) => isSignedBy(signed, authority) && !refusalOf(authority, "authority"));
}

function isSignedBy(certificate: X509Certificate, authority: string): boolean {
  try {
    const { publicKey, subject } = new X509Certificate(authority);
    return subject === certificate.issuer && certificate.verify(publicKey);
  } catch {
    return false; // no certificate at all, or one of another kind of key
  }
}

function isKeyOf(key: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false; // no key at all
  }
}

/** Its authority signs only this one. */
export function issueServing(
  names: readonly string[],
  nowMs: number,
  lifetimeMs: number,
): { readonly identity: Identity; readonly authority: string } {
  // Clients confuse two authorities of one name in a bundle.
  const authority = new CertificateAuthority(nowMs, {
    commonName: `webhooks ${new Date(nowMs).toISOString()}`,
    lifetimeMs,
  });
  const identity = authority.issue({ commonName: names[0]!.slice(0, 64) }, { kind: "server", names });
  return { identity, authority: authority.certificate };
}
