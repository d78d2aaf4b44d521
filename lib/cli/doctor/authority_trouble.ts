import { Buffer } from "node:buffer";
import { validUntilMs } from "../../base/certificates.ts";
import { certificatesIn } from "../../admission/certificate_secret.ts";

/**
 * Why API servers trust nobody that a `caBundle` speaks for, in words that follow a name; undefined where there is an
 * authority in it that has not ended. `nowMs` is the API server's time.
 */
export function authorityTrouble(caBundle: string | undefined, nowMs: number): string | undefined {
  if (!caBundle) return "API servers are told no authority, so they trust no answer";
  const ends = certificatesIn(Buffer.from(caBundle, "base64").toString()).map(endOf).filter((end) =>
    !Number.isNaN(end)
  );
  if (ends.length === 0) return "API servers are told no certificate as authority, so they trust no answer";
  const lastMs = Math.max(...ends);
  if (lastMs > nowMs) return undefined;
  const date = new Date(lastMs).toISOString();
  return `the authority that API servers are told ended at ${date}, so they trust no answer`;
}

function endOf(certificate: string): number {
  try {
    return validUntilMs(certificate);
  } catch {
    return NaN;
  }
}
