import { isObject, type JsonObject } from "../base/mod.ts";
import type { ApiResource, DynamicObject } from "../apimachinery/mod.ts";
import { clientConfig, type WebhookPlace } from "./webhook_configuration.ts";

/** The resource of CustomResourceDefinitions. */
export const CRDS: ApiResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

/** Where conversions are served. */
export const CONVERT_PATH = "/convert";

/** `spec.conversion` of a CRD whose objects an operator converts. */
export function webhookConversion(place: WebhookPlace, authorities?: readonly string[]): JsonObject {
  return {
    strategy: "Webhook",
    webhook: { clientConfig: clientConfig(place, CONVERT_PATH, authorities), conversionReviewVersions: ["v1"] },
  };
}

/** What a CRD in a cluster says of who converts; undefined where nobody is asked. */
export function converterOf(
  crd: DynamicObject,
): { readonly url?: string; readonly service?: Record<string, unknown>; readonly caBundle?: string } | undefined {
  const { conversion } = isObject(crd.spec) ? crd.spec : {};
  if (!isObject(conversion) || conversion.strategy !== "Webhook" || !isObject(conversion.webhook)) return undefined;
  const { clientConfig: config } = conversion.webhook;
  return isObject(config) ? config : {};
}

/** A merge patch that has API servers ask at a place, whatever they asked before. */
export function conversionPatch(place: WebhookPlace, authorities?: readonly string[]): JsonObject {
  const { webhook, ...rest } = webhookConversion(place, authorities) as { webhook: Record<string, unknown> };
  const nowhere = { url: null, service: null, caBundle: null };
  const clientConfig = { ...nowhere, ...webhook.clientConfig as object };
  return { spec: { conversion: { ...rest, webhook: { ...webhook, clientConfig } } } };
}

/**
 * A merge patch that has API servers take the versions of a kind for the same. Fields that the other version lacks are
 * lost from then on.
 */
export const NO_CONVERSION = { spec: { conversion: { strategy: "None", webhook: null } } } as const;

/**
 * How a declared CRD is applied over the one in the cluster: an apply leaves alone what the operator itself has written
 * there since (an authority, a URL), and a server refuses the mixture. `first` is a merge patch that goes before the
 * apply of `object`.
 *
 * @param keepsUrl Whether a process that was reached by a URL goes on being asked.
 */
export function conversionFit(
  declared: DynamicObject,
  live: DynamicObject | undefined,
  keepsUrl: boolean,
): { readonly first?: JsonObject; readonly object: DynamicObject } {
  const asked = live && converterOf(live), wanted = converterOf(declared);
  if (!asked) return { object: declared };
  if (!wanted) return { first: NO_CONVERSION, object: declared };
  if (asked.url === undefined) return { object: declared };
  const { namespace, name } = wanted.service as { namespace: string; name: string };
  if (!keepsUrl) return { first: conversionPatch({ service: { namespace, name } }), object: declared };
  const url = new URL(asked.url).origin;
  return { object: { ...declared, spec: { ...declared.spec as object, conversion: webhookConversion({ url }) } } };
}
