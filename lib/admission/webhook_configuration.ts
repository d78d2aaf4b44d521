import { Buffer } from "node:buffer";
import type { JsonObject } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, isLabelValue } from "../apimachinery/mod.ts";
import { ABSENT, PRESENT } from "../handling/mod.ts";
import type { AdmissionDeclaration } from "./declaration.ts";
import { webhookPath } from "./webhooks.ts";

/** A Service, or a URL without a path. */
export type WebhookPlace =
  | { readonly service: { readonly namespace: string; readonly name: string } }
  | { readonly url: string };

export interface ConfigurationOptions {
  /** Of the operator, and of its configurations. */
  readonly name: string;
  readonly declarations: readonly AdmissionDeclaration[];
  readonly place: WebhookPlace;
  /** PEM; absent until they are issued. */
  readonly authorities?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

interface WebhookConfiguration {
  readonly resource: ApiResource;
  readonly object: DynamicObject;
}

export const WEBHOOK_PORT = 9_443;

/** Also the name of the Secret with its certificates. */
export function webhookServiceName(operator: string): string {
  return `${operator}-webhook`;
}

const GROUP = "admissionregistration.k8s.io";

export function webhookConfigurations(options: ConfigurationOptions): WebhookConfiguration[] {
  const { name, declarations, labels } = options;
  return (["mutate", "validate"] as const).flatMap((type) => {
    const declared = declarations.filter((each) => each.type === type);
    if (declared.length === 0) return [];
    const resource = configurationResource(type);
    return [{
      resource,
      object: {
        apiVersion: `${GROUP}/v1`,
        kind: resource.kind,
        metadata: { name, ...(labels && { labels: { ...labels } }) },
        webhooks: declared.map((each) => webhookOf(each, options)),
      },
    }];
  });
}

export function configurationResource(type: AdmissionDeclaration["type"]): ApiResource {
  const kind = type === "mutate" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration";
  return { group: GROUP, version: "v1", kind, plural: `${kind.toLowerCase()}s`, namespaced: false };
}

export function clientConfig(place: WebhookPlace, path: string, authorities?: readonly string[]): JsonObject {
  return {
    ...("service" in place ? { service: { ...place.service, path, port: 443 } } : { url: `${place.url}${path}` }),
    ...(authorities && { caBundle: caBundle(authorities) }),
  };
}

export function caBundle(authorities: readonly string[]): string {
  return Buffer.from(authorities.join("")).toString("base64");
}

function webhookOf(declaration: AdmissionDeclaration, { place, authorities }: ConfigurationOptions) {
  const { kind, webhook, operations, subresource, ignoreFailures, sideEffects, timeoutMs, reinvoke, type } =
    declaration;
  const path = webhookPath(declaration), objectSelector = labelSelector(declaration);
  return {
    name: webhook,
    clientConfig: clientConfig(place, path, authorities),
    rules: [{
      apiGroups: [kind.group],
      apiVersions: [kind.version],
      operations: [...operations],
      resources: [subresource ? `${kind.plural}/${subresource}` : kind.plural],
      scope: kind.namespaced ? "Namespaced" : "Cluster",
    }],
    failurePolicy: ignoreFailures ? "Ignore" : "Fail",
    matchPolicy: "Equivalent",
    sideEffects: sideEffects ? "NoneOnDryRun" : "None",
    timeoutSeconds: timeoutMs / 1_000,
    admissionReviewVersions: ["v1"],
    ...namespaceSelector(declaration, place),
    ...(objectSelector && { objectSelector }),
    ...(type === "mutate" && { reinvocationPolicy: reinvoke ? "IfNeeded" : "Never" }),
  };
}

/**
 * The operator's namespace holds what its start needs (pods, Secrets, Leases), so only its own kinds are admitted
 * there.
 */
function namespaceSelector({ kind }: AdmissionDeclaration, place: WebhookPlace) {
  if (!("service" in place) || !kind.namespaced || "crd" in kind) return {};
  const values = [place.service.namespace];
  return {
    namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values }] },
  };
}

/** Saves calls of API servers; the handler's filter is checked again. */
function labelSelector({ labels = {} }: AdmissionDeclaration) {
  const matchExpressions = Object.entries(labels).flatMap(([key, filter]) => {
    if (filter === PRESENT) return [{ key, operator: "Exists" }];
    if (filter === ABSENT) return [{ key, operator: "DoesNotExist" }];
    return typeof filter === "string" && isLabelValue(filter) ? [{ key, operator: "In", values: [filter] }] : [];
  });
  return matchExpressions.length > 0 ? { matchExpressions } : undefined;
}
