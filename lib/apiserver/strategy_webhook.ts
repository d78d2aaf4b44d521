import { isObject } from "../base/mod.ts";
import { isDnsSubdomain, requirementsOf, type StatusCause } from "../apimachinery/mod.ts";
import { type Webhook, webhooksOf } from "./admission/webhook.ts";
import { invalidValue, notSupported, requiredValue } from "./api_error.ts";
import { matchConditions } from "./validation/admission_policies.ts";
import { causesOf, each, fields } from "./validation/place.ts";
import type { Strategy } from "./strategy.ts";
import { clientConfigCauses, type WebhookClientConfig } from "./webhook_client.ts";

const TIMEOUT_SECONDS_MAX = 30;

export const webhookStrategy: Strategy = {
  validate(object) {
    const webhooks = webhooksOf(object), names = new Set<string>();
    const conditions = causesOf(
      fields({ webhooks: each(fields({ matchConditions: matchConditions(false) })) }),
      object,
    );
    return [
      ...conditions,
      ...webhooks.flatMap((webhook, index) => {
        const at = `webhooks[${index}]`, causes = webhookCauses(webhook, at);
        if (names.has(webhook.name)) {
          causes.push({
            reason: "FieldValueDuplicate",
            message: `Duplicate value: "${webhook.name}"`,
            field: `${at}.name`,
          });
        }
        names.add(webhook.name);
        return causes;
      }),
    ];
  },
};

function webhookCauses(webhook: Webhook, at: string): StatusCause[] {
  const { name = "", sideEffects, timeoutSeconds, admissionReviewVersions = [], failurePolicy, matchPolicy } = webhook;
  const causes: StatusCause[] = [];
  if (name === "") causes.push(requiredValue(`${at}.name`));
  else if (!isDnsSubdomain(name) || name.split(".").length < 3) {
    causes.push(invalidValue(`${at}.name`, name, "should be a domain with at least three segments separated by dots"));
  }
  if (admissionReviewVersions.length === 0) {
    causes.push(requiredValue(`${at}.admissionReviewVersions`, "must specify one of v1, v1beta1"));
  } else if (!admissionReviewVersions.includes("v1")) {
    const why = "must include at least one of v1, v1beta1";
    causes.push(invalidValue(`${at}.admissionReviewVersions`, admissionReviewVersions, why));
  }
  const choice = (field: string, value: unknown, supported: readonly string[]) => {
    if (value !== undefined && !supported.includes(value as string)) {
      causes.push(notSupported(`${at}.${field}`, value, supported));
    }
  };
  if (sideEffects === undefined) {
    causes.push(requiredValue(`${at}.sideEffects`, "must specify one of None, NoneOnDryRun"));
  }
  choice("sideEffects", sideEffects, ["None", "NoneOnDryRun"]);
  choice("failurePolicy", failurePolicy, ["Fail", "Ignore"]);
  choice("matchPolicy", matchPolicy, ["Equivalent", "Exact"]);
  choice("reinvocationPolicy", webhook.reinvocationPolicy, ["IfNeeded", "Never"]);
  if (timeoutSeconds < 1 || timeoutSeconds > TIMEOUT_SECONDS_MAX) {
    const why = `the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`;
    causes.push(invalidValue(`${at}.timeoutSeconds`, timeoutSeconds, why));
  }
  return [...causes, ...ruleCauses(webhook, at), ...selectorCauses(webhook, at), ...clientCauses(webhook, at)];
}

function ruleCauses({ rules = [] }: Webhook, at: string): StatusCause[] {
  return rules.flatMap((rule, index) =>
    (["operations", "apiGroups", "apiVersions", "resources"] as const)
      .filter((field) => (rule[field] ?? []).length === 0)
      .map((field) => requiredValue(`${at}.rules[${index}].${field}`))
  );
}

function selectorCauses(webhook: Webhook, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    try {
      requirementsOf(webhook[field] ?? {});
    } catch (error) {
      causes.push(invalidValue(`${at}.${field}`, webhook[field], (error as Error).message));
    }
  }
  return causes;
}

function clientCauses({ clientConfig }: Webhook, at: string): StatusCause[] {
  return clientConfigCauses(isObject(clientConfig) ? clientConfig as WebhookClientConfig : {}, `${at}.clientConfig`);
}
