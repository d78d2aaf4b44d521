import assert from "node:assert/strict";
import { parse } from "yaml";
import type { Cluster } from "../../lib/harness/mod.ts";
import type { RunningOperator } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject, replicator } from "../../lib/replicator/mod.ts";
import { type Ended, findProgram, runProgram, testWith } from "../outside_program.ts";
import { openServedCluster, type ServedCluster } from "../served_cluster.ts";
import { World } from "../world.ts";

const KUBECTL = await findProgram("kubectl", [Deno.env.get("KUBEBUILDER_ASSETS")]);
const MISSING = KUBECTL ? undefined : "there is no kubectl in KUBEBUILDER_ASSETS or PATH";

/** What a test does to one run of kubectl. */
export interface KubectlOptions {
  /** What `-f -` reads. */
  readonly stdin?: string;
  /** It is ended as soon as its output matches. */
  readonly until?: RegExp;
  readonly env?: Record<string, string>;
  /** Instead of the administrator's. */
  readonly kubeconfig?: string;
}

/** kubectl in a home of its own, on a cluster on which the replicator runs. */
export class Kubectl implements AsyncDisposable {
  readonly home: string;
  readonly world: World;
  readonly #cluster: ServedCluster;

  private constructor(world: World, cluster: ServedCluster, home: string) {
    this.world = world;
    this.#cluster = cluster;
    this.home = home;
  }

  static async open(): Promise<Kubectl> {
    const cluster = await openServedCluster();
    const world = await World.open(replicator({ trustedNamespaces: ["*"] }), cluster);
    await world.start();
    return new Kubectl(world, cluster, await Deno.makeTempDir({ prefix: "pintle-kubectl-" }));
  }

  get cluster(): Cluster {
    return this.#cluster;
  }

  get operator(): RunningOperator {
    return this.world.running;
  }

  /** Runs kubectl, whatever comes of it. */
  async run(args: readonly string[], options: KubectlOptions = {}): Promise<Ended> {
    const { env, kubeconfig = this.#cluster.kubeconfigPath, ...rest } = options;
    return await runProgram(KUBECTL!, args, {
      ...rest,
      cwd: this.home,
      clearEnv: true,
      env: { HOME: this.home, PATH: Deno.env.get("PATH") ?? "", KUBECONFIG: kubeconfig, ...env },
    });
  }

  /**
   * Runs kubectl with a line of arguments that hold no blanks; fails where it fails. Its output, without the last line
   * break.
   */
  async ok(line: string, options: KubectlOptions & { more?: readonly string[] } = {}): Promise<string> {
    const { code, out, err } = await this.run([...line.split(" "), ...options.more ?? []], options);
    assert.equal(code, 0, `kubectl ${line}: ${err}${out}`);
    return out.trimEnd();
  }

  /** The same for what has to fail; what it said. */
  async fails(line: string, options: KubectlOptions & { more?: readonly string[] } = {}): Promise<string> {
    const { code, out, err } = await this.run([...line.split(" "), ...options.more ?? []], options);
    assert.notEqual(code, 0, `kubectl ${line} was to fail: ${out}`);
    return err.trimEnd();
  }

  /** An object, as kubectl writes it. */
  // deno-lint-ignore no-explicit-any -- the tests look into objects of any shape
  async object(line: string): Promise<any> {
    return parse(await this.ok(`get -o yaml ${line}`));
  }

  /** Writes a file of the home. */
  async file(name: string, text: string, mode = 0o600): Promise<string> {
    await Deno.writeTextFile(`${this.home}/${name}`, text, { mode });
    return `${this.home}/${name}`;
  }

  /** A manifest of a Replication that copies the Secret `source` to every `team` namespace of the world. */
  replication(namespace: string, spec: string = ""): string {
    return `apiVersion: pintle.dev/v1alpha1
kind: Replication
metadata: { name: shared, namespace: ${namespace} }
spec:
  source: { kind: Secret, name: source }
  targets: { namespaces: ["${this.world.prefix}-team*"] }
${spec}`;
  }

  /** Makes two namespaces, `home` with the Secret `source` and `team-a`, by kubectl; their full names. */
  async namespaces(): Promise<{ home: string; team: string }> {
    const { home } = this.world, team = await this.world.namespace("team-a");
    await this.ok(`create secret generic source -n ${home} --from-literal=password=hunter2`);
    return { home, team };
  }

  /** Waits until the Replication `shared` has become ready for its present generation. */
  async ready(namespace: string): Promise<ReplicationObject> {
    return await this.world.untilObject<ReplicationObject>(
      Replication,
      { namespace, name: "shared" },
      ({ metadata, status }) =>
        status?.observedGeneration === metadata.generation &&
        status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await Deno.remove(this.home, { recursive: true });
  }
}

/** Registers a test that drives kubectl, on the embedded server or on a real one. */
export function kubectlTest(claim: string, run: (kubectl: Kubectl) => Promise<void>): void {
  testWith(MISSING, claim, async () => {
    await using kubectl = await Kubectl.open();
    await run(kubectl);
  });
}
