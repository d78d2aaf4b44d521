import { type Clock, UsageError } from "../base/mod.ts";
import { bearer, type Credentials, type HeaderFields, type TlsSettings } from "./credentials.ts";

export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Kubelets renew a projected token after 80 % of its lifetime: a minute is early enough. */
const TOKEN_MS_MAX = 60_000;

/** Inputs of the in-cluster configuration. */
export interface InClusterOptions {
  /** The value of `KUBERNETES_SERVICE_HOST`. */
  host: string;
  /** The value of `KUBERNETES_SERVICE_PORT`. */
  port: string;
  /** Times reads of the token. */
  clock: Clock;
  /** Of token and authority; the kubelet's where absent. */
  directory?: string;
  /** Until the token is read again. */
  tokenMsMax?: number;
  /** Reads a text file; Deno's where absent. */
  readFile?: (path: string) => Promise<string>;
}

/** IPv6 addresses get brackets. */
export function inClusterServer(host: string, port: string): string {
  return `https://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** A pod's service account; token and authority are read again, because the kubelet renews both. */
export class InClusterCredentials implements Credentials {
  #tls: TlsSettings;
  #token: string;
  #readMs: number;
  #reading: Promise<void> | undefined;

  private constructor(readonly options: InClusterOptions, token: string, ca: string) {
    this.#token = token;
    this.#tls = { caCerts: [ca] };
    this.#readMs = options.clock.elapsed();
  }

  /** @throws {UsageError} where the pod has none. */
  static async load(options: InClusterOptions): Promise<InClusterCredentials> {
    const [token, ca] = await readAccount(options);
    return new InClusterCredentials(options, token, ca);
  }

  get tls(): TlsSettings {
    return this.#tls;
  }

  async headers(): Promise<HeaderFields> {
    if (this.options.clock.elapsed() - this.#readMs >= (this.options.tokenMsMax ?? TOKEN_MS_MAX)) {
      this.#reading ??= this.#read().finally(() => this.#reading = undefined);
      await this.#reading;
    }
    return bearer(this.#token);
  }

  invalidate(): void {
    this.#readMs = Number.NEGATIVE_INFINITY;
  }

  async #read(): Promise<void> {
    try {
      const [token, ca] = await readAccount(this.options);
      this.#token = token;
      if (ca !== this.#tls.caCerts?.[0]) this.#tls = { caCerts: [ca] };
    } catch {
      // The kubelet replaces the files at any time. The cached token is still valid, or the server returns 401.
    }
    this.#readMs = this.options.clock.elapsed();
  }
}

export async function inClusterNamespace(
  options: Pick<InClusterOptions, "directory" | "readFile">,
): Promise<string | undefined> {
  const { directory = SERVICE_ACCOUNT_DIRECTORY, readFile = Deno.readTextFile } = options;
  return await readFile(`${directory}/namespace`).then((text) => text.trim() || undefined, () => undefined);
}

async function readAccount(options: InClusterOptions): Promise<[token: string, ca: string]> {
  const { directory = SERVICE_ACCOUNT_DIRECTORY, readFile = Deno.readTextFile } = options;
  const read = async (name: string) => {
    try {
      const text = (await readFile(`${directory}/${name}`)).trim();
      if (text !== "") return text;
      throw new Error("the file is empty");
    } catch (cause) {
      throw new UsageError(
        `cannot read the service account's ${name} at ${directory}/${name}`,
        "set automountServiceAccountToken: true in the pod's spec, and a serviceAccountName",
        { cause },
      );
    }
  };
  return [await read("token"), await read("ca.crt")];
}
