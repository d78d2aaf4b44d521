import { isObject } from "../../base/mod.ts";
import type { DynamicObject, LabelSelector } from "../../apimachinery/mod.ts";
import type { Storage } from "../storage.ts";
import type { WebhookClientConfig } from "../webhook_client.ts";

/** RuleWithOperations (admissionregistration.k8s.io/v1). */
export interface WebhookRule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: "*" | "Cluster" | "Namespaced";
  /** Of policies alone. */
  readonly resourceNames?: readonly string[];
}

export interface Webhook {
  readonly name: string;
  readonly clientConfig: WebhookClientConfig;
  readonly rules?: readonly WebhookRule[];
  readonly failurePolicy: "Fail" | "Ignore";
  readonly matchPolicy: "Exact" | "Equivalent";
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
  readonly sideEffects: string;
  readonly timeoutSeconds: number;
  readonly admissionReviewVersions: readonly string[];
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly reinvocationPolicy?: "Never" | "IfNeeded";
}

export type WebhookPhase = "mutating" | "validating";

const GROUP = "admissionregistration.k8s.io";
const RESOURCES: Readonly<Record<WebhookPhase, string>> = {
  mutating: `mutatingwebhookconfigurations.${GROUP}`,
  validating: `validatingwebhookconfigurations.${GROUP}`,
};

/** In call order: by configuration name, then as listed. */
export class WebhookTable {
  readonly #storage: Storage;
  #phases: Partial<Record<WebhookPhase, readonly Webhook[]>> = {};

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.subscribe((resource) => {
      if (resource === RESOURCES.mutating || resource === RESOURCES.validating) this.#phases = {};
    });
  }

  of(phase: WebhookPhase): readonly Webhook[] {
    return this.#phases[phase] ??= [...this.#storage.scan(RESOURCES[phase])].flatMap(([, { object }]) =>
      webhooksOf(object)
    );
  }

  rebuild(): void {
    this.#phases = {};
  }
}

/** Skips entries that are not objects. */
export function webhooksOf(configuration: DynamicObject): readonly Webhook[] {
  const { webhooks } = configuration;
  return Array.isArray(webhooks) ? webhooks.filter(isObject) as unknown as Webhook[] : [];
}
