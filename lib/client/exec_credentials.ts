import { type Clock, formatJson, isObject, parseJson, truncate, UsageError } from "../base/mod.ts";
import { bearer, type Credentials, type HeaderFields, type TlsSettings } from "./credentials.ts";

export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { name: string; value: string }[];
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
}

interface ExecOptions {
  readonly tls: TlsSettings;
  readonly server: string;
  readonly clock: Clock;
  /** Base of a relative command: the kubeconfig's folder. */
  readonly directory: string;
  /** Minimum time between runs after refused credentials. */
  readonly runMsMin?: number;
  readonly timeoutMs?: number;
}

interface ExecResponse {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly expiresMs: number;
}

const RUN_MS_MIN = 10_000, TIMEOUT_MS = 60_000;
/** Time for a request to reach the server before expiry. */
const EXPIRY_MARGIN_MS = 10_000;
const STDERR_LENGTH_MAX = 300;

/**
 * Credentials of a plugin (client.authentication.k8s.io): run on demand, cached until they expire or are refused.
 * Concurrent callers share one run.
 */
export class ExecCredentials implements Credentials {
  #tls: TlsSettings;
  #response: ExecResponse | undefined;
  #ranMs = Number.NEGATIVE_INFINITY;
  #running: Promise<ExecResponse> | undefined;

  constructor(readonly plugin: ExecPlugin, readonly options: ExecOptions) {
    this.#tls = options.tls;
  }

  /** With the plugin's client certificate. */
  get tls(): TlsSettings {
    return this.#tls;
  }

  async headers(): Promise<HeaderFields> {
    const known = this.#response;
    if (known && known.expiresMs - EXPIRY_MARGIN_MS > this.options.clock.now()) return fieldsOf(known);
    this.#running ??= this.#run().finally(() => this.#running = undefined);
    return fieldsOf(await this.#running);
  }

  invalidate(): void {
    // Otherwise an unknown user would run the plugin, and maybe its prompt, for every request.
    if (this.options.clock.elapsed() - this.#ranMs >= (this.options.runMsMin ?? RUN_MS_MIN)) this.#response = undefined;
  }

  async #run(): Promise<ExecResponse> {
    const response = responseOf(await this.#output(), this.plugin.command);
    this.#ranMs = this.options.clock.elapsed();
    this.#response = response;
    if (response.cert !== this.#tls.cert) this.#tls = { ...this.options.tls, cert: response.cert, key: response.key };
    return response;
  }

  async #output(): Promise<string> {
    const { command, args = [], env = [], installHint } = this.plugin;
    const { clock, directory, timeoutMs = TIMEOUT_MS } = this.options;
    const kill = new AbortController();
    const timer = clock.schedule(() => kill.abort(), timeoutMs);
    try {
      const output = await new Deno.Command(
        command.includes("/") && !command.startsWith("/") ? `${directory}/${command}` : command,
        {
          args: [...args],
          env: {
            ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
            KUBERNETES_EXEC_INFO: this.#info(),
          },
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
          signal: kill.signal,
        },
      ).output();
      if (output.success) return new TextDecoder().decode(output.stdout);
      if (kill.signal.aborted) {
        throw new UsageError(`the credential plugin "${command}" did not respond within ${timeoutMs / 1_000} s`);
      }
      const message = truncate(new TextDecoder().decode(output.stderr).replace(/\s+/g, " ").trim(), STDERR_LENGTH_MAX);
      throw new UsageError(
        `the credential plugin "${command}" failed with exit code ${output.code}${message && `: ${message}`}`,
        "run it by hand, or log in again with its tool",
      );
    } catch (cause) {
      if (cause instanceof UsageError) throw cause;
      throw cannotRun(command, cause, installHint?.replace(/\s+/g, " ").trim());
    } finally {
      clock.clear(timer);
    }
  }

  #info(): string {
    const { apiVersion, provideClusterInfo } = this.plugin, { server, tls } = this.options;
    const cluster = {
      server,
      "tls-server-name": tls.serverName,
      "insecure-skip-tls-verify": tls.insecureSkipVerify,
      "certificate-authority-data": tls.caCerts && new TextEncoder().encode(tls.caCerts.join("\n")).toBase64(),
      "proxy-url": tls.proxyUrl,
    };
    const spec = { interactive: false, ...(provideClusterInfo ? { cluster } : {}) };
    return formatJson({ apiVersion, kind: "ExecCredential", spec });
  }
}

function cannotRun(command: string, cause: unknown, installHint: string | undefined): UsageError {
  if (cause instanceof Deno.errors.NotFound) {
    const hint = installHint ?? `install "${command}" in a folder of PATH, or use another context`;
    return new UsageError(`the credential plugin "${command}" is not installed`, hint);
  }
  if (cause instanceof Deno.errors.NotCapable) {
    return new UsageError(
      `this program has no permission to run the credential plugin "${command}"`,
      "start it with --allow-run beside its other permissions, or use credentials that need no plugin",
    );
  }
  const problem = `cannot run the credential plugin "${command}"`;
  return new UsageError(problem, `check that "${command}" can be executed`, { cause });
}

function fieldsOf(response: ExecResponse): HeaderFields {
  return response.token ? bearer(response.token) : {};
}

function responseOf(text: string, command: string): ExecResponse {
  const wrong = (what: string) =>
    new UsageError(
      `the credential plugin "${command}" responded ${what}`,
      "check its version and its apiVersion in the kubeconfig",
    );
  let response: unknown;
  try {
    response = parseJson<unknown>(text);
  } catch {
    throw wrong("with no JSON"); // the parser's error quotes what may be a token
  }
  const status = isObject(response) && isObject(response.status) ? response.status : undefined;
  if (!status) throw wrong("without a status");
  const read = (field: string) =>
    typeof status[field] === "string" && status[field] !== "" ? status[field] as string : undefined;
  const token = read("token"), cert = read("clientCertificateData"), key = read("clientKeyData");
  if (!token && !(cert && key)) throw wrong("without a token and without a client certificate");
  const expiry = Date.parse(read("expirationTimestamp") ?? "");
  return { token, cert, key, expiresMs: Number.isNaN(expiry) ? Number.POSITIVE_INFINITY : expiry };
}
