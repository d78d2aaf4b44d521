import { isObject, type JsonObject } from "../base/mod.ts";
import type { ApiResource, DynamicObject } from "../apimachinery/mod.ts";
import { clientConfig, type WebhookPlace } from "./webhook_configuration.ts";

export const CRDS: ApiResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

export const CONVERT_PATH = "/convert";

/** The `spec.conversion` of a CRD. */
export function webhookConversion(place: WebhookPlace, authorities?: readonly string[]): JsonObject {
  return {
    strategy: "Webhook",
    webhook: { clientConfig: clientConfig(place, CONVERT_PATH, authorities), conversionReviewVersions: ["v1"] },
  };
}

/** Undefined where a CRD has no conversion webhook. */
export function converterOf(
  crd: DynamicObject,
): { readonly url?: string; readonly service?: Record<string, unknown>; readonly caBundle?: string } | undefined {
  const { conversion } = isObject(crd.spec) ? crd.spec : {};
  if (!isObject(conversion) || conversion.strategy !== "Webhook" || !isObject(conversion.webhook)) return undefined;
  const { clientConfig: config } = conversion.webhook;
  return isObject(config) ? config : {};
}

/** A merge patch that replaces a CRD's conversion. */
export function conversionPatch(place: WebhookPlace, authorities?: readonly string[]): JsonObject {
  const { webhook, ...rest } = webhookConversion(place, authorities) as { webhook: Record<string, unknown> };
  const cleared = { url: null, service: null, caBundle: null };
  const clientConfig = { ...cleared, ...webhook.clientConfig as object };
  return { spec: { conversion: { ...rest, webhook: { ...webhook, clientConfig } } } };
}

/** A merge patch that turns conversion off: fields that the other version lacks are lost from then on. */
export const NO_CONVERSION = { spec: { conversion: { strategy: "None", webhook: null } } } as const;

/**
 * How to apply a declared CRD. An apply keeps what the operator wrote since (an authority, a URL), and the server
 * refuses the mixture. So `first` is a merge patch to send before the apply of `object`.
 *
 * @param keepsUrl Whether a conversion by URL stays.
 */
export function conversionFit(
  declared: DynamicObject,
  live: DynamicObject | undefined,
  keepsUrl: boolean,
): { readonly first?: JsonObject; readonly object: DynamicObject } {
  const current = live && converterOf(live), next = converterOf(declared);
  if (!current) return { object: declared };
  if (!next) return { first: NO_CONVERSION, object: declared };
  if (current.url === undefined) return { object: declared };
  const { namespace, name } = next.service as { namespace: string; name: string };
  if (!keepsUrl) return { first: conversionPatch({ service: { namespace, name } }), object: declared };
  const url = new URL(current.url).origin;
  return { object: { ...declared, spec: { ...declared.spec as object, conversion: webhookConversion({ url }) } } };
}
