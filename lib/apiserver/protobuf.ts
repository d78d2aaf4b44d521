import { formatJson, parseJson, setKey } from "../base/mod.ts";
import { badRequest } from "./api_error.ts";
import { ProtobufReader, WIRE } from "./protobuf_reader.ts";
import { builtinResourceTypes } from "./schema/definitions.ts";

/** Go clients' default media type for built-in kinds. */
export const PROTOBUF = "application/vnd.kubernetes.protobuf";

type Row = readonly [number: number, name: string, type: string, shape: number, zero: number];
type Messages = Readonly<Record<string, readonly Row[]>>;
type Fields = Record<string, unknown>;

const SINGULAR = 0, REPEATED = 1, MAP = 2;
const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
/** Exceeds the nesting of any kind; a CRD's schema may be deep. */
const DEPTH_MAX = 100;

const OTHER_KINDS: Readonly<Record<string, string>> = {
  DeleteOptions: `${META}.DeleteOptions`,
  TokenRequest: "io.k8s.api.authentication.v1.TokenRequest",
  Eviction: "io.k8s.api.policy.v1.Eviction",
  Scale: "io.k8s.api.autoscaling.v1.Scale",
};

/** Messages whose JSON is not an object. */
const CUSTOM_JSON: Readonly<Record<string, (fields: Fields) => unknown>> = {
  [`${META}.Time`]: ({ seconds }) => seconds === undefined ? undefined : timeText(Number(seconds), ""),
  [`${META}.MicroTime`]: ({ seconds, nanos }) => {
    if (seconds === undefined) return undefined;
    return timeText(Number(seconds), `.${String(Math.floor(Number(nanos ?? 0) / 1_000)).padStart(6, "0")}`);
  },
  "io.k8s.apimachinery.pkg.api.resource.Quantity": ({ string }) => string ?? "0",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ({ type, intVal, strVal }) => type ? strVal ?? "" : intVal ?? 0,
  "io.k8s.apimachinery.pkg.runtime.RawExtension": embedded,
  [`${META}.FieldsV1`]: embedded,
  [`${EXTENSIONS}.JSON`]: embedded,
  [`${EXTENSIONS}.JSONSchemaPropsOrBool`]: ({ schema, allows }) => schema ?? allows ?? false,
  [`${EXTENSIONS}.JSONSchemaPropsOrArray`]: ({ schema, jSONSchemas }) => schema ?? jSONSchemas,
  [`${EXTENSIONS}.JSONSchemaPropsOrStringArray`]: ({ schema, property }) => schema ?? property,
  "io.k8s.api.authentication.v1.ExtraValue": ({ items }) => items ?? [],
  "io.k8s.api.authorization.v1.ExtraValue": ({ items }) => items ?? [],
};

function timeText(seconds: number, fraction: string): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}${fraction}Z`;
}

function embedded(fields: Fields): unknown {
  const raw = fields["-"];
  return typeof raw === "string" && raw !== "" ? parseJson(new TextDecoder().decode(fromBase64(raw))) : undefined;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary);
}

/**
 * JSON of a runtime.Unknown after the prefix `k8s\0` (k8s.io/apimachinery runtime/serializer/protobuf). The first call
 * loads the field table.
 *
 * @throws {ApiError} 400 for invalid bytes or an unknown kind.
 */
export async function protobufToJson(bytes: Uint8Array): Promise<string> {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw badRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  const table = (await import("./data/protobuf.json", { with: { type: "json" } })).default as unknown as Messages;
  try {
    const { kind, apiVersion, raw } = envelope(new ProtobufReader(bytes.subarray(MAGIC.length)));
    const name = messageOf(apiVersion, kind);
    if (name === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
    return formatJson({
      kind,
      apiVersion,
      ...new MessageDecoder(table).decode(name, new ProtobufReader(raw), 0) as Fields,
    });
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(`the protobuf message cannot be read: ${error.message}`);
    throw error;
  }
}

function messageOf(apiVersion: string, kind: string): string | undefined {
  const type = builtinResourceTypes().find((type) =>
    type.kind === kind && (type.group === "" ? type.version : `${type.group}/${type.version}`) === apiVersion
  );
  return type?.schema.$ref ?? (Object.hasOwn(OTHER_KINDS, kind) ? OTHER_KINDS[kind] : undefined);
}

function envelope(reader: ProtobufReader): { kind: string; apiVersion: string; raw: Uint8Array } {
  const unknown = { kind: "", apiVersion: "", raw: new Uint8Array() };
  for (let field = reader.field(); field; field = reader.field()) {
    if (field.number === 1) {
      const inner = new ProtobufReader(reader.bytes());
      for (let part = inner.field(); part; part = inner.field()) {
        if (part.number === 1) unknown.apiVersion = inner.text();
        else if (part.number === 2) unknown.kind = inner.text();
        else inner.skip(part.wire);
      }
    } else if (field.number === 2) unknown.raw = reader.bytes();
    else reader.skip(field.wire);
  }
  return unknown;
}

class MessageDecoder {
  readonly #table: Messages;

  constructor(table: Messages) {
    this.#table = table;
  }

  decode(name: string, reader: ProtobufReader, depth: number): unknown {
    if (depth > DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX}`);
    const rows = Object.hasOwn(this.#table, name) ? this.#table[name]! : [];
    const fields: Fields = {};
    for (let field = reader.field(); field; field = reader.field()) {
      const row = rows.find(([number]) => number === field.number);
      if (!row) {
        reader.skip(field.wire);
        continue;
      }
      if (field.wire !== wireOf(row)) {
        throw new RangeError(`wire type ${field.wire} does not fit the field "${row[1]}"`);
      }
      this.#field(row, reader, fields, depth);
    }
    return Object.hasOwn(CUSTOM_JSON, name) ? CUSTOM_JSON[name]!(fields) : fields;
  }

  #field(row: Row, reader: ProtobufReader, fields: Fields, depth: number): void {
    const [, name, type, shape, zero] = row;
    if (shape === MAP) {
      const [key, value] = this.#mapEntry(type, new ProtobufReader(reader.bytes()), depth);
      setKey((fields[name] ??= {}) as Fields, key, value);
      return;
    }
    const value = this.#value(type, reader, depth);
    if (shape === REPEATED) ((fields[name] ??= []) as unknown[]).push(value);
    else if (shape !== SINGULAR) Object.assign(fields, value);
    // An empty message stays: Go's JSON keeps empty structs.
    else if (value !== undefined && (zero === 1 || (value !== "" && value !== 0 && value !== false))) {
      fields[name] = value;
    }
  }

  #mapEntry(type: string, reader: ProtobufReader, depth: number): [string, unknown] {
    let key = "", value: unknown = type === "s" || type === "y" ? "" : type === "i" ? 0 : {};
    for (let field = reader.field(); field; field = reader.field()) {
      if (field.number === 1) key = reader.text();
      else if (field.number === 2) value = this.#value(type, reader, depth);
      else reader.skip(field.wire);
    }
    return [key, value];
  }

  #value(type: string, reader: ProtobufReader, depth: number): unknown {
    switch (type) {
      case "s":
        return reader.text();
      case "b":
        return reader.integer() !== 0;
      case "i":
        return reader.integer();
      case "d":
        return reader.double();
      case "y":
        return toBase64(reader.bytes());
      default:
        return this.decode(type, new ProtobufReader(reader.bytes()), depth + 1);
    }
  }
}

function wireOf([, , type, shape]: Row): number {
  if (shape === MAP) return WIRE.bytes;
  return type === "b" || type === "i" ? WIRE.varint : type === "d" ? WIRE.fixed64 : WIRE.bytes;
}
