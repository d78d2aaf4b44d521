import { isObject, jsonEqual, setKey } from "../base/mod.ts";
import type { DynamicObject, StatusCause } from "../apimachinery/mod.ts";
import { badRequest, forbiddenField, invalidValue, requiredValue, tooLong } from "./api_error.ts";
import { dataKeyCauses } from "./strategy_config_map.ts";
import type { Strategy } from "./strategy.ts";

const DATA_BYTES_MAX = 1024 * 1024;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** From core/v1 validation. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};
const SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token";
const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";

/** stringData becomes data; types and immutable Secrets do not change. */
export const secretStrategy: Strategy = {
  normalize,
  validate(object, old) {
    const causes = dataKeyCauses(object.data, "data");
    if (decodedBytes(object.data) > DATA_BYTES_MAX) causes.push(tooLong("data", DATA_BYTES_MAX));
    causes.push(...typeCauses(object));
    if (old) causes.push(...updateCauses(object, old));
    return causes;
  },
};

function normalize(object: DynamicObject): void {
  if (isObject(object.data)) {
    for (const [key, value] of Object.entries(object.data)) {
      if (value === null) setKey(object.data, key, "");
      else if (typeof value !== "string" || !BASE64.test(value.replaceAll(/[\r\n]/g, ""))) {
        // Not quoted: it may be the unencoded secret.
        throw badRequest(`Secret in version "v1" cannot be handled as a Secret: illegal base64 data in data["${key}"]`);
      }
    }
  }
  if (isObject(object.stringData)) {
    const data = isObject(object.data) ? object.data : (object.data = {}) as Record<string, unknown>;
    for (const [key, value] of Object.entries(object.stringData)) setKey(data, key, encodeText(String(value ?? "")));
  }
  delete object.stringData;
}

function encodeText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

function decodedBytes(data: unknown): number {
  if (!isObject(data)) return 0;
  return Object.values(data).reduce<number>((sum, value) => {
    const text = String(value);
    const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    return sum + text.length / 4 * 3 - padding;
  }, 0);
}

function typeCauses(object: DynamicObject): StatusCause[] {
  const type = String(object.type);
  const data = isObject(object.data) ? object.data : {};
  if (type === SERVICE_ACCOUNT_TOKEN && !object.metadata?.annotations?.[SERVICE_ACCOUNT_NAME]) {
    return [requiredValue(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)];
  }
  if (type === "kubernetes.io/basic-auth" && !("username" in data) && !("password" in data)) {
    return [requiredValue("data[username]"), requiredValue("data[password]")];
  }
  const docker = type === "kubernetes.io/dockerconfigjson" ? ".dockerconfigjson" : ".dockercfg";
  if (type.startsWith("kubernetes.io/dockerc") && typeof data[docker] === "string") {
    const fault = jsonFault(atob(data[docker]));
    return fault === undefined ? [] : [invalidValue(`data[${docker}]`, "<secret contents redacted>", fault)];
  }
  const keys = Object.hasOwn(REQUIRED_KEYS, type) ? REQUIRED_KEYS[type]! : [];
  return keys.filter((key) => !Object.hasOwn(data, key)).map((key) => requiredValue(`data[${key}]`));
}

/** In Go's words, without a part of the text beyond one character. */
function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    const first = text.trimStart()[0];
    if (first === undefined) return "unexpected end of JSON input";
    return /[[{"\d-]/.test(first)
      ? "unexpected end of JSON input"
      : `invalid character '${first}' looking for beginning of value`;
  }
}

function updateCauses(object: DynamicObject, old: DynamicObject): StatusCause[] {
  const causes: StatusCause[] = [];
  if (object.type !== old.type) causes.push(invalidValue("type", object.type, "field is immutable"));
  if (old.immutable !== true) return causes;
  if (object.immutable !== true) causes.push(forbiddenField("immutable", "field is immutable when `immutable` is set"));
  if (!jsonEqual(object.data ?? {}, old.data ?? {})) {
    causes.push(forbiddenField("data", "field is immutable when `immutable` is set"));
  }
  return causes;
}
