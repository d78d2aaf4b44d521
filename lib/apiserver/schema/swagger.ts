import { formatApiVersion } from "../../apimachinery/mod.ts";
import { isObject } from "../../base/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import { openApiDocument } from "./openapi.ts";

type Json = Record<string, unknown>;

const FROM = "#/components/schemas/", TO = "#/definitions/";

/** `GET /openapi/v2`: the documents of all groups as one Swagger 2.0 document. */
export function swaggerDocument(types: readonly ResourceType[]): Json {
  const paths: Json = {}, definitions: Json = {};
  for (const groupVersion of new Set(types.map(formatApiVersion))) {
    const document = openApiDocument(types, groupVersion) as {
      paths: Json;
      components: { schemas: Record<string, Json> };
    };
    for (const [path, item] of Object.entries(document.paths)) paths[path] = pathItem(item as Json);
    for (const [name, schema] of Object.entries(document.components.schemas)) definitions[name] = swaggerSchema(schema);
  }
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: "1.37" },
    paths,
    definitions,
    securityDefinitions: {
      BearerToken: {
        description: "Bearer Token authentication",
        type: "apiKey",
        name: "authorization",
        in: "header",
      },
    },
    security: [{ BearerToken: [] }],
  };
}

/** A reference stands beside its description, without allOf; a value of several types has none. */
function swaggerSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(swaggerSchema);
  if (!isObject(value)) {
    return typeof value === "string" && value.startsWith(FROM) ? TO + value.slice(FROM.length) : value;
  }
  const { allOf, oneOf, ...rest } = value;
  const schema = Object.fromEntries(Object.entries(rest).map(([field, item]) => [field, swaggerSchema(item)]));
  const [only, ...more] = Array.isArray(allOf) ? allOf : [];
  if (isObject(only) && typeof only.$ref === "string" && more.length === 0) schema.$ref = swaggerSchema(only.$ref);
  if (Array.isArray(oneOf) && rest["x-kubernetes-int-or-string"]) schema.format = "int-or-string";
  return schema;
}

function pathItem(item: Json): Json {
  const { parameters, ...operations } = item;
  const entries = Object.entries(operations).map((
    [method, operation],
  ) => [method, swaggerOperation(operation as Json)]);
  return { ...Object.fromEntries(entries), parameters: (parameters as Json[]).map(swaggerParameter) };
}

function swaggerParameter({ schema, ...rest }: Json): Json {
  return { ...rest, ...isObject(schema) && schema };
}

function swaggerOperation({ parameters, requestBody, responses, ...rest }: Json): Json {
  const given = Array.isArray(parameters) ? parameters.map(swaggerParameter) : [];
  const content = isObject(requestBody) && isObject(requestBody.content) ? requestBody.content : undefined;
  const body = content && (Object.values(content)[0] as Json).schema;
  const answers = Object.entries(responses as Record<string, Json>).map(([code, { content, ...answer }]) => {
    const schema = isObject(content) ? (content["application/json"] as Json).schema : undefined;
    return [code, { ...answer, ...schema !== undefined && { schema: swaggerSchema(schema) } }];
  });
  return {
    ...rest,
    consumes: content ? Object.keys(content) : ["*/*"],
    produces: ["application/json", "application/yaml"],
    parameters: body === undefined
      ? given
      : [...given, { name: "body", in: "body", required: true, schema: swaggerSchema(body) }],
    responses: Object.fromEntries(answers),
    schemes: ["https"],
  };
}
