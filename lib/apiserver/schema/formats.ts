import { isDnsSubdomain } from "../../apimachinery/mod.ts";

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[tT](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[zZ]|[+-]\d\d:\d\d)$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const DURATION =
  /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h|d|w)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h|d|w))*$/;

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": (text) => isDate(DATE_TIME.exec(text)?.[1] ?? ""),
  datetime: (text) => isDate(DATE_TIME.exec(text)?.[1] ?? ""),
  date: isDate,
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text),
  ipv4: (text) => IPV4.test(text),
  ipv6: isIpv6,
  cidr: isCidr,
  uri: isAbsoluteUri,
  hostname: (text) => isDnsSubdomain(text.toLowerCase()),
  uuid: (text) => UUID.test(text),
  uuid3: (text) => UUID.test(text) && /^.{14}-?3|^.{12}3/.test(text),
  uuid4: (text) => UUID.test(text) && /^.{14}4|^.{12}4/.test(text),
  uuid5: (text) => UUID.test(text) && /^.{14}5|^.{12}5/.test(text),
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  mac: (text) => /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text),
  duration: (text) => text === "0" || DURATION.test(text),
};

/** apiextensions' formats; an unknown format accepts everything. */
export function matchesFormat(text: string, format: string): boolean {
  return !Object.hasOwn(CHECKS, format) || CHECKS[format]!(text);
}

function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isIpv6(text: string): boolean {
  if (!text.includes(":") || /[^0-9a-f:.]/i.test(text)) return false;
  return URL.canParse(`http://[${text}]/`);
}

function isCidr(text: string): boolean {
  const match = /^(.+)\/(\d{1,3})$/.exec(text);
  if (!match) return false;
  const bits = Number(match[2]);
  return IPV4.test(match[1]!) ? bits <= 32 : isIpv6(match[1]!) && bits <= 128;
}

function isAbsoluteUri(text: string): boolean {
  return text.startsWith("/") ? !/\s/.test(text) : !/\s/.test(text) && URL.canParse(text);
}
