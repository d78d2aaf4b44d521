/** Text formats of the schema's `formats`. */
export const FORMATS = [
  "date-time",
  "date",
  "email",
  "ipv4",
  "ipv6",
  "uri",
  "uuid",
  "byte",
  "duration",
  "cidr",
  "hostname",
];

/** Of a widget's `spec`. */
export const spec = {
  type: "object",
  required: ["size"],
  properties: {
    size: { type: "integer", minimum: 1, maximum: 10 },
    ratio: { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
    even: { type: "integer", multipleOf: 2 },
    mode: { type: "string", enum: ["a", "b"], default: "a" },
    word: { type: "string", pattern: "^a+$", minLength: 2, maxLength: 5 },
    on: { type: "boolean" },
    tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" }, minItems: 1, maxItems: 3 },
    plain: { type: "array", items: { type: "integer" }, maxItems: 2 },
    parts: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name", "zone"],
      items: {
        type: "object",
        required: ["name"],
        properties: {
          name: { type: "string" },
          zone: { type: "string", default: "z" },
          count: { type: "integer", default: 1 },
          labels: { type: "object", additionalProperties: { type: "string" } },
        },
      },
    },
    labels: { type: "object", additionalProperties: { type: "string" }, maxProperties: 2 },
    needy: { type: "object", minProperties: 1, properties: { a: { type: "string" }, b: { type: "string" } } },
    port: { "x-kubernetes-int-or-string": true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { known: { type: "object" } } },
    atomic: {
      type: "object",
      "x-kubernetes-map-type": "atomic",
      properties: { a: { type: "string" }, b: { type: "string" } },
    },
    maybe: { type: "string", nullable: true },
    filled: { type: "object", default: {}, properties: { deep: { type: "string", default: "d" } } },
    one: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      oneOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    any: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    no: { type: "object", properties: { a: { type: "string" } }, not: { required: ["a"] } },
    formats: {
      type: "object",
      properties: Object.fromEntries(FORMATS.map((format) => [format, { type: "string", format }])),
    },
    template: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } },
    range: {
      type: "object",
      properties: { low: { type: "integer" }, high: { type: "integer" }, name: { type: "string" } },
      "x-kubernetes-validations": [
        { rule: "!has(self.low) || !has(self.high) || self.low <= self.high", message: "low must not exceed high" },
        {
          rule: "!has(self.high) || self.high < 100",
          messageExpression: "self.high > 200 ? 'far too high' : 'too high'",
          reason: "FieldValueForbidden",
          fieldPath: ".high",
        },
        { rule: "!has(self.name) || self.name.startsWith('n')" },
      ],
    },
    fixed: {
      type: "string",
      maxLength: 20,
      "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "is immutable" }],
    },
  },
};

/** Widgets, whose CRD uses every part of a structural schema. */
export const WIDGETS = "shop.example.com/v1/widgets";

/** A CRD that uses every part of a structural schema. */
export const WIDGET_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.shop.example.com" },
  spec: {
    group: "shop.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList", shortNames: ["wd"] },
    versions: [{
      name: "v1",
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: { spec, status: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      },
    }],
  },
};

/** A widget of the name `a`. */
export function widgetOf(spec: unknown, metadata: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: "shop.example.com/v1", kind: "Widget", metadata: { name: "a", ...metadata }, spec };
}
