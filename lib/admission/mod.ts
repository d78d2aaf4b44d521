/**
 * `admission`: what API servers ask an operator about objects by webhooks — whether they may be stored and with which
 * changes, which typed handlers say, and what they are in another version, which typed functions say. It reads the
 * reviews, answers them, serves them over TLS, and says where they are sent to. It stores nothing and watches nothing.
 * `operator/` and `cli/` call it.
 *
 * @module
 */
export * from "./admission_error.ts";
export * from "./context.ts";
export type { ConversionHost } from "./conversion_webhook.ts";
export * from "./crd_conversion.ts";
export * from "./declaration.ts";
export * from "./kind_conversion.ts";
export * from "./review.ts";
export * from "./webhook_configuration.ts";
export * from "./webhooks.ts";
