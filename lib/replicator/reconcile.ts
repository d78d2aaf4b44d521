import { type KubeObject, type Logger, Namespace, TemporaryError } from "../mod.ts";
import {
  type CachedReader,
  describeError,
  formatKey,
  mapConcurrent,
  NamespaceTerminatingError,
  truncate,
} from "../client.ts";
import { isCopyOf, REPLICATION_LABEL, type ReplicationIdentity, replicationLabel } from "./claim.ts";
import { type Context, type CopyKind, KINDS, type NamespaceObject, recordOf } from "./copied_kinds.ts";
import type { CopyRecord } from "./copy_record.ts";
import { CopyWriter, LeavingError } from "./copy_writer.ts";
import { desiredMarks, planSteps, type Step, undeclaredCopies } from "./plan.ts";
import { Replication, type ReplicationFailure } from "./replication.ts";
import { type SourceFacts, sourceFacts } from "./source.ts";
import { SourceReading } from "./source_reading.ts";
import { compileTargets, copyName, type Targets } from "./targets.ts";
import { accepts, isTrusted, trustAdvice, type TrustSettings } from "./trust.ts";

/** Bounds of the replicator, and its administrator's decisions. */
export interface ReplicatorOptions extends TrustSettings {
  /** Concurrent requests for copies, per Replication. */
  readonly copiesAtOnceMax: number;
}

const FAILURES_MAX = 20;
export const BY_REPLICATION = "replication";
const MESSAGE_LENGTH_MAX = 512;
/** Pause before a retry if the conflicting object is gone already. */
const SOON_MS = 100;

/** Memory of one Replication between reconciles; losing it costs one read of the source. */
interface Remembered {
  source?: SourceFacts;
  /** Each copy's version that was read and found right, though its marks could not prove it, with the source's. */
  readonly verified: Map<string, string>;
}

export class ReplicationReconciler {
  readonly #options: ReplicatorOptions;
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  /** Converges one Replication's copies. A refusal changes nothing: copies stay as they are until it is resolved. */
  async reconcile(context: Context): Promise<void> {
    const { spec, status, namespace } = context;
    if (spec.suspend) {
      status.condition({
        type: "Ready",
        status: false,
        reason: "Suspended",
        message: "spec.suspend is true: copies are left unchanged",
      });
      return;
    }
    const targets = compileTargets(spec, namespace, this.#options);
    const sourceKey = { namespace, name: spec.source.name };
    const seen = await context.watch(KINDS[spec.source.kind], sourceKey);
    const read = seen && !seen.metadata?.deletionTimestamp ? new SourceReading(context, sourceKey) : undefined;
    const source = read && await this.#facts(context, read, seen!.metadata!.resourceVersion!);
    if (source?.refused) return refuseSource(context, source.refused);
    const matched = matchedNamespaces(context, targets);
    const declared = new Set(source ? matched.keys() : []);
    const removal = await this.#removeUndeclared(context, declared, source ? targets : undefined);
    if (!source) return this.#sourceMissing(context, { ...targets, matched: matched.size }, removal);
    const allowed = [...matched].filter(([, allowed]) => allowed).map(([name]) => name);
    const refused = [...matched].filter(([, allowed]) => !allowed).map(([name]) => notTrusted(namespace, name));
    const failures = await this.#converge(context, source, read!, allowed);
    await this.#watchConflicts(context, failures);
    this.#report(context, source, { ...targets, matched: matched.size }, [...removal, ...failures, ...refused]);
  }

  /** Removes every copy of a deleted Replication. Asks the server, because the store may miss some. */
  async remove(context: Context): Promise<void> {
    const { client, spec } = context, replication = identityOf(context);
    const failures: ReplicationFailure[] = [];
    for (const kind of Object.values(KINDS)) {
      const labelSelector = `${REPLICATION_LABEL}=${replicationLabel(replication)}`;
      const { items } = await client.list<KubeObject>(kind, { labelSelector, metadataOnly: true });
      const copies = undeclaredCopies(replication, items.map(recordOf), () => false);
      failures.push(...await this.#removeCopies(context, { kind }, copies, spec.deletionPolicy ?? "Delete"));
    }
    if (failures.length > 0) throw incomplete("could not be removed", failures);
    this.#remembered.delete(replication.uid);
  }

  #memory({ uid }: Context): Remembered {
    let remembered = this.#remembered.get(uid);
    if (!remembered) this.#remembered.set(uid, remembered = { verified: new Map() });
    return remembered;
  }

  async #facts(context: Context, read: SourceReading, seenVersion: string): Promise<SourceFacts | undefined> {
    const remembered = this.#memory(context);
    if (remembered.source?.readVersion === seenVersion && !remembered.source.refused) return remembered.source;
    const source = await read.find();
    if (!source) return undefined;
    return remembered.source = sourceFacts(source, remembered.source, await read.refusal());
  }

