import type { ApiResource } from "../apimachinery/mod.ts";
import type { Requester } from "./requester.ts";

const REVIEWS: ApiResource = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  namespaced: false,
};

/** Asks the server whether the caller may do something. See {@linkcode Client.can}. */
export async function canDo(
  requester: Requester,
  verb: string,
  resource: { group: string; plural: string; subresource?: string },
  namespace?: string,
  name?: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const { group, plural, subresource } = resource;
  const review = await requester.json<{ status?: { allowed?: boolean } }>({
    subject: { verb: "create", resource: REVIEWS },
    method: "POST",
    path: `/apis/${REVIEWS.group}/${REVIEWS.version}/${REVIEWS.plural}`,
    body: {
      apiVersion: `${REVIEWS.group}/${REVIEWS.version}`,
      kind: REVIEWS.kind,
      spec: { resourceAttributes: { verb, group, resource: plural, subresource, namespace, name } },
    },
    repeatable: true, // a question: the server keeps nothing
    signal,
  });
  return review.status?.allowed === true;
}
