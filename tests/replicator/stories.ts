import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { type ConfigMapObject, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import type { ScenarioContext } from "../../lib/harness/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";

/** The administrator trusts every namespace: scenarios about trust set something else. */
export const TRUSTING = { trustedNamespaces: ["*"] };

/** A Secret to apply. */
export function secret(name: string, values: Record<string, string>, more: Partial<SecretObject> = {}): SecretObject {
  const { metadata, ...rest } = more;
  return { apiVersion: "v1", kind: "Secret", metadata: { name, ...metadata }, stringData: values, ...rest };
}

/** A ConfigMap to apply. */
export function configMap(
  name: string,
  data: Record<string, string>,
  more: Partial<ConfigMapObject> = {},
): ConfigMapObject {
  const { metadata, ...rest } = more;
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data, ...rest };
}

/** What a Replication's spec may say; wrong input on purpose, too. */
export interface SpecFields {
  readonly source?: object;
  readonly targets?: object;
  readonly [field: string]: unknown;
}

/** Everything that most stories begin with: what they change is an argument. */
export class Replicating {
  readonly #scenario: ScenarioContext;

  constructor(scenario: ScenarioContext) {
    this.#scenario = scenario;
  }

  /** Makes namespaces, named with the scenario's prefix. */
  async namespaces(...names: readonly string[]): Promise<string[]> {
    const made: string[] = [];
    for (const name of names) made.push(await this.#scenario.cluster.makeNamespace(name));
    return made;
  }

  /**
   * A Replication of Secret `token` to every namespace of the scenario that begins with `team`, unless told otherwise.
   */
  replication({ source, targets, ...rest }: SpecFields = {}, namespace = this.#scenario.namespace): KubeObject {
    const spec = {
      source: { kind: "Secret", name: "token", ...source },
      targets: targets ?? { namespaces: [`${this.#scenario.prefix}-team*`] },
      ...rest,
    };
    return {
      apiVersion: "pintle.dev/v1alpha1",
      kind: "Replication",
      metadata: { name: "token", namespace },
      spec,
    } as KubeObject;
  }

  /**
   * Gives: the namespaces, Secret `token` with `key: one` in the scenario's own, and its Replication. Returns the
   * namespaces.
   */
  async begin(teams: readonly string[], spec: SpecFields = {}, source: Partial<SecretObject> = {}): Promise<string[]> {
    const { given, cluster } = this.#scenario;
    const made = teams.length === 0
      ? []
      : await given(`namespaces ${teams.join(", ")}`, () => this.namespaces(...teams));
    await given("a Secret", () => cluster.createManifest(secret("token", { key: "one" }, source)));
    await given("a Replication of it", () => cluster.createManifest(this.replication(spec)));
    return made;
  }

  /** The Replication is ready with this many copies. */
  ready(copies: number, namespace = this.#scenario.namespace): Promise<ReplicationObject> {
    return this.#scenario.then(`the Replication is ready with ${copies} copies`, async () => {
      const { expect, ref } = this.#scenario, replication = ref(Replication, "token", namespace);
      await expect(replication).toMatch({ status: { namespaces: { ready: copies } } } as never);
      return await expect(replication).toHaveCondition("Ready");
    });
  }

  /** The Replication is not ready, for this reason. */
  notReady(reason: string, namespace = this.#scenario.namespace): Promise<ReplicationObject> {
    return this.#scenario.then(`the Replication is not ready: ${reason}`, () => {
      const { expect, ref } = this.#scenario;
      return expect(ref(Replication, "token", namespace)).toHaveCondition("Ready", false, { reason });
    });
  }

  /** Exactly these namespaces failed, each for its reason, with a message that matches. */
  failing(
    expected: readonly { readonly namespace: string; readonly reason: string; readonly message: RegExp }[],
    namespace = this.#scenario.namespace,
  ): Promise<ReplicationObject> {
    const names = expected.map(({ namespace, reason }) => `${this.short(namespace)}: ${reason}`).join(", ");
    return this.#scenario.then(`copies fail, ${names}`, async () => {
      const { expect, ref } = this.#scenario, replication = ref(Replication, "token", namespace);
      await expect(replication).toHaveCondition("Ready", false, { reason: "ReplicationIncomplete" });
      return await expect(replication).toSatisfy("to say why", ({ status }) => {
        const { failures = [] } = status ?? {};
        return failures.length === expected.length && expected.every((each, index) => {
          const { namespace, reason, message = "" } = failures[index]!;
          return namespace === each.namespace && reason === each.reason && each.message.test(message);
        });
      });
    });
  }

  /** The copy in a namespace holds this text under `key`. */
  copied(namespace: string, text: string, name = "token"): Promise<SecretObject> {
    return this.#scenario.then(`the copy in ${this.short(namespace)} says "${text}"`, () => {
      const { expect, ref } = this.#scenario;
      return expect(ref(Secret, name, namespace)).toMatch({ data: { key: btoa(text) } });
    });
  }

  /** The copy in a namespace is left behind without a claim, and says by which Replication. */
  orphaned(namespace: string): Promise<SecretObject> {
    return this.#scenario.then(`the copy in ${this.short(namespace)} is orphaned`, () => {
      const { expect, ref } = this.#scenario;
      return expect(ref(Secret, "token", namespace)).toMatch({
        metadata: {
          labels: { "pintle.dev/replication": undefined },
          annotations: {
            "pintle.dev/claim": undefined,
            "pintle.dev/orphaned-by": `${this.#scenario.namespace}/token`,
          },
        },
      });
    });
  }

  /** There is not an object of that name in a namespace, or it goes. */
  gone(namespace: string, name = "token"): Promise<void> {
    return this.#scenario.then(`no ${name} is in ${this.short(namespace)}`, () => {
      const { expect, ref } = this.#scenario;
      return expect(ref(Secret, name, namespace)).toBeGone();
    });
  }

  /** Changes the Replication's spec by merge patch. */
  async change(spec: object, namespace = this.#scenario.namespace): Promise<void> {
    const { cluster, ref } = this.#scenario;
    await cluster.patch(ref(Replication, "token", namespace), { spec });
  }

  /** The name of a namespace as the story gave it. */
  short(namespace: string): string {
    return namespace.startsWith(`${this.#scenario.prefix}-`)
      ? namespace.slice(this.#scenario.prefix.length + 1)
      : namespace;
  }
}
