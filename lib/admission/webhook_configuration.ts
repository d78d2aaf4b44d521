import { Buffer } from "node:buffer";
import type { JsonObject } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, isLabelValue } from "../apimachinery/mod.ts";
import { ABSENT, PRESENT } from "../handling/mod.ts";
import type { AdmissionDeclaration } from "./declaration.ts";
import { webhookPath } from "./webhooks.ts";

/** Where API servers reach the webhooks: a Service, or a URL without a path. */
export type WebhookPlace =
  | { readonly service: { readonly namespace: string; readonly name: string } }
  | { readonly url: string };

/** What webhook configurations are made from. */
export interface ConfigurationOptions {
  /** Name of the operator, and of its configurations. */
  readonly name: string;
  readonly declarations: readonly AdmissionDeclaration[];
  readonly place: WebhookPlace;
  /** Authorities that API servers are to trust, PEM. Left out where they are yet to be issued. */
  readonly authorities?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** A configuration with the resource that it is applied to. */
export interface WebhookConfiguration {
  readonly resource: ApiResource;
  readonly object: DynamicObject;
}

/** Where a process serves webhooks unless somebody says otherwise. */
export const WEBHOOK_PORT = 9_443;

/** The name of the Service in front of an operator's webhooks, and of the Secret with their certificates. */
export function webhookServiceName(operator: string): string {
  return `${operator}-webhook`;
}

const GROUP = "admissionregistration.k8s.io";

/** The webhook configurations of an operator: one for each type of handler that it declares. */
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

/** The resource of the configurations of a type of handlers. */
export function configurationResource(type: AdmissionDeclaration["type"]): ApiResource {
  const kind = type === "mutate" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration";
  return { group: GROUP, version: "v1", kind, plural: `${kind.toLowerCase()}s`, namespaced: false };
}

/** What API servers are told of a webhook's place. */
export function clientConfig(place: WebhookPlace, path: string, authorities?: readonly string[]): JsonObject {
  return {
    ...("service" in place ? { service: { ...place.service, path, port: 443 } } : { url: `${place.url}${path}` }),
    ...(authorities && { caBundle: caBundle(authorities) }),
  };
}

/** Authorities as API servers take them. */
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
 * An operator that is down must be able to come back: what it needs for that (its pods, Secrets, Leases) is in its own
 * namespace, so there only its own kinds are admitted.
 */
function namespaceSelector({ kind }: AdmissionDeclaration, place: WebhookPlace) {
  if (!("service" in place) || !kind.namespaced || "crd" in kind) return {};
  const values = [place.service.namespace];
  return {
    namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values }] },
  };
}

/**
 * What of the label filters API servers can look at: it spares calls. The handler's filter is looked at once more in
 * any case.
 */
function labelSelector({ labels = {} }: AdmissionDeclaration) {
  const matchExpressions = Object.entries(labels).flatMap(([key, filter]) => {
    if (filter === PRESENT) return [{ key, operator: "Exists" }];
    if (filter === ABSENT) return [{ key, operator: "DoesNotExist" }];
    return typeof filter === "string" && isLabelValue(filter) ? [{ key, operator: "In", values: [filter] }] : [];
  });
  return matchExpressions.length > 0 ? { matchExpressions } : undefined;
}
