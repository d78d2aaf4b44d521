/** A node of zod's JSON Schema, or of a CRD's structural schema. */
export type SchemaNode = { [keyword: string]: unknown };
