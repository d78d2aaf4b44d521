import type { ApiResource } from "../apimachinery/mod.ts";
import { isObject } from "../base/mod.ts";
import type { Requester } from "./requester.ts";
import { notKubernetes } from "./unreachable.ts";

/** Whom a server may be asked about. */
export interface AccessSubject {
  /** As the server knows it, for instance `system:serviceaccount:NAMESPACE:NAME`. */
  readonly name: string;
  /** Every group that the server counts it to. */
  readonly groups: readonly string[];
}

const reviews = (kind: string): ApiResource => ({
  group: "authorization.k8s.io",
  version: "v1",
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: false,
});
const OF_CALLER = reviews("SelfSubjectAccessReview"), OF_ANYBODY = reviews("SubjectAccessReview");

/** Asks the server whether the caller, or somebody else, may do something. See {@linkcode Client.can}. */
export async function canDo(
  requester: Requester,
  verb: string,
  resource: { group: string; plural: string; subresource?: string },
  namespace?: string,
  name?: string,
  signal?: AbortSignal,
  user?: AccessSubject,
): Promise<boolean> {
  const { group, plural, subresource } = resource, review = user ? OF_ANYBODY : OF_CALLER;
  const resourceAttributes = { verb, group, resource: plural, subresource, namespace, name };
  const answer = await requester.json<{ status?: { allowed?: boolean } }>({
    subject: { verb: "create", resource: review },
    method: "POST",
    path: `/apis/${review.group}/${review.version}/${review.plural}`,
    body: {
      apiVersion: `${review.group}/${review.version}`,
      kind: review.kind,
      spec: { resourceAttributes, ...(user ? { user: user.name, groups: user.groups } : {}) },
    },
    repeatable: true, // a question: the server keeps nothing
    signal,
  });
  if (!isObject(answer?.status)) {
    throw notKubernetes(requester.transport.server, `${review.kind}: an answer without status`);
  }
  return answer.status.allowed === true;
}