  /** `matching` is absent if there is no source. */
  async #removeUndeclared(
    context: Context,
    targets: ReadonlySet<string>,
    matching: Targets | undefined,
  ): Promise<ReplicationFailure[]> {
    const { spec } = context, replication = identityOf(context);
    const failures: ReplicationFailure[] = [];
    for (const [kindName, kind] of Object.entries(KINDS)) {
      const mine = context.cached(kind).byIndex(BY_REPLICATION, replicationLabel(replication));
      const copies = undeclaredCopies(
        replication,
        mine,
        ({ metadata }) =>
          kindName === spec.source.kind && metadata?.name === copyName(spec) && targets.has(metadata.namespace ?? ""),
      ).filter((copy) => !this.#isLeaving(context, copy));
      if (copies.length === 0) continue;
      await requireCurrent(context);
      if (!matching) await requireNoSource(context);
      const check = async ({ metadata }: CopyRecord) => {
        if (matching && kindName === spec.source.kind && metadata?.name === copyName(spec)) {
          await requireNoTarget(context, matching, metadata.namespace!);
        }
      };
      failures.push(...await this.#removeCopies(context, { kind, check }, copies, spec.deletionPolicy));
    }
    return failures;
  }

  /** A terminating namespace deletes its copies. */
  #isLeaving(context: Context, copy: CopyRecord): boolean {
    const namespace = context.cached(Namespace).get({ name: copy.metadata?.namespace ?? "" });
    return namespace?.metadata?.deletionTimestamp !== undefined;
  }

  async #removeCopies(
    context: Context,
    { kind, check }: { readonly kind: CopyKind; readonly check?: (copy: CopyRecord) => Promise<void> },
    copies: readonly CopyRecord[],
    deletionPolicy: "Delete" | "Orphan",
  ): Promise<ReplicationFailure[]> {
    if (copies.length === 0) return [];
    const writer = this.#writer(context, kind);
    const failures = await this.#each(copies, context, async (copy) => {
      await check?.(copy);
      await writer.remove(copy, deletionPolicy);
      return copy.metadata!.namespace!;
    }, (copy) => copy.metadata!.namespace!);
    context.log.info(deletionPolicy === "Delete" ? "removed copies" : "orphaned copies", {
      copies: copies.length - failures.length,
      failed: failures.length,
    });
    return failures;
  }

  async #converge(
    context: Context,
    source: SourceFacts,
    read: SourceReading,
    targets: readonly string[],
  ): Promise<ReplicationFailure[]> {
    const { spec, status } = context, replication = identityOf(context);
    const kind = KINDS[spec.source.kind], copies: CachedReader<CopyRecord> = context.cached(kind);
    const { verified } = this.#memory(context);
    const steps = planSteps({
      replication,
      spec,
      source,
      targets,
      copyIn: (target) => {
        const copy = copies.get({ namespace: target, name: copyName(spec) });
        return copy && isCopyOf(copy, replication) ? copy : undefined;
      },
      occupied: new Set(
        status.current.failures?.filter(({ reason }) => reason === "Conflict").map((each) => each.namespace),
      ),
      verified: (copy) => verified.get(copy.metadata!.uid!) === proof(copy.metadata!.resourceVersion!, source),
    });
    const writer = this.#writer(context, kind, { source, read });
    const present = new Set(steps.map((step) => "copy" in step ? step.copy.metadata!.uid! : ""));
    for (const uid of verified.keys()) if (!present.has(uid)) verified.delete(uid);
    const work = steps.filter(({ kind }) => kind !== "keep");
    if (work.length > 0) await requireCurrent(context);
    const carryOut = async (step: Step) => {
      await this.#requireConsent(context, step.namespace);
      await this.#carryOut(step, writer, verified, source);
    };
    const failures = await this.#each(work, context, carryOut, (step) => step.namespace);
    if (work.length > 0) logWork(context.log, work, failures);
    return failures;
  }

  /** A watch can be behind, and show a consent that was withdrawn. */
  async #requireConsent({ client, namespace }: Context, target: string): Promise<void> {
    if (isTrusted(namespace, this.#options)) return;
    const live = await client.find<NamespaceObject>(Namespace, { name: target }, { metadataOnly: true });
    if (!live || accepts(live, namespace)) return;
    const { message, reason } = notTrusted(namespace, target);
    throw new TemporaryError(message, { reason });
  }

  async #carryOut(step: Step, writer: CopyWriter, verified: Map<string, string>, source: SourceFacts): Promise<void> {
    switch (step.kind) {
      case "keep":
        return;
      case "create":
        return await writer.create(step.namespace, step.occupied);
      case "leaving":
        throw new LeavingError();
      case "update":
      case "verify": {
        const version = step.kind === "update" ? await writer.update(step.copy) : await writer.verify(step.copy);
        if (version) verified.set(step.copy.metadata!.uid!, proof(version, source));
        return;
      }
      default:
        return step satisfies never;
    }
  }

  /** Runs `work` on every item, concurrently within bounds; an error becomes a failure of its namespace. */
  async #each<T>(
    items: readonly T[],
    context: Context,
    work: (item: T) => Promise<unknown>,
    namespaceOf: (item: T) => string,
  ): Promise<ReplicationFailure[]> {
    const failures: ReplicationFailure[] = [];
    await mapConcurrent(items, this.#options.copiesAtOnceMax, async (item) => {
      try {
        await work(item);
      } catch (error) {
        if (context.signal.aborted) throw error;
        const namespace = namespaceOf(item);
        if (this.#namespaceIsGone(error)) return;
        failures.push({
          namespace,
          reason: reasonOf(error),
          message: truncate(describeError(error), MESSAGE_LENGTH_MAX),
        });
      }
    });
    return failures.sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  /** The namespace began to terminate after the plan: its own event follows. */
  #namespaceIsGone(error: unknown): boolean {
    return error instanceof NamespaceTerminatingError ||
      (error instanceof Error && error.name === "NotFoundError" &&
        (error as { resource?: { kind: string } }).resource?.kind === "Namespace");
  }

  /** The writer of a kind's copies; without a source it can only remove. */
  #writer(
    context: Context,
    resource: CopyKind,
    from?: { readonly source: SourceFacts; readonly read: SourceReading },
  ): CopyWriter {
    const { client, namespace, spec } = context, replication = identityOf(context);
    const { conflictPolicy } = spec, trusted = isTrusted(namespace, this.#options);
    return new CopyWriter({
      client,
      resource,
      claimant: { replication, conflictPolicy, trusted },
      name: copyName(spec),
      marks: (target) => from ? desiredMarks({ replication, spec, source: from.source }, target) : NO_MARKS,
      transform: recordOf,
      source: () => from!.read.get(),
    });
  }

  /**
   * Watches conflicting objects by name, so that copies follow at once when they go. The stores of copies already have
   * other Replications' copies.
   *
   * @throws {TemporaryError} if one went meanwhile.
   */
  async #watchConflicts(context: Context, failures: readonly ReplicationFailure[]): Promise<void> {
    const conflicts = failures.filter(({ reason }) => reason === "Conflict" || reason === "CopyTerminating");
    if (conflicts.length === 0) return;
    const { spec } = context, name = copyName(spec), kind = KINDS[spec.source.kind];
    const standing = await context.watchAll(kind, {
      fieldSelector: `metadata.name=${name}`,
      labelSelector: `!${REPLICATION_LABEL}`,
    });
    const inTheWay = new Set(standing.map(({ metadata }) => metadata?.namespace));
    const copies = context.cached(kind);
    const gone = conflicts.filter(({ namespace }) => !inTheWay.has(namespace) && !copies.get({ namespace, name }));
    if (gone.length > 0) {
      const message = `the conflicting object in ${gone[0]!.namespace} was just deleted`;
      throw new TemporaryError(message, { delay: SOON_MS, reason: "ReplicationIncomplete" });
    }
  }

  #sourceMissing(
    { spec, status, namespace }: Context,
    { matched, ...targets }: Targets & { readonly matched: number },
    failures: readonly ReplicationFailure[],
  ): void {
    const { kind, name } = spec.source;
    reportTargets(status, targets);
    const message = `${kind} ${formatKey({ namespace, name })} does not exist`;
    status.condition({ type: "SourceFound", status: false, reason: "NotFound", message });
    status.condition({ type: "Ready", status: false, reason: "SourceNotFound", message });
    status.set({
      sourceVersion: undefined,
      namespaces: { matched, ready: 0, failed: failures.length },
      failures: listed(failures),
    });
    if (failures.length > 0) throw incomplete("could not be removed", failures);
  }

  #report(
    { status, log }: Context,
    source: SourceFacts,
    { matched, ...targets }: Targets & { readonly matched: number },
    failures: readonly ReplicationFailure[],
  ): void {
    const failed = failures.length, ready = Math.max(0, matched - failed);
    status.condition({ type: "SourceFound", status: true, reason: "Found" });
    const never = reportTargets(status, targets);
    status.set({
      sourceVersion: source.contentVersion,
      namespaces: { matched, ready, failed },
      failures: listed(failures),
    });
    const trustProblems = failures.filter(({ reason }) => reason === NOT_TRUSTED);
    if (failed > trustProblems.length) throw incomplete(`of ${matched} failed`, failures);
    if (failed > 0) {
      // Nothing to retry: a change of a Namespace wakes the Replication, a change of the setting restarts the operator.
      const message = `${failed} of ${matched} namespaces refuse copies: ${failures[0]!.message}`;
      const known = status.current.conditions?.some(({ type, reason }) => type === "Ready" && reason === NOT_TRUSTED);
      if (!known) log.warn("not trusted", { refused: failed, message });
      return status.condition({ type: "Ready", status: false, reason: NOT_TRUSTED, message });
    }
    if (!targets.reachable) {
      return status.condition({ type: "Ready", status: false, reason: "NoTargets", message: never });
    }
    status.condition({
      type: "Ready",
      status: true,
      reason: "Replicated",
      message: `${ready} of ${matched} copies show the source`,
    });
  }
}

