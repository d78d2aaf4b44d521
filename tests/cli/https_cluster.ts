import { CertificateAuthority, EmbeddedApiServer, HttpsServer } from "../../lib/apiserver/mod.ts";
import { type ApiResource, type DynamicObject, formatApiVersion, type KubeObject } from "../../lib/apimachinery/mod.ts";

import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { applyCrds, installation, type InstalledObject, installNamespace } from "../../lib/operator/installation.ts";
import { Client } from "../../lib/client/mod.ts";
import { Namespace, Secret } from "../../lib/operator/mod.ts";
import { Replication, replicator } from "../../lib/replicator/mod.ts";

/** Members of a kubeconfig's only cluster and only user. */
export interface KubeconfigParts {
  readonly cluster?: object;
  readonly user?: object;
}

const OPERATOR = replicator();
const OPERATOR_NAMESPACE = installNamespace("pintle");
/** What the operator needs in a cluster. */
export const INSTALLATION = installation(OPERATOR, "pintle", OPERATOR_NAMESPACE);

/**
 * An embedded API server over HTTPS for a program under test: a door that can close and open again, and a folder for
 * files.
 */
export class HttpsCluster implements AsyncDisposable {
  readonly api = new EmbeddedApiServer();
  /** Acts as the administrator, past the door. */
  readonly client = new Client(this.api.transport(), { fieldManager: "test" });
  readonly #authority = new CertificateAuthority(Date.now());
  #door: HttpsServer | undefined;

  private constructor(readonly folder: string) {}

  /** Opens a cluster; `bare` leaves the operator's CRDs, account and rules out. */
  static async open(options: { bare?: boolean } = {}): Promise<HttpsCluster> {
    const cluster = new HttpsCluster(await Deno.makeTempDir({ prefix: "pintle-cluster-" }));
    await cluster.openDoor();
    if (!options.bare) await cluster.install();
    return cluster;
  }

  /** Serves over HTTPS: under `port` and the authority of before, unless another is given. */
  async openDoor(port = 0, authority = this.#authority): Promise<void> {
    this.#door = await HttpsServer.start(this.api, { nowMs: Date.now(), port, authority });
  }

  /** Cuts every connection and listens no more. What the server holds stays. */
  async closeDoor(): Promise<void> {
    await this.#door?.[Symbol.asyncDispose]();
    this.#door = undefined;
  }

  /** The door that is open. */
  get door(): HttpsServer {
    if (!this.#door) throw new Error("the door is closed");
    return this.#door;
  }

  /** The port of the door. */
  get port(): number {
    return Number(new URL(this.door.url).port);
  }

  /** Applies everything that the operator needs. */
  async install(objects: readonly InstalledObject[] = INSTALLATION): Promise<void> {
    for (const { resource, object } of objects) {
      if (resource !== CRDS) await this.client.apply(resource, object, { force: true });
    }
    await applyCrds(this.client, OPERATOR);
  }

  /** A token of the operator's ServiceAccount. */
  async token(): Promise<string> {
    const path = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/${OPERATOR.name}/token`;
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    return (await this.client.raw(path, { method: "POST", body: request }) as { status: { token: string } }).status
      .token;
  }

  /**
   * Writes a kubeconfig and returns its path: the administrator's, or with another user, and members of its cluster
   * replaced.
   */
  async kubeconfig(parts: KubeconfigParts = {}): Promise<string> {
    const config = JSON.parse(this.door.kubeconfig);
    if (parts.user) config.users[0].user = parts.user;
    Object.assign(config.clusters[0].cluster, parts.cluster);
    return await this.file("config", JSON.stringify(config));
  }

  /** Writes a file of the cluster's folder and returns its path. */
  async file(name: string, content: string, mode = 0o600): Promise<string> {
    const path = `${this.folder}/${name}`;
    await Deno.writeTextFile(path, content);
    await Deno.chmod(path, mode);
    return path;
  }

  /** Creates a namespace. */
  async namespace(name: string): Promise<void> {
    // The programs of tests run with the default settings, which trust no namespace.
    const annotations = { "pintle.dev/accept-from": "*" };
    await this.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } });
  }

  /** Creates the Secret `namespace/name` with one value, and a Replication of the same name that copies it. */
  async replicate(namespace: string, name: string, value: string, namespaces: readonly string[]): Promise<void> {
    const metadata = { namespace, name }, apiVersion = formatApiVersion(Replication), { kind } = Replication;
    await this.client.create(Secret, { apiVersion: "v1", kind: "Secret", metadata, stringData: { value } });
    const spec = { source: { kind: "Secret", name }, targets: { namespaces } };
    await this.client.create<KubeObject>(Replication, { apiVersion, kind, metadata, spec } as KubeObject);
  }

  /** Waits until the Secret `namespace/name` holds `value`. */
  async untilCopied(namespace: string, name: string, value: string): Promise<void> {
    const stop = new AbortController();
    try {
      const options = { namespace, fieldSelector: `metadata.name=${name}`, signal: stop.signal };
      for await (const { object } of this.client.watch<DynamicObject>(Secret, options)) {
        if ((object.data as Record<string, string> | undefined)?.value === btoa(value)) return;
      }
    } finally {
      stop.abort();
    }
  }

  /** Waits until an object of this name is there, in whatever namespace. */
  async untilThere(resource: ApiResource, name: string): Promise<void> {
    const stop = new AbortController();
    try {
      const options = { fieldSelector: `metadata.name=${name}`, signal: stop.signal };
      for await (const { type } of this.client.watch<DynamicObject>(resource, options)) {
        if (type !== "DELETED") return;
      }
    } finally {
      stop.abort();
    }
  }

  /** Closes door and server, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeDoor();
    await this.api.settled();
    this.api.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}
