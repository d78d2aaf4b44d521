import type { PolicyRule } from "../../lib/operator/permissions.ts";
import { gatedScope, scopeOfGlobs } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { createLogger, SeededRandom, SystemClock, type Transport, type TransportRequest } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import {
  fencedTransport,
  type LeaseObject,
  LEASES,
  peerAnnotations,
  Peering,
  PEERING_LABEL,
  peerLeaseName,
} from "../../lib/election/mod.ts";
import { type ClusterUser, serviceAccountUser } from "../../lib/harness/mod.ts";
import { builtinKind, Operator, type RunningOperator } from "../../lib/operator/mod.ts";
import { SkewedClock } from "../election/skewed_clock.ts";
import { World } from "../world.ts";
import { createWidget, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("peering"), NAME = "widgets";
const TIMING = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 100 };

/** One of several operators. */
interface Peer {
  readonly peering: Peering;
  readonly running: RunningOperator;
  readonly clock: SkewedClock;
  readonly log: string[];
  /** Whether its requests fail before they are sent. */
  isCut: boolean;
}

/**
 * Operators that peer: each says its name in the status of what it handles. A book of every write that was not the
 * worker's.
 */
class Peers implements AsyncDisposable {
  readonly foreign: string[] = [];
  /** `NAME create WIDGET`, in order. */
  readonly calls: string[] = [];
  readonly #up = new Map<string, Peer>();
  #heard = Promise.withResolvers<void>();

  private constructor(readonly world: World) {}

  static async open(): Promise<Peers> {
    return new Peers(await World.open(new Peers(undefined as never).#operator("nobody")));
  }

  get(identity: string): Peer {
    return this.#up.get(identity)!;
  }

  async start(identity: string, priority: number, as?: ClusterUser): Promise<Peer> {
    const { world } = this, clock = new SkewedClock(new SystemClock()), log: string[] = [];
    const inner = world.cluster.transport(as), state = { isCut: false };
    const way: Transport = {
      fetch: (path, request) => {
        if (state.isCut) return Promise.reject(new TypeError("connection refused"));
        return inner.fetch(path, request);
      },
      close: () => inner.close(),
    };
    const logger = createLogger(({ message, fields }) => {
      log.push(`${message} ${JSON.stringify(fields)}`);
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
    const started: { running?: RunningOperator } = {};
    const peering = new Peering({
      ...TIMING,
      client: new Client(way, { fieldManager: "leases", clock, retriesMax: 0 }),
      clock,
      random: new SeededRandom(identity.length),
      logger,
      namespace: world.home,
      name: NAME,
      identity,
      priority,
      drain: async () => await started.running?.release(5_000),
    });
    const running = await this.#operator(identity).start({
      transport: fencedTransport(this.#audited(identity, way), () => peering.mayWrite),
      clock,
      logger,
      leadership: peering,
      scope: gatedScope(scopeOfGlobs([world.home]), peering),
      instance: identity,
      controller: { backoff: { initialMs: 5, maxMs: 50 } },
      requests: { retriesMax: 0 },
    });
    started.running = running;
    const peer: Peer = Object.assign(state, { peering, running, clock, log });
    this.#up.set(identity, peer);
    return peer;
  }

  /** Waits until an operator has logged something; what it logged before `from` does not count. */
  async until(identity: string, pattern: RegExp, from = 0): Promise<void> {
    while (!this.get(identity).log.slice(from).some((line) => pattern.test(line))) await this.#heard.promise;
  }

  async make(name: string): Promise<void> {
    await createWidget(this.world, Widget, this.world.home, name);
  }

  /** Waits until the status of a widget says who handled it. */
  async untilHandledBy(name: string, identity: string): Promise<void> {
    const key = { namespace: this.world.home, name };
    await this.world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.note === identity);
  }

  /** Waits until an operator has said twice more that it is there: whatever it had begun before has gone its way. */
  async untilSaidAgain(identity: string): Promise<void> {
    const key = { namespace: this.world.home, name: peerLeaseName(NAME, identity) };
    for (let times = 0; times < 2; times++) {
      const { metadata } = await this.world.client.get<LeaseObject>(LEASES, key);
      await this.world.untilObject<LeaseObject>(
        LEASES,
        key,
        (lease) => lease.metadata?.resourceVersion !== metadata?.resourceVersion,
      );
    }
  }

  /** As kill -9 would. */
  async kill(identity: string): Promise<void> {
    const { peering, running } = this.#take(identity);
    peering[Symbol.dispose]();
    await running.crash();
  }

  async stop(identity: string): Promise<void> {
    const { peering, running } = this.#take(identity);
    await running.stop(5_000);
    await peering.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const identity of [...this.#up.keys()]) await this.kill(identity);
    await this.world[Symbol.asyncDispose]();
  }

  #take(identity: string): Peer {
    const peer = this.get(identity);
    this.#up.delete(identity);
    return peer;
  }

  #operator(identity: string): Operator {
    const operator = new Operator(NAME);
    operator.on(Widget)
      .create(({ name }) => void this.calls.push(`${identity} create ${name}`))
      .delete(({ name }) => void this.calls.push(`${identity} delete ${name}`))
      .reconcile(({ status }) => void status.set({ note: identity }));
    return operator;
  }

  /** Writes down each write that is sent, or was answered, while another one may write. */
  #audited(identity: string, inner: Transport): Transport {
    const check = (path: string, when: string) => {
      for (const [other, { peering }] of this.#up) {
        if (other !== identity && peering.mayWrite) this.foreign.push(`${identity} ${when} ${path} beside ${other}`);
      }
    };
    return {
      fetch: async (path: string, request: TransportRequest = {}) => {
        const writes = (request.method ?? "GET") !== "GET";
        if (writes) check(path, "sent");
        const answer = await inner.fetch(path, request);
        if (writes) check(path, "wrote");
        return answer;
      },
      close: () => inner.close(),
    };
  }
}

