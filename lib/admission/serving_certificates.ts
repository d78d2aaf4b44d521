import { createPrivateKey, X509Certificate } from "node:crypto";
import { CertificateAuthority, type Identity, refusalOf, validUntilMs } from "../base/certificates.ts";

/** The certificates of an operator's webhooks, as all its replicas share them. */
export interface ServingCertificates {
  /** What the servers show. */
  readonly serving: Identity;
  /** What they will show once API servers trust its authority. */
  readonly next?: Identity;
  /**
   * Authorities that API servers are to trust, PEM: that of `serving`, and during a rotation the other one; the newest
   * last.
   */
  readonly authorities: readonly string[];
  /** When the last step was taken, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** When certificates are renewed. */
export interface RotationBounds {
  readonly lifetimeMs: number;
  /** So long before the end a rotation begins. */
  readonly renewBeforeMs: number;
  /** Between two steps of a rotation: until everybody has seen the last one. */
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
 * What is to be done about certificates now. A rotation goes `announce` (API servers trust both authorities), `switch`
 * (servers show the new certificate), `retire` (the old authority goes), with a pause before each of the last two: so
 * at every moment whatever a server shows is trusted by whoever calls it. `issue` is for a beginning, and where a
 * rotation never came.
 */
export function rotationStep(
  present: ServingCertificates | undefined,
  nowMs: number,
  { renewBeforeMs, settleMs }: RotationBounds,
): "issue" | "announce" | "switch" | "retire" | "keep" {
  if (!present) return "issue";
  const leftMs = validUntilMs(present.serving.certificate) - nowMs, settled = nowMs - present.sinceMs >= settleMs;
  // One that has ended is trusted by nobody: the next one cannot do worse.
  if (leftMs <= 0) return present.next ? "switch" : "issue";
  if (present.next) return settled ? "switch" : "keep";
  if (present.authorities.length > 1) return settled ? "retire" : "keep";
  return leftMs <= renewBeforeMs ? "announce" : "keep";
}

/** The certificates after a step. Every new one has an authority of its own, whose key nobody keeps. */
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
 * Why no caller could use the certificates at `nowMs`, in words that follow a Secret's name; undefined where they can.
 * One that has ended is no fault: {@linkcode rotationStep} replaces it.
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
    return "its authority has ended";
  }
  // The next step of a rotation would wait for that time.
  return sinceMs > nowMs + DAY_MS ? "its last step lies in the future" : undefined;
}

/** Those of some authorities (PEM) that signed a certificate and that TLS clients accept as authorities. */
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

/** A certificate for the names of a server, and the authority that signed it and nothing else. */
export function issueServing(
  names: readonly string[],
  nowMs: number,
  lifetimeMs: number,
): { readonly identity: Identity; readonly authority: string } {
  // Two authorities of one name in a bundle would be taken for each other.
  const authority = new CertificateAuthority(nowMs, {
    commonName: `webhooks ${new Date(nowMs).toISOString()}`,
    lifetimeMs,
  });
  const identity = authority.issue({ commonName: names[0]!.slice(0, 64) }, { kind: "server", names });
  return { identity, authority: authority.certificate };
}
