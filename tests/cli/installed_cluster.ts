import type { PolicyRule } from "../../lib/operator/permissions.ts";
import assert from "node:assert/strict";
import { parse } from "yaml";
import { SystemClock } from "../../lib/base/mod.ts";
import type { ApiResource, KubeObject } from "../../lib/apimachinery/mod.ts";
import { configurationResource } from "../../lib/admission/webhook_configuration.ts";
import { Client } from "../../lib/client/mod.ts";
import { Expectation } from "../../lib/harness/mod.ts";
import { builtinKind, ConfigMap, Namespace, Pod } from "../../lib/operator/mod.ts";
import { installation, type InstalledObject, installNamespace } from "../../lib/operator/installation.ts";
import { Replication, type ReplicationObject, replicator } from "../../lib/replicator/mod.ts";
import { openServedCluster, type ServedCluster } from "../served_cluster.ts";
import { Binary, type BinaryOptions, type Ended, RUN_PERMISSIONS } from "./binary.ts";

/** Namespace and account of the installed operator. */
export const ACCOUNT = { namespace: installNamespace("pintle"), name: replicator().name };

let corners = 0;

/**
 * A cluster for commands that install, look at and remove the shipped operator; the embedded one or a real one.
 * Disposing removes whatever a test left.
 */
export class InstalledCluster implements AsyncDisposable {
  readonly client: Client;
  readonly #cluster: ServedCluster;
  readonly #folder: string;
  readonly #namespaces: string[] = [];
  readonly #granted: (() => Promise<void>)[] = [];
  readonly #prefix = `cli${corners++}-${crypto.randomUUID().slice(0, 8)}`;

