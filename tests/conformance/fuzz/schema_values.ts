import type { Schema } from "../../../lib/apiserver/resource_type.ts";

const DEPTH_MAX = 6;

/** A value that a schema is likely to accept: what it requires, and a default, an allowed value or a bound. */
export function valueOf(schema: Schema, depth: number = 0): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum?.length) return schema.enum[0];
  if (schema["x-kubernetes-int-or-string"]) return 1;
  const [first] = schema.oneOf ?? schema.anyOf ?? [];
  switch (schema.type) {
    case "string":
      return textOf(schema);
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 1, 1);
    case "boolean":
      return true;
    case "array":
      return (schema.minItems ?? 0) > 0 && schema.items ? [valueOf(schema.items, depth + 1)] : [];
    default:
      return objectOf(schema, [...schema.required ?? [], ...first?.required ?? []], depth);
  }
}

function objectOf(schema: Schema, required: readonly string[], depth: number): Record<string, unknown> {
  const wanted = new Set([...required, ...depth < 2 ? Object.keys(schema.properties ?? {}) : []]);
  const value: Record<string, unknown> = {};
  if (depth > DEPTH_MAX) return value;
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (wanted.has(name) && name !== "status" && name !== "metadata") value[name] = valueOf(child, depth + 1);
  }
  return value;
}

const FORMATTED: Readonly<Record<string, string>> = {
  "date-time": "2024-01-02T03:04:05Z",
  date: "2024-01-02",
  duration: "1h",
  uri: "https://example.com/a",
  ipv4: "10.0.0.1",
  ipv6: "fd00::1",
  cidr: "10.0.0.0/8",
  byte: "YQ==",
  uuid: "123e4567-e89b-12d3-a456-426614174000",
};
const SAMPLES = ["a", "A", "1", "1h", "1Gi", "10%", "a.example.com", "a/b", "example.com/a", "https://a.example.com"];

function textOf({ format, pattern, minLength = 0 }: Schema): string {
  if (format && FORMATTED[format]) return FORMATTED[format];
  const long = "a".repeat(Math.max(1, minLength));
  if (pattern === undefined) return long;
  try {
    const expression = new RegExp(pattern);
    return [long, ...SAMPLES].find((text) => expression.test(text)) ?? long;
  } catch {
    return long; // an expression that only Go reads
  }
}
