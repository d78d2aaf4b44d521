import { type Clock, UsageError } from "../base/mod.ts";
import { bearer, type Credentials, type HeaderFields, type TlsSettings } from "./credentials.ts";

/** The folder of a pod's service account. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Kubelets renew a projected token after 80 % of its lifetime: reading it once a minute is early enough. */
const TOKEN_MS_MAX = 60_000;

/** Inputs of the in-cluster configuration. */
export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  host: string;
  /** See `host`. */
  port: string;
  /** Times the reading of the token. */
  clock: Clock;
  /** Folder of token and authority; the kubelet's where absent. */
  directory?: string;
  /** How long a token is used before its file is read again. */
  tokenMsMax?: number;
  /** Reads a text file; Deno's where absent. */
  readFile?: (path: string) => Promise<string>;
}

/** The address of the API server in a pod; IPv6 addresses get their brackets. */
export function inClusterServer(host: string, port: string): string {
  return `https://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** A pod's service account: token and authority are read again while it runs, since the kubelet renews both. */
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

  /** Reads the service account. @throws {UsageError} where the pod has none. */
  static async load(options: InClusterOptions): Promise<InClusterCredentials> {
    const [token, ca] = await readAccount(options);
    return new InClusterCredentials(options, token, ca);
  }

  /** The trusted authority. */
  get tls(): TlsSettings {
    return this.#tls;
  }

  /** See {@linkcode Credentials.headers}. */
  async headers(): Promise<HeaderFields> {
    if (this.options.clock.elapsed() - this.#readMs >= (this.options.tokenMsMax ?? TOKEN_MS_MAX)) {
      this.#reading ??= this.#read().finally(() => this.#reading = undefined);
      await this.#reading;
    }
    return bearer(this.#token);
  }

  /** See {@linkcode Credentials.invalidate}. */
  invalidate(): void {
    this.#readMs = Number.NEGATIVE_INFINITY;
  }

  async #read(): Promise<void> {
    try {
      const [token, ca] = await readAccount(this.options);
      this.#token = token;
      if (ca !== this.#tls.caCerts?.[0]) this.#tls = { caCerts: [ca] };
    } catch {
      // The kubelet replaces the files at any time; the cached token is still valid for a while, and otherwise the
      // server returns 401.
    }
    this.#readMs = this.options.clock.elapsed();
  }
}

/** The namespace of the pod, or undefined where the file is missing. */
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
