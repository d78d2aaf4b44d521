import { formatKey } from "../../apimachinery/mod.ts";
import { AuthorizerValue, jsonValue, ResourceCheck, type Value, type Variables } from "../cel/mod.ts";
import type { AdmissionAttributes, AdmissionServer } from "./attributes.ts";

/** The variables of expressions on a request (an AdmissionReview's). */
export function requestVariables(
  request: Record<string, unknown>,
  attributes: AdmissionAttributes,
  { storage, authorizer }: Pick<AdmissionServer, "storage" | "authorizer">,
): Record<string, Value | undefined> {
  const { object, oldObject, ...rest } = request;
  const { user, type, subresource, namespace, name } = attributes;
  const subject = new AuthorizerValue(user, (asked, access) => authorizer.decide(asked, access));
  const inNamespace = type.namespaced && namespace !== undefined
    ? storage.get("namespaces", formatKey({ name: namespace }))?.object
    : undefined;
  return {
    object: jsonValue(object),
    oldObject: jsonValue(oldObject),
    request: jsonValue(rest),
    namespaceObject: jsonValue(inNamespace),
    authorizer: subject,
    "authorizer.requestResource": new ResourceCheck(subject, {
      group: type.group,
      plural: type.plural,
      ...(subresource && { subresource }),
      ...(namespace !== undefined && { namespace }),
      name,
    }),
  } satisfies Variables;
}
