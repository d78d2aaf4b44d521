import assert from "node:assert/strict";
import type { CustomObject } from "@pintle/pintle";
import { Binary } from "../../tests/cli/binary.ts";
import { openServedCluster, type ServedCluster } from "../../tests/served_cluster.ts";
import { World } from "../../tests/world.ts";
import { Errand, operator } from "./operator.ts";

type ErrandObject = CustomObject<{ what: string }, { doneBy?: string }>;

/** A cluster that processes of the example can reach, and the namespace in which they peer. */
class Office implements AsyncDisposable {
  private constructor(readonly cluster: ServedCluster, readonly world: World) {}

  static async open(): Promise<Office> {
    const cluster = await openServedCluster();
    return new Office(cluster, await World.open(operator("nobody"), cluster));
  }

  /** Starts the example's own program. */
  start(host: string, ...args: string[]): Promise<Binary> {
    const peering = ["--peering", `${this.world.home}/errands`, "--kubeconfig", this.cluster.kubeconfigPath];
    const options = { main: "examples/peering/operator.ts", env: { HOSTNAME: host, USER: host } };
    return Binary.start([...args, ...peering, ...(args[0] === "run" ? ["--http-port", "0"] : [])], options);
  }

  /** Creates an errand, and returns who did it once it is done. */
  async errand(name: string): Promise<() => Promise<string | undefined>> {
    const key = { namespace: this.world.home, name };
    await this.world.client.create(Errand, { metadata: key, spec: { what: name } } as never);
    return async () => {
      const done = await this.world.untilObject<ErrandObject>(
        Errand,
        key,
        ({ status }) => status?.doneBy !== undefined,
      );
      return done.status!.doneBy;
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }
}

// FR-185
Deno.test("a developer's process takes the errands over, production does those that were missed when it has died, and none is done twice", async () => {
  await using office = await Office.open();
  await using prod = await office.start("prod", "run");
  await prod.until(/operator runs/);
  assert.equal(await (await office.errand("milk"))(), "prod");
  await using dev = await office.start("laptop", "run", "--dev");
  await dev.until(/operator runs/);
  assert.equal(await (await office.errand("bread"))(), "laptop");
  dev.kill("SIGKILL");
  await dev.ended();
  assert.equal(await (await office.errand("salt"))(), "prod", "as soon as its lease has run out");
  const done = [...prod.out.matchAll(/an errand is done .*what=(\w+)/g)].map(([, what]) => what);
  assert.deepEqual(done, ["milk", "salt"]);
});

// FR-186
Deno.test("while they are frozen nothing is done, and then what was missed", async () => {
  await using office = await Office.open();
  await using prod = await office.start("prod", "run");
  await prod.until(/operator runs/);
  await using freeze = await office.start("ada", "freeze", "--message", "the shop is closed");
  await freeze.until(/paused: prod_\w+ \(priority 0\)/);
  const doneBy = await office.errand("milk");
  const { status } = await office.world.client.get<ErrandObject>(Errand, {
    namespace: office.world.home,
    name: "milk",
  });
  assert.equal(status, undefined);
  assert.doesNotMatch(prod.out, /an errand is done/);
  freeze.kill("SIGINT");
  assert.equal((await freeze.ended()).code, 0);
  assert.equal(await doneBy(), "prod");
});
