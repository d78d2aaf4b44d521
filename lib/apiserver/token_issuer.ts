import { randomBytes } from "node:crypto";
import type { Clock } from "../base/mod.ts";
import type { Storage } from "./storage.ts";
import { serviceAccountUser, type UserInfo } from "./user_info.ts";

interface Token {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly expiresMs: number;
}

/** Evicts the oldest. */
const TOKENS_MAX = 10_000;
const ENTROPY_BYTES = 32;

/**
 * ServiceAccounts' opaque tokens, known to this server only. They expire, and end with their ServiceAccount; a new one
 * of that name is another.
 */
export class TokenIssuer {
  readonly #clock: Clock;
  readonly #storage: Storage;
  readonly #tokens = new Map<string, Token>();

  constructor(clock: Clock, storage: Storage) {
    this.#clock = clock;
    this.#storage = storage;
  }

  issue(account: { namespace: string; name: string; uid: string }, lifetimeMs: number): string {
    // Not from Random: a known seed would reveal it.
    const token = `embedded.${randomBytes(ENTROPY_BYTES).toString("base64url")}`;
    const oldest = this.#tokens.size >= TOKENS_MAX ? this.#tokens.keys().next().value : undefined;
    if (oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.set(token, { ...account, expiresMs: this.#clock.now() + lifetimeMs });
    return token;
  }

  /** Undefined for an unknown or expired token. */
  userOf(token: string): UserInfo | undefined {
    const known = this.#tokens.get(token);
    if (!known) return undefined;
    const { namespace, name, uid, expiresMs } = known;
    const account = this.#storage.get("serviceaccounts", `${namespace}/${name}`)?.object;
    if (expiresMs > this.#clock.now() && account?.metadata?.uid === uid) {
      return serviceAccountUser(namespace, name, uid);
    }
    this.#tokens.delete(token);
    return undefined;
  }
}
