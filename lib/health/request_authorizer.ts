import { type Clock, describeError, isObject } from "../base/mod.ts";
import { type AccessRequest, type AccessSubject, Client, ForbiddenError } from "../client/mod.ts";
import { TokenBucket } from "../queue/mod.ts";

/** Of tokens that authenticate to an operator and to no API server: a stolen one is useless there. */
export const TOKEN_AUDIENCE = "explain.pintle.dev";
/** API servers drop `Authorization` from requests that they pass on to a pod. */
export const TOKEN_HEADER = "pintle-authorization";

/** A caller waits; it can ask again. */
const REVIEW_MS_MAX = 5_000;
/** Reviews are used again for so long. */
const CACHE_MS = 10_000;
const CACHED_MAX = 1_000;
/** Callers without rights must not make the operator load the API server. */
const REVIEWS = { burst: 50, refillMs: 100 };
const REVIEW = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };

/** Why a request gets no answer, with its HTTP status. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly problem: string;
}

/**
 * Authenticates callers of an HTTP port by TokenReview, and authorizes them by SubjectAccessReview: Kubernetes decides
 * both. Results are reused for ten seconds. Tokens are not kept, only their digests.
 */
export class RequestAuthorizer {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #cache = new Map<string, { readonly result: Promise<unknown>; readonly untilMs: number }>();

  /** `client` may create reviews; every replica sends them, the leader or not. */
  constructor(client: Client, clock: Clock) {
    this.#client = new Client(client, { requestTimeoutMs: REVIEW_MS_MAX, retriesMax: 0 });
    this.#clock = clock;
    this.#bucket = new TokenBucket(clock, REVIEWS);
  }

  /** The caller, by its bearer token of {@linkcode TOKEN_AUDIENCE}. */
  async authenticate({ headers }: Request): Promise<AccessSubject | Refusal> {
    const header = headers.get(TOKEN_HEADER) ?? headers.get("authorization");
    const token = /^Bearer\s+(\S+)$/i.exec(header ?? "")?.[1];
    if (!token) return { status: 401, problem: "a bearer token is missing" };
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
    return await this.#reviewed<AccessSubject | Refusal>(`token ${new Uint8Array(digest).toHex()}`, async () => {
      const spec = { token, audiences: [TOKEN_AUDIENCE] };
      const path = "/apis/authentication.k8s.io/v1/tokenreviews", body = { ...REVIEW, spec };
      const answer = await this.#client.raw(path, { method: "POST", body });
      return userOf(answer);
    });
  }

  /** Undefined if `user` may. */
  async refusal(user: AccessSubject, request: AccessRequest): Promise<Refusal | undefined> {
    const allowed = await this.#reviewed(
      `access ${JSON.stringify([user, request])}`,
      () => this.#client.can(request, { user }),
    );
    if (allowed === true) return undefined;
    return allowed === false ? { status: 403, problem: deniedText(user, request) } : allowed;
  }

  async #reviewed<T>(key: string, review: () => Promise<T>): Promise<T | Refusal> {
    const nowMs = this.#clock.elapsed(), known = this.#cache.get(key);
    try {
      if (known && known.untilMs > nowMs) return await (known.result as Promise<T>);
      if (!this.#bucket.take()) return { status: 429, problem: "too many requests with unknown tokens or objects" };
      const result = review();
      this.#cache.delete(key);
      this.#cache.set(key, { result, untilMs: nowMs + CACHE_MS });
      if (this.#cache.size > CACHED_MAX) this.#cache.delete(this.#cache.keys().next().value!);
      return await result;
    } catch (error) {
      this.#cache.delete(key);
      const fix = error instanceof ForbiddenError ? "; bring its RBAC rules up to date with `install`" : "";
      return { status: 503, problem: `the operator cannot review the request: ${describeError(error)}${fix}` };
    }
  }
}

/** Of a TokenReview. */
function userOf(review: unknown): AccessSubject | Refusal {
  const status = isObject(review) && isObject(review.status) ? review.status : {};
  const user = isObject(status.user) ? status.user : {}, { username: name } = user;
  if (status.authenticated !== true || typeof name !== "string") {
    return { status: 401, problem: `the token is unknown, has expired, or is not for ${TOKEN_AUDIENCE}` };
  }
  const { uid, groups = [], extra } = user as Partial<AccessSubject>;
  return { name, uid, groups, extra };
}

export function isRefusal(value: AccessSubject | Refusal): value is Refusal {
  return "problem" in value;
}

/** In the words of API servers. */
function deniedText({ name: user }: AccessSubject, { verb, resource, namespace, name }: AccessRequest): string {
  const { group, plural } = resource, where = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
  return `user "${user}" cannot ${verb} resource "${plural}" in API group "${group}" ${where}${
    name ? ` ("${name}")` : ""
  }`;
}
