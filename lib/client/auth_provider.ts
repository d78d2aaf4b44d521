import { KubeConfig } from "@kubernetes/client-node";
import { describeError, formatJson, UsageError } from "../base/mod.ts";
import type { Credentials, HeaderFields, TlsSettings } from "./credentials.ts";

interface Entry {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Credentials of a kubeconfig's `auth-provider` (OIDC with refresh), by \@kubernetes/client-node. Import it only where
 * needed: the package costs 0.3 s and 70 MB.
 */
export class AuthProviderCredentials implements Credentials {
  #config: KubeConfig;

  constructor(readonly cluster: Entry, readonly user: Entry, readonly tls: TlsSettings) {
    this.#config = this.#load();
  }

  async headers(): Promise<HeaderFields> {
    const options: { headers?: Record<string, unknown> } = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new UsageError(
        `the auth-provider of user "${this.user.name}" in the kubeconfig failed: ${describeError(cause)}`,
        "log in again with the tool that wrote the kubeconfig",
        { cause },
      );
    }
    const authorization = options.headers?.Authorization ?? options.headers?.authorization;
    return typeof authorization === "string" ? { authorization } : {};
  }

  invalidate(): void {
    // A fresh configuration starts from the refresh token; authenticators keep tokens until they expire.
    this.#config = this.#load();
  }

  #load(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromString(formatJson({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "context",
      clusters: [{ name: this.cluster.name, cluster: this.cluster.fields }],
      users: [{ name: this.user.name, user: this.user.fields }],
      contexts: [{ name: "context", context: { cluster: this.cluster.name, user: this.user.name } }],
    }));
    return config;
  }
}
