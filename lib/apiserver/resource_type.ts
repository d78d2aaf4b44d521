import type { WebhookClientConfig } from "./webhook_client.ts";

/** The parts of a structural schema that the server uses (apiextensions.k8s.io/v1 JSONSchemaProps; KEP-1979). */
export interface Schema {
  $ref?: string;
  /** In built-in kinds: what encoding/json does with the field (data/README.md). */
  go?: string;
  description?: string;
  type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  format?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: "atomic" | "granular";
  "x-kubernetes-patch-strategy"?: string;
  "x-kubernetes-patch-merge-key"?: string;
  "x-kubernetes-validations"?: ValidationRule[];
}

/** CEL (KEP-2876). */
export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  /** Above 0: only with `-o wide`. */
  priority?: number;
  jsonPath: string;
}

/** apiextensions.k8s.io/v1. */
export interface ConversionWebhook {
  readonly clientConfig: WebhookClientConfig;
  readonly reviewVersion: "v1" | "v1beta1";
}

export interface KindVersions {
  /** The stored `apiVersion`. */
  readonly storage: string;
  readonly schemas: ReadonlyMap<string, Schema>;
  /** Versions differ in `apiVersion` only. */
  readonly sameSchema: boolean;
  /** Absent where conversion only drops unknown fields. */
  readonly webhook?: ConversionWebhook;
}

export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  readonly scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  readonly schema: Schema;
  readonly columns: readonly PrinterColumn[];
  /** Only built-in kinds accept strategic merge patches. */
  readonly builtin: boolean;
  /** Beyond metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  readonly versions?: KindVersions;
}
