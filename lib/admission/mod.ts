/**
 * `admission`: the webhooks of an operator: admission (typed handlers that validate or mutate objects) and conversion
 * (typed functions between versions). It serves reviews over TLS, keeps the certificates in a Secret, and writes the
 * webhook configurations. It watches nothing. `operator/` and `cli/` call it.
 *
 * @module
 */
export { AdmissionError } from "./admission_error.ts";
export type { AdmissionContext, MutationContext } from "./context.ts";
export {
  conversionFit,
  conversionPatch,
  converterOf,
  CRDS,
  NO_CONVERSION,
  webhookConversion,
} from "./crd_conversion.ts";
export {
  type AdmissionDeclaration,
  admissionDeclaration,
  type MutateHandler,
  type MutateOptions,
  type ValidateHandler,
  type ValidateOptions,
} from "./declaration.ts";
export { KindConversion, type ObjectParts, type PartsSchema, type SpokeVersion } from "./kind_conversion.ts";
export {
  type ConfigurationOptions,
  configurationResource,
  WEBHOOK_PORT,
  webhookConfigurations,
  type WebhookPlace,
  webhookServiceName,
} from "./webhook_configuration.ts";
export { type AdmissionHost, AdmissionWebhooks } from "./webhooks.ts";