  private constructor(cluster: ServedCluster, folder: string) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.client = new Client(cluster.transport(), { fieldManager: "test" });
  }

  /** Opens it; `install` runs the command of that name first. */
  static async open(options: { install?: boolean } = {}): Promise<InstalledCluster> {
    const cluster = new InstalledCluster(await openServedCluster(), await Deno.makeTempDir({ prefix: "pintle-cli-" }));
    if (options.install ?? true) await cluster.done("install");
    return cluster;
  }

  /** Starts the program on this cluster, as its administrator. */
  start(args: readonly string[], options: BinaryOptions = {}): Promise<Binary> {
    const env = { KUBECONFIG: this.#cluster.kubeconfigPath, ...options.env };
    return Binary.start(args, { permissions: RUN_PERMISSIONS, ...options, env });
  }

  /** Runs the program to its end. */
  async run(args: readonly string[], options: BinaryOptions = {}): Promise<Ended> {
    await using binary = await this.start(args, options);
    return await binary.ended();
  }

  /** Runs the program, which must do what it is told; returns its lines. */
  async done(...args: string[]): Promise<string[]> {
    const { code, out, err } = await this.run(args);
    assert.deepEqual([code, err], [0, ""], `${args.join(" ")}:\n${out}${err}`);
    return out.trimEnd().split("\n");
  }

  /** A namespace of this test's own. */
  async namespace(name: string): Promise<string> {
    const full = `${this.#prefix}-${name}`;
    // The programs of tests run with the default settings, which trust no namespace.
    const metadata = { name: full, annotations: { "pintle.dev/accept-from": "cli*" } };
    await this.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata });
    this.#namespaces.push(full);
    return full;
  }

  /** A ConfigMap in `from`, and a Replication that copies it to `to`. */
  async replicate(name: string, from: string, to: string, spec: object = {}): Promise<ReplicationObject> {
    const metadata = { namespace: from, name };
    await this.client.create<KubeObject>(ConfigMap, { metadata, data: { key: "value" } } as KubeObject);
    const wanted = { source: { kind: "ConfigMap", name }, targets: { namespaces: [to] }, ...spec };
    return await this.client.create<ReplicationObject>(Replication, { metadata, spec: wanted } as ReplicationObject);
  }

  /** Waits until a ConfigMap is there. */
  async untilCopied(name: string, namespace: string): Promise<void> {
    const waiting = { client: this.client, clock: new SystemClock(), waitMsMax: 60_000 };
    await new Expectation({ resource: ConfigMap, key: { namespace, name } }, waiting).toExist();
  }

  /** What of the installation is there, as `kind name`. */
  async installed(): Promise<string[]> {
    const objects: InstalledObject[] = installation(replicator(), "pintle", ACCOUNT.namespace);
    const found: string[] = [];
    for (const { resource, object } of objects) {
      const { name, namespace } = object.metadata!;
      if (await this.client.find(resource, { name: name!, namespace })) found.push(`${object.kind} ${name}`);
    }
    return found;
  }

  /** Whether an object is there. */
  async has(resource: ApiResource, namespace: string, name: string): Promise<boolean> {
    return await this.client.find(resource, { namespace, name }) !== undefined;
  }

  /** A pod that runs as the operator's account and says that it is ready, as far as any server can tell. */
  async pod(
    name: string,
    status: object = { conditions: [{ type: "Ready", status: "True" }] },
    labels: Record<string, string> = {},
  ): Promise<void> {
    const spec = { serviceAccountName: ACCOUNT.name, containers: [{ name: "operator", image: "pintle" }] };
    const metadata = { ...ACCOUNT, name, labels };
    await this.client.create<KubeObject>(Pod, { metadata, spec } as KubeObject);
    await this.client.patch(Pod, metadata, { type: "merge", subresource: "status", body: { status } as never });
  }

  /**
   * A webhook of the operator's own that API servers must ask before a Replication changes, behind a Service that
   * nobody made.
   */
  async webhook(clientConfig: object = {}): Promise<void> {
    const rules = [{ apiGroups: ["pintle.dev"], apiVersions: ["*"], operations: ["*"], resources: ["replications"] }];
    const service = { namespace: ACCOUNT.namespace, name: `${ACCOUNT.name}-webhook`, path: "/validate" };
    const webhook = { name: "refuses.pintle.dev", rules, failurePolicy: "Fail", sideEffects: "None" };
    const admissionReviewVersions = ["v1"], labels = { "app.kubernetes.io/name": ACCOUNT.name };
    await this.client.apply<KubeObject>(configurationResource("validate"), {
      metadata: { name: ACCOUNT.name, labels },
      webhooks: [{ ...webhook, admissionReviewVersions, clientConfig: { service, ...clientConfig } }],
    } as KubeObject);
  }

  /**
   * A kubeconfig of a user who is logged in and may do nothing but what everybody may, and what `rules` grant in the
   * whole cluster.
   */
  async strangersKubeconfig(rules: readonly PolicyRule[] = []): Promise<string> {
    const namespace = await this.namespace("stranger");
    await this.#grant(namespace, rules);
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name: "stranger" } };
    await this.client.raw(`/api/v1/namespaces/${namespace}/serviceaccounts`, { method: "POST", body: account });
    return await this.kubeconfigOf({ namespace, name: "stranger" });
  }

  /** A kubeconfig of a ServiceAccount: the operator's own where none is named. */
  async kubeconfigOf({ namespace, name } = ACCOUNT): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const { status } = await this.client.raw(path, { method: "POST", body: request }) as { status: { token: string } };
    const config = parse(await Deno.readTextFile(this.#cluster.kubeconfigPath));
    for (const user of config.users) user.user = { token: status.token };
    const file = `${this.#folder}/${name}`;
    await Deno.writeTextFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  /** The port of its server on this machine, and an administrator's kubeconfig that has another address for it. */
  async addressed(server: string): Promise<{ readonly port: number; readonly kubeconfig: string }> {
    const config = parse(await Deno.readTextFile(this.#cluster.kubeconfigPath)), [{ cluster }] = config.clusters;
    const port = Number(new URL(cluster.server).port), kubeconfig = `${this.#folder}/addressed`;
    cluster.server = server;
    await Deno.writeTextFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
    return { port, kubeconfig };
  }

  async #grant(namespace: string, rules: readonly PolicyRule[]): Promise<void> {
    if (rules.length === 0) return;
    const apiGroup = "rbac.authorization.k8s.io", name = namespace;
    const resource = (kind: string) =>
      builtinKind<KubeObject>({ group: apiGroup, version: "v1", kind, namespaced: false });
    const role = resource("ClusterRole"), binding = resource("ClusterRoleBinding");
    await this.client.create<KubeObject>(role, { metadata: { name }, rules } as KubeObject);
    const subjects = [{ kind: "ServiceAccount", namespace, name: "stranger" }];
    const roleRef = { apiGroup, kind: "ClusterRole", name };
    await this.client.create<KubeObject>(binding, { metadata: { name }, roleRef, subjects } as KubeObject);
    this.#granted.push(() => this.client.delete(binding, { name }), () => this.client.delete(role, { name }));
  }

  /** Removes what the test left. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.done("uninstall", "--delete-objects", "--release-finalizers", "--delete-namespace");
      for (const undo of this.#granted) await undo();
      for (const name of this.#namespaces) await this.client.delete(Namespace, { name });
    } finally {
      await this.#cluster[Symbol.asyncDispose]();
      await Deno.remove(this.#folder, { recursive: true });
    }
  }
}
