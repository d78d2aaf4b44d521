import { type Clock, formatDuration, silentLogger, sleep, SystemClock, UsageError } from "../base/mod.ts";
import { Client, NotFoundError } from "../client/mod.ts";
import {
  CheckedLease,
  describePeer,
  freezeEndsMs,
  LEASE_TIMING,
  LEASES,
  MemberList,
  type Peer,
  peerAnnotations,
  PEERING_LABEL,
  peerLeaseName,
  peerOf,
} from "../election/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { openCluster } from "./open_cluster.ts";
import { type PeeringPlace, peeringPlace } from "./peering_place.ts";
import type { CommandContext } from "./command_context.ts";
import { parseDuration } from "./setting.ts";
import type { Terminal } from "./terminal.ts";

interface FreezeFlags {
  readonly id?: string | undefined;
  readonly lifetime?: string | undefined;
  readonly message?: string | undefined;
}

interface ResumeFlags {
  readonly id?: string | undefined;
  readonly all?: true | undefined;
}

/** Kopf's: above production, below a developer's own operator. */
const FREEZE_PRIORITY = 100;
/** Operators list their peers every two seconds. */
const LIFETIME_MS_MIN = 10_000;
/** A forgotten freeze ends by itself. */
const LIFETIME_MS_MAX = 7 * 86_400_000;

const POLL_MS = 1_000;
const PAUSE_MS_MAX = 120_000;
const NO_PEERS = "no operator of this peering runs now; one joins it with --peering, or PINTLE_PEERING";

interface Freezing extends PeeringPlace {
  readonly client: Client;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly title: string;
  /** Lists peers, and deletes expired Leases. */
  peers(): Promise<Peer[]>;
  /** A peer's Lease, which lasts while it is renewed. */
  lease(peer: Peer): CheckedLease;
}

/**
 * `freeze`: pauses the operators of a peering. With a lifetime it returns once they paused; they resume after that
 * time, or at `resume`. Without one they pause until soon after this command ends in any way.
 */
export async function freeze(context: CommandContext, flags: FreezeFlags): Promise<number> {
  const lifetimeMs = flags.lifetime === undefined ? undefined : parseLifetime(flags.lifetime);
  const { settings: { priority = FREEZE_PRIORITY } } = context, { message } = flags;
  const identity = flags.id ?? ownIdentity(context);
  if (identity === "") throw new UsageError("--id is empty", "give an identity, such as ada@laptop");
  return await onPeering(context, async (freezing) => {
    const expiresMs = lifetimeMs && freezing.clock.now() + lifetimeMs;
    const peer: Peer = { identity, priority, state: lifetimeMs ? "freeze" : "hold", message, expiresMs };
    if (lifetimeMs) await createFreeze(freezing, peer, lifetimeMs);
    else await freezing.lease(peer).renew(peerAnnotations(peer), freezing.signal);
    return await awaitPause(freezing, peer, lifetimeMs);
  });
}

/** Prints the paused operators; without a lifetime, waits for a signal. */
async function awaitPause(freezing: Freezing, peer: Peer, lifetimeMs: number | undefined): Promise<number> {
  const { terminal, clock, signal, title } = freezing, beganMs = clock.elapsed(), renewed = freezing.lease(peer);
  terminal.out(`${title} is frozen by ${describePeer(peer)}`);
  let hasPaused = false;
  try {
    for (;;) {
      const below = (await freezing.peers()).filter((each) => isOperator(each) && each.priority <= peer.priority);
      const busy = below.filter(({ state }) => state === "active");
      if (!hasPaused && busy.length === 0) {
        terminal.out(below.length === 0 ? NO_PEERS : `paused: ${below.map(describePeer).join(", ")}`);
        if (peer.state === "freeze") return EXIT.done;
        terminal.out("until Ctrl-C, or until this command ends");
        hasPaused = true;
      }
      const passedMs = clock.elapsed() - beganMs, boundMs = Math.min(PAUSE_MS_MAX, lifetimeMs ?? PAUSE_MS_MAX);
      if (!hasPaused && passedMs >= boundMs) {
        throw new Error(`not paused within ${formatDuration(boundMs)}: ${busy.map(describePeer).join(", ")}`);
      }
      await sleep(clock, POLL_MS, signal);
      if (peer.state === "hold") await renewed.renew(peerAnnotations(peer), signal);
    }
  } catch (error) {
    if (!signal.aborted || peer.state === "freeze") throw error;
    terminal.out(`${title} resumes`);
    return EXIT.done;
  } finally {
    if (peer.state === "hold") await renewed.delete();
  }
}

