import type { TransportRequest } from "../base/mod.ts";
import type { ConversionWebhook } from "./conversion_webhook.ts";
import { CONVERT_PATH } from "./crd_conversion.ts";
import type { ServedWebhooks } from "./webhook_server.ts";
import type { AdmissionWebhooks } from "./webhooks.ts";

/** Serves conversions at their path, and admission at all others. */
export class WebhookRoutes implements ServedWebhooks {
  readonly #admission: AdmissionWebhooks;
  readonly #conversion: ConversionWebhook | undefined;

  constructor(admission: AdmissionWebhooks, conversion?: ConversionWebhook) {
    this.#admission = admission;
    this.#conversion = conversion;
  }

  bodyBytesMax(path: string): number {
    return (this.#conversionAt(path) ?? this.#admission).bodyBytesMax;
  }

  fetch(path: string, request: TransportRequest): Promise<Response> {
    return this.#conversionAt(path)?.fetch(request) ?? this.#admission.fetch(path, request);
  }

  /** API servers append their timeout as a query. */
  #conversionAt(path: string): ConversionWebhook | undefined {
    return path.split("?", 1)[0] === CONVERT_PATH ? this.#conversion : undefined;
  }
}
