import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { type Clock, formatJson } from "../base/mod.ts";
import type { Storage } from "./storage.ts";
import { serviceAccountUser, type UserInfo } from "./user_info.ts";

/** An object whose end also ends the token. */
export interface BoundObject {
  readonly kind: "Pod" | "Secret" | "Node";
  readonly name: string;
  readonly uid: string;
}

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What is asked for. */
export interface TokenRequest {
  readonly account: Account;
  readonly audiences: readonly string[];
  readonly lifetimeMs: number;
  readonly bound?: BoundObject;
}

interface Token extends TokenRequest {
  readonly id: string;
  readonly expiresMs: number;
}

interface SigningKey {
  readonly secret: KeyObject;
  readonly id: string;
  /** As a JSON Web Key. */
  readonly published: Readonly<Record<string, unknown>>;
}

/** Evicts the oldest. */
const TOKENS_MAX = 10_000;
export const ISSUER = "https://kubernetes.default.svc";
const ALGORITHM = "ES256";
const BOUND_RESOURCES = { Pod: "pods", Secret: "secrets", Node: "nodes" } as const;
const EXTRA = "authentication.kubernetes.io";

/**
 * ServiceAccounts' tokens: JSON Web Tokens that {@linkcode TokenIssuer.keys} verifies. This server also knows each by
 * itself: tokens expire, and end with their ServiceAccount and bound object; a new one of that name is another.
 */
export class TokenIssuer {
  readonly #clock: Clock;
  readonly #storage: Storage;
  readonly #tokens = new Map<string, Token>();
  #key: SigningKey | undefined;

  constructor(clock: Clock, storage: Storage) {
    this.#clock = clock;
    this.#storage = storage;
  }

  issue(request: TokenRequest): string {
    const { account: { namespace, name, uid }, audiences, lifetimeMs, bound } = request;
    const id = randomUUID(), nowMs = this.#clock.now(), issuedAt = Math.floor(nowMs / 1_000);
    const token = this.#signed({
      aud: audiences,
      exp: issuedAt + Math.floor(lifetimeMs / 1_000),
      iat: issuedAt,
      iss: ISSUER,
      jti: id,
      "kubernetes.io": {
        namespace,
        ...bound && { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } },
        serviceaccount: { name, uid },
      },
      nbf: issuedAt,
      sub: `system:serviceaccount:${namespace}:${name}`,
    });
    const oldest = this.#tokens.size >= TOKENS_MAX ? this.#tokens.keys().next().value : undefined;
    if (oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.set(token, { ...request, id, expiresMs: nowMs + lifetimeMs });
    return token;
  }

  /** The user of a token for this server; undefined where it is unknown, has expired, or is for other audiences. */
  userOf(token: string): UserInfo | undefined {
    const known = this.#valid(token);
    return known?.audiences.includes(ISSUER) ? userOf(known) : undefined;
  }

  /** Whose token it is and for which audiences; undefined where it is unknown or has expired. */
  review(token: string): { readonly user: UserInfo; readonly audiences: readonly string[] } | undefined {
    const known = this.#valid(token);
    return known && { user: userOf(known), audiences: known.audiences };
  }

  /** `/.well-known/openid-configuration`. */
  get configuration(): Record<string, unknown> {
    return {
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [ALGORITHM],
    };
  }

  /** `/openid/v1/jwks`. */
  get keys(): Record<string, unknown> {
    return { keys: [this.#signingKey().published] };
  }

  #valid(token: string): Token | undefined {
    const known = this.#tokens.get(token);
    if (!known) return undefined;
    const { account: { namespace, name, uid }, expiresMs, bound } = known;
    const hasBound = !bound ||
      this.#uidOf(BOUND_RESOURCES[bound.kind], bound.kind === "Node" ? "" : namespace, bound.name) === bound.uid;
    if (expiresMs > this.#clock.now() && this.#uidOf("serviceaccounts", namespace, name) === uid && hasBound) {
      return known;
    }
    this.#tokens.delete(token);
    return undefined;
  }

  #uidOf(resource: string, namespace: string, name: string): string | undefined {
    return this.#storage.get(resource, namespace === "" ? name : `${namespace}/${name}`)?.object.metadata?.uid;
  }

  /** Made on first use: a server starts fast. Elliptic, because an RSA key takes a quarter of a second. */
  #signingKey(): SigningKey {
    if (this.#key) return this.#key;
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const id = createHash("sha256").update(publicKey.export({ format: "der", type: "spki" })).digest("base64url");
    const published = { use: "sig", kid: id, alg: ALGORITHM, ...publicKey.export({ format: "jwk" }) };
    this.#key = { secret: privateKey, id, published };
    return this.#key;
  }

  #signed(claims: Record<string, unknown>): string {
    const { secret, id } = this.#signingKey();
    const text = [{ alg: ALGORITHM, kid: id }, claims].map((part) => base64url(formatJson(part))).join(".");
    const bytes = new TextEncoder().encode(text);
    return `${text}.${sign("SHA256", bytes, { key: secret, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }
}

function base64url(text: string): string {
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

function userOf({ account: { namespace, name, uid }, id, bound }: Token): UserInfo {
  const kind = bound?.kind.toLowerCase();
  const extra = {
    [`${EXTRA}/credential-id`]: [`JTI=${id}`],
    ...bound && { [`${EXTRA}/${kind}-name`]: [bound.name], [`${EXTRA}/${kind}-uid`]: [bound.uid] },
  };
  return { ...serviceAccountUser(namespace, name, uid), extra };
}
