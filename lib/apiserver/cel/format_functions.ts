import { type Declaration, declare, type Overload } from "./functions.ts";
import { faultsOf, labelValueFaults, qualifiedNameFaults } from "../validation/names.ts";
import { parseRequestUri, UrlError } from "./go_url.ts";
import { ArrayList, noSuchOverload, OpaqueValue, Optional, type Value } from "./value.ts";

/** Why a text does not have the format; empty if it does. */
type Faults = (text: string) => string[];

/** `patternSize` is what the cost of a check counts. */
class NamedFormat extends OpaqueValue {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;
  readonly faults: Faults;
  readonly patternSize: number;

  constructor(name: string, patternSize: number, faults: Faults) {
    super();
    this.name = name;
    this.patternSize = patternSize;
    this.faults = faults;
  }

  equals(other: Value): boolean {
    if (!(other instanceof NamedFormat)) throw noSuchOverload();
    return this.name === other.name;
  }
}

function label(text: string): string[] {
  const faults = faultsOf("dnsLabel", text);
  return faults.length > 0 && faultsOf("dnsSubdomain", text).length === 0
    ? [...faults.filter((fault) => fault.startsWith("must be no more")), "must not contain dots"]
    : faults;
}

const subdomain: Faults = (text) => faultsOf("dnsSubdomain", text);
const label1035: Faults = (text) => faultsOf("dns1035Label", text);

/** A prefix, such as `generateName`, may end with a dash. */
function prefixOf(faults: Faults): Faults {
  return (text) => faults(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text);
}

function uri(text: string): string[] {
  try {
    parseRequestUri(text);
    return [];
  } catch (error) {
    if (error instanceof UrlError) return [error.message];
    throw error;
  }
}

function unless(test: (text: string) => boolean, fault: string): Faults {
  return (text) => test(text) ? [] : [fault];
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split("t") as [string, string?];
  if (time === undefined || !isDate(date)) return false;
  const match = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time);
  return match !== null && Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59;
}

const DATE_TIME_SIZE = 74;

const FORMATS: Record<string, NamedFormat> = Object.fromEntries(
  ([
    ["dns1123Label", "DNS1123Label", 30, label],
    ["dns1123Subdomain", "DNS1123Subdomain", 60, subdomain],
    ["dns1035Label", "DNS1035Label", 30, label1035],
    ["qualifiedName", "QualifiedName", 60, qualifiedNameFaults],
    ["dns1123LabelPrefix", "DNS1123LabelPrefix", 30, prefixOf(label)],
    ["dns1123SubdomainPrefix", "DNS1123SubdomainPrefix", 60, prefixOf(subdomain)],
    ["dns1035LabelPrefix", "DNS1035LabelPrefix", 30, prefixOf(label1035)],
    ["labelValue", "LabelValue", 40, labelValueFaults],
    ["uri", "URI", 1103, uri],
    ["uuid", "uuid", 78, unless((text) => UUID.test(text), "does not match the UUID format")],
    ["byte", "byte", 84, unless((text) => BASE64.test(text), "invalid base64")],
    ["date", "date", DATE_TIME_SIZE, unless(isDate, "invalid date")],
    ["datetime", "datetime", DATE_TIME_SIZE, unless(isDateTime, "invalid datetime")],
  ] as const).map(([key, name, size, faults]) => [key, new NamedFormat(name, size, faults)]),
);

function validate(format: NamedFormat, text: string): Optional {
  const faults = format.faults(text);
  return faults.length === 0 ? Optional.none : Optional.of(new ArrayList(faults));
}

function named(name: string): Optional {
  return Object.hasOwn(FORMATS, name) ? Optional.of(FORMATS[name]!) : Optional.none;
}

export function declareFormats(table: Map<string, Overload[]>): void {
  declare(table, [
    ...Object.entries(FORMATS).map(([name, format]): Declaration => [
      `format.${name}`,
      `format.${name}(): NamedFormat`,
      () => format,
    ]),
    ["format-validate", "NamedFormat#validate(string): optional(list(string))", validate],
    ["format-named", "format.named(string): optional(NamedFormat)", named],
  ]);
}
