import { Buffer } from "node:buffer";
import { isObject } from "../base/mod.ts";
import { validUntilMs } from "../base/certificates.ts";
import { type ApiResource, type DynamicObject, formatTime, type ObjectKey } from "../apimachinery/mod.ts";
import type { ServingCertificates } from "./serving_certificates.ts";

export const SECRETS: ApiResource = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };

const SINCE = "pintle.dev/certificates-since";
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

export function certificatesIn(text: string): string[] {
  return text.match(PEM) ?? [];
}

/** Keeps the other content of `found`. */
export function toSecret(
  key: ObjectKey,
  { serving, next, authorities, sinceMs }: ServingCertificates,
  labels: Readonly<Record<string, string>>,
): DynamicObject {
  const data: Record<string, string> = {
    "tls.crt": serving.certificate,
    "tls.key": serving.key,
    "ca.crt": authorities.join(""),
    ...(next && { "next.crt": next.certificate, "next.key": next.key }),
  };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...key, labels: { ...labels }, annotations: { [SINCE]: formatTime(sinceMs) } },
    type: "kubernetes.io/tls",
    data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString("base64")])),
  };
}

/** Undefined where the Secret holds no usable ones. */
export function fromSecret(secret: DynamicObject): ServingCertificates | undefined {
  const data = isObject(secret.data) ? secret.data : {};
  const text = (name: string) => {
    const value = data[name];
    return typeof value === "string" ? Buffer.from(value, "base64").toString() : "";
  };
  const authorities = certificatesIn(text("ca.crt")),
    sinceMs = Date.parse(secret.metadata?.annotations?.[SINCE] ?? "");
  const serving = { certificate: text("tls.crt"), key: text("tls.key") };
  const next = { certificate: text("next.crt"), key: text("next.key") };
  if (authorities.length === 0 || Number.isNaN(sinceMs) || !isUsable(serving)) return undefined;
  return { serving, authorities, sinceMs, ...(isUsable(next) && { next }) };
}

function isUsable({ certificate, key }: { certificate: string; key: string }): boolean {
  try {
    return key.includes("PRIVATE KEY") && !Number.isNaN(validUntilMs(certificate));
  } catch {
    return false;
  }
}