const NOT_TRUSTED = "NotTrusted";
const NO_MARKS = { labels: {}, annotations: {} };

/**
 * A watch can be behind: the spec may be old, or of a Replication that is gone, whose copies nothing would remove.
 *
 * @throws {TemporaryError} if the server has another version of the spec.
 */
async function requireCurrent({ client, namespace, name, object }: Context): Promise<void> {
  const { uid, generation } = object.metadata;
  const live = await client.find<KubeObject>(Replication, { namespace, name }, { metadataOnly: true });
  if (live?.metadata?.uid === uid && live?.metadata?.generation === generation) return;
  throw outdated(`the Replication ${live ? "has changed" : "was deleted"}`);
}

/** @throws {TemporaryError} if the server has the source. */
async function requireNoSource({ client, namespace, spec: { source } }: Context): Promise<void> {
  const key = { namespace, name: source.name };
  const live = await client.find<KubeObject>(KINDS[source.kind], key, { metadataOnly: true });
  if (live && !live.metadata?.deletionTimestamp) throw outdated(`${source.kind} ${formatKey(key)} exists`);
}

/** @throws {TemporaryError} if the server has the namespace, and it is a target. */
async function requireNoTarget({ client }: Context, { verdict }: Targets, name: string): Promise<void> {
  const live = await client.find<NamespaceObject>(Namespace, { name }, { metadataOnly: true });
  if (live && verdict(live) !== "none") throw outdated(`namespace ${name} is a target`);
}

