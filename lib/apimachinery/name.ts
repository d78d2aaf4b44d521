/** Longest label value, and DNS label. */
export const LABEL_VALUE_LENGTH_MAX = 63;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Whether `text` is a DNS label of RFC 1123: names of namespaces, services. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && DNS_LABEL.test(text);
}

/** Whether `text` is a DNS subdomain of RFC 1123: names of most objects, API groups. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && DNS_SUBDOMAIN.test(text);
}

/** Whether `text` may be a label's value. */
export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= LABEL_VALUE_LENGTH_MAX && QUALIFIED_PART.test(text));
}

/** Whether `text` is a qualified name (`prefix/name`): keys of labels and annotations, finalizers. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf("/");
  const prefix = slash < 0 ? undefined : text.slice(0, slash), name = text.slice(slash + 1);
  if (prefix !== undefined && !isDnsSubdomain(prefix)) return false;
  return name.length <= 63 && QUALIFIED_PART.test(name);
}
