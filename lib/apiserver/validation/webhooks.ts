import { isObject } from "../../base/mod.ts";
import { clientConfigCauses, type WebhookClientConfig } from "../webhook_client.ts";
import { matchConditions, resourceRule } from "./admission_policies.ts";
import { faultsOf, labelSelector } from "./names.ts";
import { each, fields, oneOf, type Place, present, type Rule } from "./place.ts";

/** Webhook configurations, by admissionregistration's validation. */

const TIMEOUT_SECONDS_MAX = 30, NAME_SEGMENTS_MIN = 3, SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const REVIEW_VERSIONS = ["v1", "v1beta1"];

export function webhookConfiguration(at: Place): void {
  const names = new Set<string>();
  for (const item of at.field("webhooks").items) {
    webhook(item);
    const name = item.field("name");
    if (name.isSet && names.has(name.text)) name.duplicate();
    names.add(name.text);
  }
}

const webhook: Rule = fields({
  name: (at) => {
    if (!at.isSet) return at.required();
    for (const fault of faultsOf("dnsSubdomain", at.text)) at.invalid(fault);
    if (at.text.split(".").length < NAME_SEGMENTS_MIN) {
      at.invalid("should be a domain with at least three segments separated by dots");
    }
  },
  admissionReviewVersions: reviewVersions,
  rules: each(resourceRule),
  failurePolicy: present(oneOf("Fail", "Ignore")),
  matchPolicy: present(oneOf("Equivalent", "Exact")),
  reinvocationPolicy: present(oneOf("IfNeeded", "Never")),
  sideEffects: (at) => {
    if (!at.isPresent) at.required(`must specify one of ${SIDE_EFFECTS.join(", ")}`);
    else if (!SIDE_EFFECTS.includes(at.text)) at.unsupported(SIDE_EFFECTS);
  },
  timeoutSeconds: present((at) => {
    if (at.number >= 1 && at.number <= TIMEOUT_SECONDS_MAX) return;
    at.invalid(`the timeout value must be between 1 and ${TIMEOUT_SECONDS_MAX} seconds`);
  }),
  namespaceSelector: labelSelector,
  objectSelector: labelSelector,
  clientConfig: (at) => {
    const config = isObject(at.value) ? at.value as WebhookClientConfig : {};
    at.root.causes.push(...clientConfigCauses(config, at.path));
  },
  matchConditions: matchConditions(false),
});

function reviewVersions(at: Place): void {
  const known = REVIEW_VERSIONS.join(", "), seen = new Set<string>();
  if (at.items.length === 0) return at.required(`must specify one of ${known}`);
  for (const version of at.items) {
    for (const fault of faultsOf("dns1035Label", version.text)) version.invalid(fault);
    if (seen.has(version.text)) version.invalid("duplicate version");
    seen.add(version.text);
  }
  if (!REVIEW_VERSIONS.some((version) => seen.has(version))) at.invalid(`must include at least one of ${known}`);
}
