import type { ApiResource } from "../apimachinery/mod.ts";
import { isObject } from "../base/mod.ts";
import type { Requester } from "./requester.ts";
import { notKubernetes } from "./unreachable.ts";

/** A user for access reviews. */
export interface AccessSubject {
  /** Such as `system:serviceaccount:NAMESPACE:NAME`. */
  readonly name: string;
  /** All of them. */
  readonly groups: readonly string[];
  /** As authenticated; none where absent. */
  readonly uid?: string;
  /** Extra fields, as authenticated; some authorizers decide by them. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** A request for {@linkcode Client.can}. */
export interface AccessRequest {
  /** As `get` or `patch`. */
  readonly verb: string;
  /** The resource or subresource. */
  readonly resource: { readonly group: string; readonly plural: string; readonly subresource?: string };
  /** All namespaces where absent. */
  readonly namespace?: string;
  /** All objects where absent. */
  readonly name?: string;
}

/** Options of {@linkcode Client.can}. */
export interface AccessOptions {
  /** The caller where absent. */
  readonly user?: AccessSubject;
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

const reviews = (kind: string): ApiResource => ({
  group: "authorization.k8s.io",
  version: "v1",
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: false,
});
const OF_CALLER = reviews("SelfSubjectAccessReview"), OF_ANYBODY = reviews("SubjectAccessReview");

export async function canDo(
  requester: Requester,
  { verb, resource: { group, plural, subresource }, namespace, name }: AccessRequest,
  { user, signal }: AccessOptions,
): Promise<boolean> {
  const review = user ? OF_ANYBODY : OF_CALLER;
  const resourceAttributes = { verb, group, resource: plural, subresource, namespace, name };
  const response = await requester.json<{ status?: { allowed?: boolean } }>({
    subject: { verb: "create", resource: review },
    method: "POST",
    path: `/apis/${review.group}/${review.version}/${review.plural}`,
    body: {
      apiVersion: `${review.group}/${review.version}`,
      kind: review.kind,
      spec: { resourceAttributes, ...(user && subjectFields(user)) },
    },
    idempotent: true, // a review is not stored
    signal,
  });
  if (!isObject(response?.status)) {
    throw notKubernetes(requester.transport.server, `${review.kind}: a response without status`);
  }
  return response.status.allowed === true;
}

function subjectFields({ name, groups, uid, extra }: AccessSubject) {
  return { user: name, groups, uid, extra };
}