// FR-185
Deno.test("a developer's operator takes over and leaves: each change is handled once, by the active one", async () => {
  await using peers = await Peers.open();
  await peers.start("prod", 0);
  await peers.make("a");
  await peers.untilHandledBy("a", "prod");
  await peers.start("dev", 666);
  await peers.untilHandledBy("a", "dev");
  assert.equal(peers.get("prod").peering.state, "paused");
  await peers.make("b");
  await peers.untilHandledBy("b", "dev");
  await peers.stop("dev");
  await peers.untilHandledBy("b", "prod");
  await peers.make("c");
  await peers.untilHandledBy("c", "prod");
  assert.deepEqual(peers.calls, ["prod create a", "dev create b", "prod create c"]);
  assert.deepEqual(peers.foreign, []);
});

// FR-185
Deno.test("what happened while none was active, because the developer's operator was killed, is handled when its lease has run out", async () => {
  await using peers = await Peers.open();
  const { world } = peers;
  await peers.start("prod", 0);
  for (const name of ["stays", "goes"]) await peers.make(name);
  for (const name of ["stays", "goes"]) await peers.untilHandledBy(name, "prod");
  await peers.start("dev", 666);
  for (const name of ["stays", "goes"]) await peers.untilHandledBy(name, "dev");
  await peers.kill("dev");
  const from = peers.get("prod").log.length;
  await peers.make("comes");
  await world.client.delete(Widget, { namespace: world.home, name: "goes" });
  assert.equal(peers.get("prod").peering.state, "paused", "the dead one's lease has not run out yet");
  await peers.untilHandledBy("comes", "prod");
  await world.untilGone(Widget, { namespace: world.home, name: "goes" });
  await peers.untilHandledBy("stays", "prod");
  await peers.until("prod", /an expired lease is deleted .*dev/, from);
  assert.deepEqual(peers.calls.slice(2).sort(), ["prod create comes", "prod delete goes"]);
  assert.deepEqual(peers.foreign, []);
});

// FR-185
Deno.test("of two peers of equal priority neither works, both log the fix, and the one that stays handles what was missed", async () => {
  await using peers = await Peers.open();
  await peers.start("one", 5);
  await peers.make("a");
  await peers.untilHandledBy("a", "one");
  await peers.start("two", 5);
  for (const identity of ["one", "two"]) await peers.until(identity, /same priority: both pause .*another --priority/);
  await peers.untilSaidAgain("one");
  await peers.make("b");
  await peers.untilSaidAgain("one");
  await peers.untilSaidAgain("two");
  assert.deepEqual([peers.get("one").peering.mayWrite, peers.get("two").peering.mayWrite], [false, false]);
  assert.deepEqual(peers.calls, ["one create a"]);
  await peers.stop("one");
  await peers.untilHandledBy("b", "two");
  assert.deepEqual(peers.calls, ["one create a", "two create b"]);
  assert.deepEqual(peers.foreign, []);
});

