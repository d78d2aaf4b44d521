import type { StatusCause } from "../apimachinery/mod.ts";
import { invalidValue, requiredValue } from "./api_error.ts";
import { faultsOf } from "./validation/names.ts";

export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** Base64 of PEM. */
  readonly caBundle?: string;
}

const FORM = "; desired format: https://host[/path]";
const PORT_MAX = 65_535;

/** As k8s.io/apiserver's webhook.ValidateWebhookURL and …Service. */
export function clientConfigCauses(config: WebhookClientConfig, field: string): StatusCause[] {
  if ((config.url === undefined) === (config.service === undefined)) {
    return [requiredValue(field, "exactly one of url or service is required")];
  }
  return config.service
    ? serviceCauses(config.service, `${field}.service`)
    : urlCauses(String(config.url), `${field}.url`);
}

function urlCauses(given: string, field: string): StatusCause[] {
  const causes: StatusCause[] = [], url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url) {
    if (/^https:/.test(given)) return [requiredValue(field, `url must be a valid URL${FORM}`)];
    causes.push(invalidValue(field, given, `'https' is the only allowed URL scheme${FORM}`));
    if (given === "") causes.push(invalidValue(field, "", `host must be specified${FORM}`));
    return causes;
  }
  const { protocol, username, password, hash, search } = url;
  if (protocol !== "https:") {
    causes.push(invalidValue(field, protocol.slice(0, -1), `'https' is the only allowed URL scheme${FORM}`));
  }
  if (username || password) causes.push(invalidValue(field, username, "user information is not permitted in the URL"));
  if (hash) causes.push(invalidValue(field, hash.slice(1), "fragments are not permitted in the URL"));
  if (search) causes.push(invalidValue(field, search.slice(1), "query parameters are not permitted in the URL"));
  return causes;
}

function serviceCauses(service: NonNullable<WebhookClientConfig["service"]>, field: string): StatusCause[] {
  const { name, namespace, path = "", port = 443 } = service, causes: StatusCause[] = [];
  // kube-apiserver takes one for the other here.
  if (!name) causes.push(requiredValue(`${field}.namespace`));
  if (!namespace) causes.push(requiredValue(`${field}.name`));
  if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) {
    const why = `port is not valid: must be between 1 and ${PORT_MAX}, inclusive`;
    causes.push(invalidValue(`${field}.port`, port, why));
  }
  if (path === "" || path === "/") return causes;
  const place = `${field}.path`;
  if (!path.startsWith("/")) causes.push(invalidValue(place, path, "must start with a '/'"));
  for (const [index, segment] of path.slice(1).replace(/\/$/, "").split("/").entries()) {
    if (segment === "") causes.push(invalidValue(place, path, `segment[${index}] may not be empty`));
    else {for (const fault of faultsOf("dnsSubdomain", segment)) {
        causes.push(invalidValue(place, path, `segment[${index}]: ${fault}`));
      }}
  }
  return causes;
}
