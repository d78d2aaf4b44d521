import { isLabelValue } from "../../apimachinery/mod.ts";
import type { Place } from "./place.ts";

/** Names and their faults, in the words of apimachinery's `util/validation`. */

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_MAX = 63, SUBDOMAIN_MAX = 253;

/** A text that has to match, and what it is in words. */
interface Format {
  readonly pattern: string;
  readonly what: string;
  readonly examples: readonly string[];
  readonly lengthMax: number;
}

const FORMATS = {
  dnsLabel: {
    pattern: LABEL,
    what: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and " +
      "end with an alphanumeric character",
    examples: ["my-name", "123-abc"],
    lengthMax: LABEL_MAX,
  },
  dnsSubdomain: {
    pattern: SUBDOMAIN,
    what: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " +
      "start and end with an alphanumeric character",
    examples: ["example.com"],
    lengthMax: SUBDOMAIN_MAX,
  },
  dnsSubdomainWithUnderscores: {
    pattern: "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
    what: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and " +
      "must start and end with an alphanumeric character",
    examples: ["example.com"],
    lengthMax: SUBDOMAIN_MAX,
  },
  dns1035Label: {
    pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
    what: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic " +
      "character, and end with an alphanumeric character",
    examples: ["my-name", "abc-123"],
    lengthMax: LABEL_MAX,
  },
  cIdentifier: {
    pattern: "[A-Za-z_][A-Za-z0-9_]*",
    what: "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric " +
      "characters or '_'",
    examples: ["my_name", "MY_NAME", "MyName"],
    lengthMax: Infinity,
  },
} as const satisfies Record<string, Format>;

function examplesText(examples: readonly string[]): string {
  return `(e.g. ${examples.map((example) => `'${example}'`).join(",  or ")}, `;
}

/** What is wrong with a text; empty where nothing is. */
export function faultsOf(format: keyof typeof FORMATS, text: string): string[] {
  const { pattern, what, examples, lengthMax } = FORMATS[format], faults: string[] = [];
  if (text.length > lengthMax) faults.push(`must be no more than ${lengthMax} characters`);
  if (!new RegExp(`^(?:${pattern})$`).test(text)) {
    // A subdomain that is no label has dots.
    if (format === "dnsLabel" && faults.length === 0 && new RegExp(`^(?:${SUBDOMAIN})$`).test(text)) {
      return ["must not contain dots"];
    }
    faults.push(`${what} ${examplesText(examples)}regex used for validation is '${pattern}')`);
  }
  return faults;
}

/** A text that is a DNS label. */
export function dnsLabel(at: Place): void {
  for (const fault of faultsOf("dnsLabel", at.text)) at.invalid(fault);
}

/** A text that is a DNS subdomain. */
export function dnsSubdomain(at: Place): void {
  for (const fault of faultsOf("dnsSubdomain", at.text)) at.invalid(fault);
}

const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/** `IsQualifiedName`: a name with an optional prefix that is a DNS subdomain. */
export function qualifiedNameFaults(text: string): string[] {
  const parts = text.split("/"), faults: string[] = [];
  const name = parts.at(-1)!;
  const rule =
    `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric ` +
    `character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`;
  if (parts.length > 2) {
    return [`a qualified name ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (parts.length === 2) {
    if (parts[0] === "") faults.push("prefix part must be non-empty");
    else faults.push(...faultsOf("dnsSubdomain", parts[0]!).map((fault) => `prefix part ${fault}`));
  }
  if (name === "") faults.push("name part must be non-empty");
  else if (name.length > LABEL_MAX) faults.push(`name part must be no more than ${LABEL_MAX} bytes`);
  if (!new RegExp(`^(?:${QUALIFIED})$`).test(name)) faults.push(`name part ${rule}`);
  return faults;
}

/** The text of a map's key or of a field as a qualified name. */
export function qualifiedName(at: Place): void {
  qualifiedNameFaults(at.text).forEach((fault) => at.invalid(fault, at.text));
}

const LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";

/** `IsValidLabelValue`. */
export function labelValueFaults(text: string): string[] {
  if (isLabelValue(text)) return [];
  const faults = text.length > LABEL_MAX ? [`must be no more than ${LABEL_MAX} bytes`] : [];
  if (new RegExp(`^(?:${LABEL_VALUE})$`).test(text)) return faults;
  return [
    ...faults,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start " +
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation " +
    `is '${LABEL_VALUE}')`,
  ];
}

/** A map of labels. */
export function labels(at: Place): void {
  for (const key of at.keys) {
    for (const fault of qualifiedNameFaults(key)) at.invalid(fault, key);
    for (const fault of labelValueFaults(at.key(key).text)) at.invalid(fault, at.key(key).text);
  }
}

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"];

/** A LabelSelector. */
export function labelSelector(at: Place): void {
  labels(at.field("matchLabels"));
  for (const item of at.field("matchExpressions").items) {
    const operator = item.field("operator"), values = item.field("values");
    if (operator.text === "In" || operator.text === "NotIn") {
      if (!values.isSet) values.required("must be specified when `operator` is 'In' or 'NotIn'");
    } else if (operator.text === "Exists" || operator.text === "DoesNotExist") {
      if (values.isSet) values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else operator.invalid("not a valid selector operator", operator.text);
    for (const fault of qualifiedNameFaults(item.field("key").text)) item.field("key").invalid(fault);
    if (!OPERATORS.includes(operator.text)) continue;
    for (const value of values.items) for (const fault of labelValueFaults(value.text)) value.invalid(fault);
  }
}

const PORT_NAME_MAX = 15;

/** `IsValidPortName`: an IANA service name. */
export function portNameFaults(text: string): string[] {
  const faults: string[] = [];
  if (text.length > PORT_NAME_MAX) faults.push(`must be no more than ${PORT_NAME_MAX} characters`);
  if (!/^[a-z0-9-]*$/.test(text)) faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(text)) faults.push("must contain at least one letter (a-z)");
  if (text.includes("--")) faults.push("must not contain consecutive hyphens");
  if (text.startsWith("-") || text.endsWith("-")) faults.push("must not begin or end with a hyphen");
  return faults;
}

const PORT_MAX = 65_535;

/** `IsValidPortNum`, for what may not be 0. */
export function portNumber(at: Place): void {
  if (at.number < 1 || at.number > PORT_MAX) at.invalid(`must be between 1 and ${PORT_MAX}, inclusive`, at.number);
}

/** A port by number or name. */
export function portNumberOrName(at: Place): void {
  if (typeof at.value === "string") portNameFaults(at.text).forEach((fault) => at.invalid(fault));
  else portNumber(at);
}

/** `IsValidPathSegmentName`: a part of a URL's path. */
export function segmentFaults(text: string): string[] {
  if (text === "." || text === "..") return [`may not be '${text}'`];
  return ["/", "%"].filter((part) => text.includes(part)).map((part) => `may not contain '${part}'`);
}

const CONFIG_KEY_MAX = 253;

/** `IsConfigMapKey`: also a file's name. */
export function configKeyFaults(text: string): string[] {
  if (text.length > CONFIG_KEY_MAX) return [`must be no more than ${CONFIG_KEY_MAX} characters`];
  if (!/^[-._a-zA-Z0-9]+$/.test(text)) {
    return [
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME', " +
      " or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ];
  }
  if (text === "." || text === "..") return [`must not be '${text}'`];
  return text.startsWith("..") ? ["must not start with '..'"] : [];
}
