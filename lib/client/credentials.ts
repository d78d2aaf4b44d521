import type { TransportRequest } from "../base/mod.ts";

/** Headers of a request; a list is sent as lines of their own. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** How a connection is secured. A new object (not an edited one) tells a transport to connect anew. */
export interface TlsSettings {
  /** Trusted authorities as PEM; absent: the system's. */
  readonly caCerts?: readonly string[];
  /** Client certificate and key as PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** Trusts any certificate. For test clusters. */
  readonly insecureSkipVerify?: boolean;
  /** The name that the server's certificate is checked for, where it is not the address. */
  readonly serverName?: string;
  /** A proxy that is between, whatever the environment says. */
  readonly proxyUrl?: string;
}

/** Who the caller is. Transports ask before every request, so credentials may change while a process runs. */
export interface Credentials {
  /** Headers that authenticate a request. @throws {UsageError} where they cannot be had. */
  headers(): Promise<HeaderFields>;
  /** The server refused the last ones (401): do not serve them from memory again. */
  invalidate(): void;
  readonly tls: TlsSettings;
}

/** Whom to act as (Kubernetes, "User impersonation"). */
export interface Impersonation {
  /** Name of the user. */
  readonly user: string;
  /** Groups beside it; none where absent. */
  readonly groups?: readonly string[];
  /** Uid of the user; none where absent. */
  readonly uid?: string;
  /** What else an authenticator would say of the user, by key. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Credentials that never change. */
export class StaticCredentials implements Credentials {
  constructor(readonly tls: TlsSettings, readonly fields: HeaderFields = {}) {}

  /** See {@linkcode Credentials.headers}. */
  headers(): Promise<HeaderFields> {
    return Promise.resolve(this.fields);
  }

  /** They cannot be renewed. */
  invalidate(): void {}
}

/** `credentials`, acting as somebody else. */
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

/** A key as part of a header's name: what no name may hold is percent-encoded (Kubernetes, "User impersonation"). */
function headerNameOf(key: string): string {
  return [...new TextEncoder().encode(key.toLowerCase())].map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[a-z0-9!#$&'*+.^_`|~-]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/** The value of an `Authorization` header for a user and a password (RFC 7617), in UTF-8 as kubectl sends them. */
export function basic(user: string, password: string): HeaderFields {
  return { authorization: `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}` };
}

/** The value of an `Authorization` header for a bearer token. */
export function bearer(token: string): HeaderFields {
  return { authorization: `Bearer ${token}` };
}

/**
 * Sends a request with credentials, and once more with fresh ones where the server refuses them (401): tokens expire between
 * two looks at them.
 */
export async function sendAuthenticated(
  credentials: Credentials,
  request: TransportRequest,
  send: (headers: HeaderFields) => Promise<Response>,
): Promise<Response> {
  const fields = await credentials.headers();
  const response = await send({ ...request.headers, ...fields });
  if (response.status !== 401) return response;
  credentials.invalidate();
  const fresh = await credentials.headers();
  if (fresh.authorization === fields.authorization) return response;
  await response.body?.cancel();
  return await send({ ...request.headers, ...fresh });
}
