/**
 * `admission`: typed handlers that judge and change objects before the API server stores them — what they are for, the
 * `AdmissionReview` that reaches them, their answer, and the webhook configurations that send it there. It stores nothing and
 * watches nothing. `operator/` and `cli/` call it.
 *
 * @module
 */
export * from "./admission_error.ts";
export * from "./context.ts";
export * from "./crd_conversion.ts";
export * from "./declaration.ts";
export * from "./kind_conversion.ts";
export * from "./reader.ts";
export * from "./review.ts";
export * from "./webhook_configuration.ts";
export * from "./webhooks.ts";
