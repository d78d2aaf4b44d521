import type { WebhookClientConfig } from "./webhook_client.ts";

/**
 * A structural schema node: the parts that the server acts on (apiextensions.k8s.io/v1 JSONSchemaProps; KEP-1979 for
 * list and map types).
 */
export interface Schema {
  /** Into the built-in definitions; resolved by `schema/definitions.ts`, never in a CRD's schema. */
  $ref?: string;
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

/** A CEL rule of a CRD's schema (KEP-2876). */
export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** `additionalPrinterColumns` of CRDs. */
export interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  /** 0 is always shown, larger ones with `-o wide` only. */
  priority?: number;
  jsonPath: string;
}

/** A conversion webhook of a custom resource (apiextensions.k8s.io/v1). */
export interface ConversionWebhook {
  readonly clientConfig: WebhookClientConfig;
  readonly reviewVersion: "v1" | "v1beta1";
}

/** All versions of one custom resource, served or not, and how objects convert between them. */
export interface KindVersions {
  /** The stored `apiVersion`. */
  readonly storage: string;
  readonly schemas: ReadonlyMap<string, Schema>;
  /** Whether versions differ in `apiVersion` only. */
  readonly alike: boolean;
  /** Absent where conversion only leaves out fields that the other version does not know. */
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
  /** Built-in kinds accept strategic merge patches, custom resources answer 415. */
  readonly builtin: boolean;
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  readonly versions?: KindVersions;
}
