import { Buffer } from "node:buffer";
import { validUntilMs } from "../../base/certificates.ts";
import { certificatesIn } from "../../admission/certificate_secret.ts";

/**
 * Why a `caBundle` is unusable; the text follows the webhook's name. Undefined if a certificate is valid at `nowMs`,
 * the API server's time.
 */
export function caBundleProblem(caBundle: string | undefined, nowMs: number): string | undefined {
  if (!caBundle) return "the caBundle is empty, so API servers trust no response";
  const ends = certificatesIn(Buffer.from(caBundle, "base64").toString()).map(endOf).filter((end) =>
    !Number.isNaN(end)
  );
  if (ends.length === 0) return "the caBundle has no certificate, so API servers trust no response";
  const lastMs = Math.max(...ends);
  if (lastMs > nowMs) return undefined;
  const date = new Date(lastMs).toISOString();
  return `the CA certificate in the caBundle expired at ${date}, so API servers trust no response`;
}

function endOf(certificate: string): number {
  try {
    return validUntilMs(certificate);
  } catch {
    return NaN;
  }
}