function outdated(what: string): TemporaryError {
  return new TemporaryError(`${what}, which the watch has not shown yet`, { delay: "1s", reason: "Outdated" });
}

/** Returns what is said of targets that no copy can reach; empty if there are none. */
function reportTargets(status: Context["status"], { unreachable, reachable }: Targets): string {
  if (unreachable.length === 0 && reachable) {
    status.condition({ type: "TargetsReachable", status: true, reason: "Reachable" });
    return "";
  }
  const message = unreachable.length > 0
    ? `these targets can never receive a copy: ${unreachable.join(", ")}`
    : "spec.targets.namespaces is empty, so no namespace matches";
  status.condition({ type: "TargetsReachable", status: false, reason: "NeverMatch", message });
  return message;
}

function identityOf({ namespace, name, uid }: Context): ReplicationIdentity {
  return { namespace, name, uid };
}

/** The matching namespaces, sorted, each with whether it may be written to. */
function matchedNamespaces(context: Context, { verdict }: Targets): Map<string, boolean> {
  const matched = new Map<string, boolean>();
  for (const namespace of context.cached(Namespace).values()) {
    const found = verdict(namespace);
    if (found !== "none") matched.set(namespace.metadata!.name!, found === "allowed");
  }
  return new Map([...matched].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function notTrusted(own: string, namespace: string): ReplicationFailure & { readonly message: string } {
  const message = `namespace ${namespace} does not trust namespace ${own}: ${trustAdvice(own, namespace)}`;
  return { namespace, reason: NOT_TRUSTED, message };
}

function refuseSource({ spec, status, namespace }: Context, { reason, message }: { reason: string; message: string }) {
  const { kind, name } = spec.source, text = `${kind} ${formatKey({ namespace, name })} ${message}`;
  status.condition({ type: "SourceFound", status: false, reason, message: text });
  status.condition({ type: "Ready", status: false, reason, message: text });
}

function proof(copyVersion: string, source: SourceFacts): string {
  return `${copyVersion} ${source.contentVersion}`;
}

function listed(failures: readonly ReplicationFailure[]): ReplicationFailure[] | undefined {
  return failures.length === 0 ? undefined : failures.slice(0, FAILURES_MAX);
}

function reasonOf(error: unknown): string {
  if (error instanceof TemporaryError) return error.reason;
  return error instanceof Error ? error.name.replace(/Error$/, "") || "Error" : "Error";
}

function incomplete(what: string, failures: readonly ReplicationFailure[]): TemporaryError {
  const { namespace, message } = failures[0]!;
  return new TemporaryError(`${failures.length} ${what}: ${namespace}: ${message}`, {
    reason: "ReplicationIncomplete",
  });
}

function logWork(log: Logger, work: readonly Step[], failures: readonly ReplicationFailure[]): void {
  const failed = new Set(failures.map(({ namespace }) => namespace));
  const count = (kind: Step["kind"]) => work.filter((step) => step.kind === kind && !failed.has(step.namespace)).length;
  const counts = {
    created: count("create"),
    updated: count("update"),
    verified: count("verify"),
    failed: failures.length,
  };
  if (failures.length > 0) log.warn("partly converged", counts);
  else log.info("converged", counts);
}