// FR-186
Deno.test("one that stands by and is frozen by hand stays paused when the one above it leaves, until it is resumed", async () => {
  await using peers = await Peers.open();
  const { world } = peers, key = { namespace: world.home, name: peerLeaseName(NAME, "ada") };
  await peers.start("prod", 0);
  await peers.start("dev", 666);
  await peers.until("prod", /paused for another peer .*dev/);
  const annotations = peerAnnotations({ identity: "ada", priority: 100, state: "freeze", message: "database move" });
  await world.client.create<LeaseObject>(LEASES, {
    metadata: { ...key, labels: { [PEERING_LABEL]: NAME }, annotations },
    spec: { holderIdentity: "ada", leaseDurationSeconds: 3_600 },
  });
  await peers.make("a");
  await peers.untilHandledBy("a", "dev");
  await peers.stop("dev");
  await peers.until("prod", /paused for another peer .*ada .*database move/);
  await peers.make("b");
  await peers.untilSaidAgain("prod");
  assert.deepEqual(peers.calls, ["dev create a"]);
  await world.client.delete(LEASES, key);
  await peers.untilHandledBy("b", "prod");
  assert.deepEqual(peers.calls, ["dev create a", "prod create b"]);
  assert.deepEqual(peers.foreign, []);
});

// FR-185
Deno.test("one that may not use the leases writes nothing and names the missing rule; without them in the middle it stops, and others go on", async () => {
  await using peers = await Peers.open();
  const { world } = peers, { name } = serviceAccountUser(world.home, "peer");
  const rbac = (kind: string) =>
    builtinKind({ group: "rbac.authorization.k8s.io", version: "v1", kind, namespaced: true });
  const grant = async (role: string, rules: readonly PolicyRule[]) => {
    const metadata = { namespace: world.home, name: role };
    await world.client.create(rbac("Role"), { metadata, rules } as never);
    await world.client.create(rbac("RoleBinding"), {
      metadata,
      subjects: [{ kind: "User", name, apiGroup: "rbac.authorization.k8s.io" }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role },
    } as never);
  };
  const leases = { apiGroups: [LEASES.group], resources: [LEASES.plural] };
  await grant("widgets", [{
    apiGroups: [Widget.group],
    resources: [Widget.plural, `${Widget.plural}/status`],
    verbs: ["get", "list", "watch", "patch"],
  }]);
  await peers.start("prod", 0, { name, groups: ["system:authenticated"] });
  await peers.until("prod", /cannot renew or read leases .*create leases.* in API group \\"coordination.k8s.io\\"/);
  assert.equal(peers.get("prod").peering.mayWrite, false);
  await grant("leases", [{ ...leases, verbs: ["create", "get", "list", "update", "delete"] }]);
  await peers.until("prod", /working: no other peer has a higher priority/);
  await world.client.delete(rbac("RoleBinding"), { namespace: world.home, name: "leases" });
  await peers.until("prod", /pausing: the lease could not be renewed/);
  await peers.start("dev", 666);
  await peers.make("a");
  await peers.untilHandledBy("a", "dev");
  assert.equal(peers.get("prod").peering.mayWrite, false);
  assert.deepEqual([peers.calls, peers.foreign], [["dev create a"], []], "prod saw it, and did nothing");
});

// FR-185
Deno.test("an outage of the API server ends all writing: the active one continues afterwards, with what was missed", async () => {
  await using peers = await Peers.open();
  const prod = await peers.start("prod", 0), dev = await peers.start("dev", 666);
  await peers.until("dev", /operator runs/);
  await peers.make("a");
  await peers.untilHandledBy("a", "dev");
  prod.isCut = dev.isCut = true;
  for (const identity of ["prod", "dev"]) await peers.until(identity, /cannot renew or read leases/);
  await peers.make("b");
  while (dev.peering.mayWrite) await peers.until("dev", /cannot renew or read leases/, dev.log.length);
  prod.isCut = dev.isCut = false;
  await peers.untilHandledBy("b", "dev");
  assert.deepEqual([prod.peering.state, dev.peering.state], ["paused", "working"]);
  assert.deepEqual([peers.calls, peers.foreign], [["dev create a", "dev create b"], []]);
});

// FR-185
Deno.test("one that alone is cut off is followed by the next, whatever happens to its clock, and learns that it counts as dead", async () => {
  await using peers = await Peers.open();
  const prod = await peers.start("prod", 0);
  await peers.make("a");
  await peers.untilHandledBy("a", "prod");
  prod.isCut = true;
  prod.clock.shift(-3_600_000);
  await peers.start("dev", 666);
  await peers.untilHandledBy("a", "dev");
  assert.equal(prod.peering.mayWrite, false);
  prod.isCut = false;
  assert.match((await prod.peering.lost).message, /is lost: it is gone/);
  await peers.kill("prod");
  await peers.start("prod", 0);
  await peers.until("prod", /paused for another peer .*dev/);
  await peers.make("b");
  await peers.untilHandledBy("b", "dev");
  assert.deepEqual([peers.calls, peers.foreign], [["prod create a", "dev create b"], []]);
});
