import { isObject, jsonEqual } from "../../base/mod.ts";
import { isDnsLabel, type StatusCause } from "../../apimachinery/mod.ts";
import { forbiddenField, invalidValue, notSupported, requiredValue } from "../api_error.ts";
import type { ConversionWebhook, KindVersions, ResourceType } from "../resource_type.ts";
import { clientConfigCauses, type WebhookClientConfig } from "../webhook_client.ts";

const CONVERSION = "spec.conversion";
const REVIEW_VERSIONS: readonly string[] = ["v1", "v1beta1"];
const LABEL_HINT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
  "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
  "'[a-z]([-a-z0-9]*[a-z0-9])?')";

/** apiextensions validateCustomResourceConversion. Fields have the internal type's names, as in kube-apiserver. */
export function conversionCauses(conversion: unknown, preserveUnknownFields: boolean): StatusCause[] {
  if (!isObject(conversion)) return [];
  const { strategy } = conversion, causes: StatusCause[] = [];
  const { clientConfig, conversionReviewVersions } = isObject(conversion.webhook)
    ? conversion.webhook
    : {} as Record<string, unknown>;
  if (preserveUnknownFields && strategy !== "None") {
    causes.push(invalidValue(`${CONVERSION}.strategy`, strategy, "must be None if spec.preserveUnknownFields is true"));
  }
  if (!strategy) causes.push(requiredValue(`${CONVERSION}.strategy`));
  else if (!["None", "Webhook"].includes(String(strategy))) {
    causes.push(notSupported(`${CONVERSION}.strategy`, strategy, ["None", "Webhook"]));
  }
  const versions = Array.isArray(conversionReviewVersions) ? conversionReviewVersions : [];
  const place = `${CONVERSION}.webhookClientConfig`;
  if (strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (isObject(clientConfig)) causes.push(forbiddenField(place, why));
    if (versions.length > 0) causes.push(forbiddenField(`${CONVERSION}.conversionReviewVersions`, why));
    return causes;
  }
  if (!isObject(clientConfig)) causes.push(requiredValue(place, "required when strategy is set to Webhook"));
  else causes.push(...clientConfigCauses(clientConfig as WebhookClientConfig, place));
  return [...causes, ...reviewVersionCauses(versions)];
}

function reviewVersionCauses(versions: readonly unknown[]): StatusCause[] {
  const field = `${CONVERSION}.conversionReviewVersions`, causes: StatusCause[] = [];
  if (versions.length === 0) return [requiredValue(field)];
  for (const [index, version] of versions.entries()) {
    if (versions.indexOf(version) < index) {
      causes.push(invalidValue(`${field}[${index}]`, version, "duplicate version"));
    } else if (!isDnsLabel(String(version)) || /^\d/.test(String(version))) {
      causes.push(invalidValue(`${field}[${index}]`, version, LABEL_HINT));
    }
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version as string))) {
    causes.push(invalidValue(field, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`));
  }
  return causes;
}

/** One per entry of `types`. The CRD must have no causes. */
export function kindVersions(
  types: readonly ResourceType[],
  storage: ResourceType,
  conversion: unknown,
): KindVersions {
  const schemas = new Map(types.map((type) => [`${type.group}/${type.version}`, type.schema]));
  const webhook = conversionWebhook(conversion);
  const sameSchema = types.length === 1 || (!webhook && types.every(({ schema }) => jsonEqual(schema, storage.schema)));
  return { storage: `${storage.group}/${storage.version}`, schemas, sameSchema, ...(webhook && { webhook }) };
}

function conversionWebhook(conversion: unknown): ConversionWebhook | undefined {
  if (!isObject(conversion) || conversion.strategy !== "Webhook" || !isObject(conversion.webhook)) return undefined;
  const { clientConfig, conversionReviewVersions } = conversion.webhook;
  const listed = Array.isArray(conversionReviewVersions) ? conversionReviewVersions : [];
  const reviewVersion = listed.find((version) =>
    REVIEW_VERSIONS.includes(version)
  ) as ConversionWebhook["reviewVersion"];
  if (!isObject(clientConfig) || reviewVersion === undefined) return undefined;
  return { clientConfig: clientConfig as WebhookClientConfig, reviewVersion };
}
