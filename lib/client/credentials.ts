import { type TransportRequest, UsageError } from "../base/mod.ts";
import { UnreachableError, type UnreachableKind } from "./unreachable.ts";

/** Headers of a request; a list is sent as separate lines. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** A new object (not an edited one) makes a transport reconnect. */
export interface TlsSettings {
  /** PEM; the system's where absent. */
  readonly caCerts?: readonly string[];
  /** PEM, with `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** For test clusters. */
  readonly insecureSkipVerify?: boolean;
  /** The name in the server's certificate, where it is not the address. */
  readonly serverName?: string;
  /** A proxy that overrides the environment. */
  readonly proxyUrl?: string;
}

/** Read before every request, so they may change while a process runs. */
export interface Credentials {
  /** @throws {UsageError} where they are unavailable. */
  headers(): Promise<HeaderFields>;
  /** The last ones were refused (401), or the TLS handshake failed: do not use the cache again. */
  invalidate(): void;
  readonly tls: TlsSettings;
}

/** The user to impersonate (Kubernetes, "User impersonation"). */
export interface Impersonation {
  /** User name. */
  readonly user: string;
  /** None where absent. */
  readonly groups?: readonly string[];
  /** None where absent. */
  readonly uid?: string;
  /** Extra fields, by key. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export class StaticCredentials implements Credentials {
  constructor(readonly tls: TlsSettings, readonly fields: HeaderFields = {}) {}

  headers(): Promise<HeaderFields> {
    return Promise.resolve(this.fields);
  }

  /** They cannot be renewed. */
  invalidate(): void {}
}

export function impersonating(credentials: Credentials, as: Impersonation): Credentials {
  const { user, groups = [], uid, extra = {} } = as;
  const fields: HeaderFields = {
    "impersonate-user": user,
    ...(groups.length > 0 && { "impersonate-group": groups }),
    ...(uid && { "impersonate-uid": uid }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [`impersonate-extra-${headerNameOf(key)}`, values]),
    ),
  };
  return {
    get tls() {
      return credentials.tls;
    },
    headers: async () => ({ ...await credentials.headers(), ...fields }),
    invalidate: () => credentials.invalidate(),
  };
}

/** Percent-encoded where invalid in a header's name (Kubernetes, "User impersonation"). */
function headerNameOf(key: string): string {
  return [...new TextEncoder().encode(key.toLowerCase())].map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[a-z0-9!#$&'*+.^_`|~-]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/** RFC 7617, in UTF-8 as kubectl sends it. */
export function basic(user: string, password: string): HeaderFields {
  return { authorization: `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}` };
}

export function bearer(token: string): HeaderFields {
  return { authorization: `Bearer ${token}` };
}

const OF_TLS: ReadonlySet<UnreachableKind> = new Set<UnreachableKind>([
  "unknownAuthority",
  "certificateName",
  "certificateExpired",
  "tls",
]);
/** More refusals in a row are no renewal in progress. */
const REFUSALS_MAX = 3;

/**
 * Sends requests with credentials. Retries once with fresh ones after a 401 or a failed handshake, because tokens and
 * certificates are renewed while a process runs.
 */
export class AuthenticatedSender {
  readonly #credentials: Credentials;
  #refusals = 0;
  #reason: string | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  get refused(): string | undefined {
    return this.#refusals >= REFUSALS_MAX ? this.#reason : undefined;
  }

  async send(request: TransportRequest, send: (headers: HeaderFields) => Promise<Response>): Promise<Response> {
    const credentials = this.#credentials, fields = await credentials.headers(), { tls } = credentials;
    const attempt = (fields: HeaderFields) => this.#observed(send({ ...request.headers, ...fields }));
    const renewed = async () => {
      credentials.invalidate();
      const fresh = await credentials.headers();
      return fresh.authorization !== fields.authorization || credentials.tls !== tls ? fresh : undefined;
    };
    let response: Response | undefined;
    try {
      response = await attempt(fields);
      if (response.status !== 401) return response;
    } catch (error) {
      if (!isOfTls(error)) throw error;
      const fresh = await renewed();
      if (!fresh) throw error;
      return await attempt(fresh);
    }
    const fresh = await renewed();
    if (!fresh) return response;
    await response.body?.cancel();
    return await attempt(fresh);
  }

  async #observed(answer: Promise<Response>): Promise<Response> {
    try {
      const response = await answer;
      if (response.status === 401) this.#refuse("the API server refuses the credentials (401): renew them");
      else this.#refusals = 0;
      return response;
    } catch (error) {
      if (isOfTls(error)) this.#refuse(error.message);
      throw error;
    }
  }

  #refuse(reason: string): void {
    this.#refusals++;
    this.#reason = reason;
  }
}

/** A failed handshake, or a renewed certificate that was read before its key. */
function isOfTls(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof UnreachableError && OF_TLS.has(error.kind));
}
