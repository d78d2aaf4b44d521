import { faultsOf } from "../validation/names.ts";

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[tT](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:\d\d)$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const GO_DURATION = /^[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
/** Scala's, anywhere in the text. */
const DURATION =
  /\d+\s*(?:ns|nano[A-Za-zµ]*|us|µs|micro[A-Za-zµ]*|ms|milli[A-Za-zµ]*|s|sec[A-Za-zµ]*|m|min[A-Za-zµ]*|h|hr|hour[A-Za-zµ]*|d|day[A-Za-zµ]*|w|wk|week[A-Za-zµ]*)(?![A-Za-zµ])/i;
const LETTER = "a-zA-Z0-9\\p{S}\\p{L}";
const HOSTNAME = new RegExp(
  `^([${LETTER}]((-?[${LETTER}]{0,62})?)|([${LETTER}](([-${LETTER}]{0,61}[${LETTER}])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$`,
  "u",
);
const HOSTNAME_MAX = 255;
const CARD =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11}|6[27]\d{14})$/;
const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const RGB = new RegExp(`^rgb\\(\\s*${BYTE}\\s*,\\s*${BYTE}\\s*,\\s*${BYTE}\\s*\\)$`);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  datetime: (text) => isDate(DATE_TIME.exec(text)?.[1] ?? ""),
  date: isDate,
  email: (text) => /^(?:[^<>@]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/.test(text),
  ipv4: (text) => IPV4.test(text),
  ipv6: isIpv6,
  cidr: isCidr,
  uri: isAbsoluteUri,
  hostname: (text) => text.length <= HOSTNAME_MAX && HOSTNAME.test(text),
  uuid: (text) => UUID.test(text),
  uuid3: (text) => isUuid(text, /^3/),
  uuid4: (text) => isUuid(text, /^4...[89ab]/),
  uuid5: (text) => isUuid(text, /^5...[89ab]/),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCard,
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: (text) => RGB.test(text),
  byte: (text) => BASE64.test(text),
  mac: isMac,
  duration: (text) => text === "0" || GO_DURATION.test(text) || DURATION.test(text),
  "k8s-short-name": (text) => faultsOf("dnsLabel", text).length === 0,
  "k8s-long-name": (text) => faultsOf("dnsSubdomain", text).length === 0,
};

/** apiextensions' formats, with or without dashes; an unknown format accepts everything. */
export function matchesFormat(text: string, format: string): boolean {
  const name = Object.hasOwn(CHECKS, format) ? format : format.replaceAll("-", "");
  return !Object.hasOwn(CHECKS, name) || CHECKS[name]!(text);
}

function isUuid(text: string, version: RegExp): boolean {
  return UUID.test(text) && version.test(text.toLowerCase().replaceAll("-", "").slice(12));
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (total, digit, index) => total + (10 - index) * (digit === "X" ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

/** Luhn's sum. */
function isCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, "");
  if (!CARD.test(digits)) return false;
  const doubled = (digit: number) => digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
  const sum = [...digits].reverse().reduce(
    (total, digit, index) => total + (index % 2 === 0 ? Number(digit) : doubled(Number(digit))),
    0,
  );
  return sum % 10 === 0;
}

/** 6, 8 or 20 bytes, in pairs or fours. */
function isMac(text: string): boolean {
  if (!/^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2})*$|^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text)) return false;
  return [12, 16, 40].includes(text.replaceAll(/[^0-9a-f]/gi, "").length);
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