/** `resume`: ends one freeze or all. If there is none to end, it fails and lists the others. */
export async function resume(context: CommandContext, flags: ResumeFlags): Promise<number> {
  if (flags.all && flags.id !== undefined) throw new UsageError("--id and --all exclude each other");
  const identity = flags.id ?? ownIdentity(context);
  return await onPeering(context, async (freezing) => {
    const { client, namespace, name, terminal, signal, title } = freezing;
    const freezes = (await freezing.peers()).filter((peer) => !isOperator(peer));
    const meant = (peer: Peer) => flags.all === true || peer.identity === identity;
    const ended = freezes.filter(meant), others = freezes.filter((peer) => !meant(peer));
    for (const peer of ended) {
      await client.delete(LEASES, { namespace, name: peerLeaseName(name, peer.identity) }, { signal }).catch(
        (error) => {
          if (!(error instanceof NotFoundError)) throw error; // it has just run out
        },
      );
      terminal.out(`${title} is no longer frozen by ${describePeer(peer)}`);
    }
    if (ended.length === 0) terminal.err(`${title} is not frozen${flags.all ? "" : ` by ${identity}`}`);
    for (const peer of others) {
      terminal.err(`${title} is frozen by ${describePeer(peer)}`);
      terminal.err(`  fix: ${context.command} resume --id ${JSON.stringify(peer.identity)}, or --all`);
    }
    return ended.length === 0 ? EXIT.failed : EXIT.done;
  });
}

async function onPeering(context: CommandContext, work: (freezing: Freezing) => Promise<number>): Promise<number> {
  const clock = new SystemClock();
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const { operator, terminal } = context, place = peeringPlace(context, cluster);
  const client = new Client(cluster.transport, { fieldManager: operator.name, clock }), { namespace, name } = place;
  const labels = { [PEERING_LABEL]: name }, labelSelector = `${PEERING_LABEL}=${name}`;
  const members = new MemberList({
    client,
    clock,
    logger: silentLogger,
    namespace,
    labelSelector,
    expiresMs: freezeEndsMs,
  });
  const leases = new Map<string, CheckedLease>();
  const lease = ({ identity }: Peer) => {
    const key = { namespace, name: peerLeaseName(name, identity) };
    const known = leases.get(identity) ??
      new CheckedLease({ client, clock, key, identity, labels, timing: LEASE_TIMING });
    leases.set(identity, known);
    return known;
  };
  const peers = async () => (await members.list(signal)).map(peerOf);
  const title = `peering ${namespace}/${name}`;
  return await work({ ...place, client, clock, terminal, signal, title, peers, lease }).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error;
    const fix = `create it, or name the namespace of the operator: --peering NAMESPACE/${name}`;
    throw new UsageError(`there is no namespace ${namespace}`, fix, { cause: error });
  });
}

function isOperator({ state }: Peer): boolean {
  return state === "active" || state === "paused";
}

/** A freeze that outlives this command and replaces one of the same identity, counted from creation. */
async function createFreeze(
  { client, namespace, name, signal }: Freezing,
  peer: Peer,
  lifetimeMs: number,
): Promise<void> {
  const key = { namespace, name: peerLeaseName(name, peer.identity) };
  await client.delete(LEASES, key, { signal }).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
  const metadata = { ...key, labels: { [PEERING_LABEL]: name }, annotations: peerAnnotations(peer) };
  const spec = { holderIdentity: peer.identity, leaseDurationSeconds: Math.ceil(lifetimeMs / 1_000) };
  await client.create(LEASES, { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec }, { signal });
}

/** @throws {UsageError} for no duration, or one out of bounds. */
function parseLifetime(text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms < LIFETIME_MS_MIN || ms > LIFETIME_MS_MAX) {
      throw new RangeError(`must be from ${formatDuration(LIFETIME_MS_MIN)} to ${formatDuration(LIFETIME_MS_MAX)}`);
    }
    return ms;
  } catch (cause) {
    throw new UsageError(`--lifetime: "${text}" ${(cause as Error).message}`, undefined, { cause });
  }
}

/** The user's name; `--id` is for shared accounts. */
function ownIdentity({ env }: CommandContext): string {
  return env.USER || env.USERNAME || "unnamed";
}
