/**
 * `admission`: the webhooks of an operator: admission (typed handlers that validate or mutate objects) and conversion
 * (typed functions between versions). It reads reviews, answers them, serves them over TLS, keeps the certificates in a
 * Secret, and writes the webhook configurations. It watches nothing. `operator/` and `cli/` call it.
 *
 * @module
 */
export * from "./admission_error.ts";
export * from "./context.ts";
export type { ConversionHost } from "./conversion_webhook.ts";
export * from "./crd_conversion.ts";
export * from "./declaration.ts";
export * from "./kind_conversion.ts";
export * from "./reader.ts";
export * from "./review.ts";
export * from "./webhook_configuration.ts";
export * from "./webhooks.ts";
