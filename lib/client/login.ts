import { type Clock, describeError, formatJson, UsageError } from "../base/mod.ts";
import { bearer, type Credentials, type HeaderFields, type TlsSettings } from "./credentials.ts";

/** Server and credentials: the result of a login hook. */
export interface Login {
  /** Such as `https://10.0.0.1:6443`. */
  readonly server: string;
  /** The default namespace; `default` where absent. */
  readonly namespace?: string;
  /** PEM; the system's where absent. */
  readonly caCerts?: readonly string[];
  /** A bearer token. */
  readonly token?: string;
  /** PEM, with `key`. */
  readonly cert?: string;
  /** PEM. */
  readonly key?: string;
  /** Headers of another authentication. */
  readonly headers?: Readonly<Record<string, string>>;
  /** When the hook is called again, in milliseconds since the epoch; a 401 also calls it. */
  readonly expiresAtMs?: number;
}

/** Called at the start, when the credentials expire, and when a server refuses them. */
export type LoginHook = (context: { readonly clock: Clock; readonly signal: AbortSignal }) => Promise<Login> | Login;

const LOGIN_MS_MAX = 30_000;

/** Credentials of a hook. Concurrent requests share one call. The server is that of the first call. */
export class LoginCredentials implements Credentials {
  readonly #hook: LoginHook;
  readonly #clock: Clock;
  #login: Login;
  #renewing: Promise<void> | undefined;
  #stale = false;
  #tls: TlsSettings;

  private constructor(hook: LoginHook, clock: Clock, login: Login) {
    this.#hook = hook;
    this.#clock = clock;
    this.#login = login;
    this.#tls = tlsOf(login);
  }

  /** @throws {UsageError} where the hook fails, takes too long or returns no address. */
  static async open(hook: LoginHook, clock: Clock): Promise<{ login: Login; credentials: LoginCredentials }> {
    const login = await callHook(hook, clock);
    return { login, credentials: new LoginCredentials(hook, clock, login) };
  }

  /** Another object for other certificates: {@linkcode Credentials.tls}. */
  get tls(): TlsSettings {
    return this.#tls;
  }

  async headers(): Promise<HeaderFields> {
    const { expiresAtMs } = this.#login;
    if (this.#stale || (expiresAtMs !== undefined && expiresAtMs <= this.#clock.now())) {
      await (this.#renewing ??= this.#renew().finally(() => this.#renewing = undefined));
    }
    const { token, headers = {} } = this.#login;
    return { ...headers, ...(token === undefined ? {} : bearer(token)) };
  }

  invalidate(): void {
    this.#stale = true;
  }

  async #renew(): Promise<void> {
    const login = await callHook(this.#hook, this.#clock), tls = tlsOf(login);
    this.#login = login;
    if (formatJson(tls) !== formatJson(this.#tls)) this.#tls = tls;
    this.#stale = false;
  }
}

async function callHook(hook: LoginHook, clock: Clock): Promise<Login> {
  const cut = new AbortController(), late = Promise.withResolvers<never>();
  const timer = clock.schedule(() => {
    const error = new Error("it did not return within 30s");
    cut.abort(error);
    late.reject(error);
  }, LOGIN_MS_MAX);
  try {
    const call = Promise.resolve(hook({ clock, signal: cut.signal }));
    call.catch(() => {}); // a late failure is ignored
    const login = await Promise.race([call, late.promise]);
    if (!/^https?:\/\//.test(login?.server ?? "")) throw new Error("it returned no server with https:// or http://");
    return login;
  } catch (cause) {
    throw new UsageError(
      `the operator's login hook failed: ${describeError(cause)}`,
      "correct the function given to operator.login(…)",
      { cause },
    );
  } finally {
    clock.clear(timer);
  }
}

function tlsOf({ caCerts, cert, key }: Login): TlsSettings {
  return { ...(caCerts ? { caCerts } : {}), ...(cert ? { cert, key } : {}) };
}
