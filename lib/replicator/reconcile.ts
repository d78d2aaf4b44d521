import {
  type CachedReader,
  ConfigMap,
  describeError,
  formatKey,
  type Logger,
  mapConcurrent,
  Namespace,
  NamespaceTerminatingError,
  type ObjectKey,
  type ReconcileContext,
  type ResourceKind,
  Secret,
  TemporaryError,
} from "../operator/mod.ts";
import { CLAIM_LABEL, claimLabel, claimOf, claimText } from "./claim.ts";
import type { CopyRecord } from "./copy_record.ts";
import { CopyWriter, type CopyWriterOptions } from "./copy_writer.ts";
import { desiredMarks, planSteps, type Step, unwantedCopies } from "./plan.ts";
import {
  Replication,
  type ReplicationFailure,
  type ReplicationObject,
  type ReplicationSpec,
  type ReplicationStatus,
} from "./replication.ts";
import { type SourceFacts, sourceFacts, type SourceObject } from "./source.ts";
import { copyName, targetMatcher } from "./targets.ts";

/** Bounds and limits of the replicator. */
export interface ReplicatorOptions {
  /** Globs of namespaces that never get a copy. */
  readonly protectedNamespaces: readonly string[];
  /** Requests for copies under way at once, per Replication. */
  readonly copiesAtOnceMax: number;
}

/** Failures that a status names one by one. */
const FAILURES_MAX = 20;
/** Index of the copy stores: the label of the Replication. */
export const BY_REPLICATION = "replication";

type Context = ReconcileContext<ReplicationObject, ReplicationSpec, ReplicationStatus>;
type CopyKind = ResourceKind<CopyRecord, unknown, object>;

const KINDS: Readonly<Record<"Secret" | "ConfigMap", CopyKind>> = {
  Secret: Secret as unknown as CopyKind,
  ConfigMap: ConfigMap as unknown as CopyKind,
};

/** Remembered of one Replication between reconciles; may be lost, and then costs one read of the source. */
interface Remembered {
  source?: SourceFacts;
  /** Version of each copy that was read and found right though its marks could not prove it, with the source's version. */
  readonly verified: Map<string, string>;
}

/** The two handlers of a Replication, with what they remember. */
export class ReplicationReconciler {
  readonly #options: ReplicatorOptions;
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  /** Converges the copies of one Replication. */
  async reconcile(context: Context): Promise<void> {
    const { spec, status, namespace } = context;
    if (spec.suspend) {
      status.condition("Ready", false, "Suspended", "spec.suspend is true: copies are left as they are");
      return;
    }
    const matches = targetMatcher(spec, namespace, this.#options.protectedNamespaces);
    const sourceKey = { namespace, name: spec.source.name };
    const seen = await context.watch(KINDS[spec.source.kind], sourceKey);
    const read = seen && !seen.metadata?.deletionTimestamp ? new SourceReading(context, sourceKey) : undefined;
    const source = read && await this.#facts(context, read, seen!.metadata!.resourceVersion!);
    const wanted = source
      ? [...context.cached(Namespace).values()].filter(matches).map(({ metadata }) => metadata!.name!).sort()
      : [];
    const removal = await this.#removeUnwanted(context, new Set(wanted));
    if (!source) return this.#sourceMissing(context, removal);
    const failures = [...removal, ...await this.#converge(context, source, read!, wanted)];
    this.#report(context, source, wanted.length, failures);
  }

  /** Removes every copy of a Replication that is being deleted. Asks the server, not the store: nothing may be overlooked. */
  async remove(context: Context): Promise<void> {
    const { client, namespace, name, spec } = context, key = { namespace, name };
    const failures: ReplicationFailure[] = [];
    for (const kind of Object.values(KINDS)) {
      const labelSelector = `${CLAIM_LABEL}=${claimLabel(key)}`;
      const { items } = await client.list<CopyRecord>(kind, { labelSelector, metadataOnly: true });
      const copies = unwantedCopies(key, items, () => false);
      failures.push(...await this.#removeCopies(context, kind, copies, spec.deletionPolicy ?? "Delete"));
    }
    if (failures.length > 0) throw incomplete("could not be removed", failures);
    this.#remembered.delete(claimText(key));
  }

  #memory({ namespace, name }: Context): Remembered {
    const claim = claimText({ namespace, name });
    let remembered = this.#remembered.get(claim);
    if (!remembered) this.#remembered.set(claim, remembered = { verified: new Map() });
    return remembered;
  }

  async #facts(context: Context, read: SourceReading, seenVersion: string): Promise<SourceFacts | undefined> {
    const remembered = this.#memory(context);
    if (remembered.source?.readVersion === seenVersion) return remembered.source;
    const source = await read.find();
    if (!source) return undefined;
    return remembered.source = sourceFacts(source, remembered.source);
  }

  async #removeUnwanted(context: Context, wanted: ReadonlySet<string>): Promise<ReplicationFailure[]> {
    const { namespace, name, spec } = context, key = { namespace, name };
    const failures: ReplicationFailure[] = [];
    for (const [kindName, kind] of Object.entries(KINDS)) {
      const mine = context.cached(kind).byIndex(BY_REPLICATION, claimLabel(key));
      const copies = unwantedCopies(
        key,
        mine,
        ({ metadata }) =>
          kindName === spec.source.kind && metadata?.name === copyName(spec) && wanted.has(metadata.namespace ?? ""),
      ).filter((copy) => !this.#isLeaving(context, copy));
      failures.push(...await this.#removeCopies(context, kind, copies, spec.deletionPolicy));
    }
    return failures;
  }

  /** A namespace that is going away takes its copies along. */
  #isLeaving(context: Context, copy: CopyRecord): boolean {
    const namespace = context.cached(Namespace).get({ name: copy.metadata?.namespace ?? "" });
    return namespace?.metadata?.deletionTimestamp !== undefined;
  }

  async #removeCopies(
    context: Context,
    kind: CopyKind,
    copies: readonly CopyRecord[],
    deletionPolicy: "Delete" | "Orphan",
  ): Promise<ReplicationFailure[]> {
    if (copies.length === 0) return [];
    const writer = this.#writer(context, kind, { labels: {}, annotations: {} }, () => {
      throw new TemporaryError("removing copies needs no source");
    });
    const failures = await this.#each(copies, context, async (copy) => {
      await writer.remove(copy, deletionPolicy);
      return copy.metadata!.namespace!;
    }, (copy) => copy.metadata!.namespace!);
    context.log.info(deletionPolicy === "Delete" ? "removed copies" : "let go of copies", {
      copies: copies.length - failures.length,
      failed: failures.length,
    });
    return failures;
  }

  async #converge(
    context: Context,
    source: SourceFacts,
    read: SourceReading,
    wanted: readonly string[],
  ): Promise<ReplicationFailure[]> {
    const { namespace, name, spec, status } = context, key = { namespace, name };
    const kind = KINDS[spec.source.kind], copies: CachedReader<CopyRecord> = context.cached(kind);
    const { verified } = this.#memory(context), claim = claimText(key);
    const steps = planSteps({
      replication: key,
      spec,
      source,
      wanted,
      copyIn: (target) => {
        const copy = copies.get({ namespace: target, name: copyName(spec) });
        return copy && claimOf(copy) === claim ? copy : undefined;
      },
      occupied: new Set(
        status.current.failures?.filter(({ reason }) => reason === "Conflict").map((each) => each.namespace),
      ),
      verified: (copy) => verified.get(copy.metadata!.uid!) === proof(copy.metadata!.resourceVersion!, source),
    });
    const writer = this.#writer(context, kind, desiredMarks({ replication: key, spec, source }), () => read.get());
    const work = steps.filter(({ kind }) => kind !== "keep");
    const carryOut = (step: Step) => this.#carryOut(step, writer, verified, source);
    const failures = await this.#each(work, context, carryOut, (step) => step.namespace);
    if (work.length > 0) logWork(context.log, work, failures);
    return failures;
  }

  async #carryOut(step: Step, writer: CopyWriter, verified: Map<string, string>, source: SourceFacts): Promise<void> {
    switch (step.kind) {
      case "keep":
        return;
      case "create":
        return await writer.create(step.namespace, step.occupied);
      case "leaving":
        throw new TemporaryError("the copy is being deleted and waits for a finalizer", { reason: "CopyTerminating" });
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

  /** `work` on every item at once within bounds; what fails becomes a failure of its namespace. */
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
        failures.push({ namespace, reason: reasonOf(error), message: describeError(error).slice(0, 512) });
      }
    });
    return failures.sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  /** The namespace began to go between the plan and the request: its own event will tell. */
  #namespaceIsGone(error: unknown): boolean {
    return error instanceof NamespaceTerminatingError ||
      (error instanceof Error && error.name === "NotFoundError" &&
        (error as { resource?: { kind: string } }).resource?.kind === "Namespace");
  }

  #writer(
    context: Context,
    resource: CopyKind,
    marks: CopyWriterOptions["marks"],
    source: () => Promise<SourceObject>,
  ): CopyWriter {
    const { client, namespace, name, spec } = context;
    const replications = context.cached(Replication);
    return new CopyWriter({
      client,
      resource,
      replication: { namespace, name },
      name: copyName(spec),
      marks,
      conflictPolicy: spec.conflictPolicy,
      source,
      claimIsLive: (claim) => {
        const slash = claim.indexOf("/");
        return replications.get({ namespace: claim.slice(0, slash), name: claim.slice(slash + 1) }) !== undefined;
      },
    });
  }

  #sourceMissing({ spec, status, namespace }: Context, failures: readonly ReplicationFailure[]): void {
    const { kind, name } = spec.source;
    const message = `${kind} ${formatKey({ namespace, name })} does not exist`;
    status.condition("SourceFound", false, "NotFound", message);
    status.condition("Ready", false, "SourceNotFound", message);
    status.set({
      sourceVersion: undefined,
      namespaces: { matched: 0, ready: 0, failed: failures.length },
      failures: listed(failures),
    });
    if (failures.length > 0) throw incomplete("could not be removed", failures);
  }

  #report({ status }: Context, source: SourceFacts, matched: number, failures: readonly ReplicationFailure[]): void {
    const failed = failures.length, ready = Math.max(0, matched - failed);
    status.condition("SourceFound", true, "Found");
    status.set({
      sourceVersion: source.contentVersion,
      namespaces: { matched, ready, failed },
      failures: listed(failures),
    });
    if (failed > 0) throw incomplete(`of ${matched} failed`, failures);
    status.condition("Ready", true, "Replicated", `${ready} of ${matched} copies show the source`);
  }
}

/** Reads the source at most once in a cycle. */
class SourceReading {
  readonly #context: Context;
  readonly #key: ObjectKey;
  #reading: Promise<SourceObject | undefined> | undefined;

  constructor(context: Context, key: ObjectKey) {
    this.#context = context;
    this.#key = key;
  }

  /** The source, or undefined where it is gone. */
  find(): Promise<SourceObject | undefined> {
    return this.#reading ??= this.#context.client.find<SourceObject>(KINDS[this.#context.spec.source.kind], this.#key);
  }

  /** The source. @throws {TemporaryError} where it is gone. */
  async get(): Promise<SourceObject> {
    const source = await this.find();
    if (!source) throw new TemporaryError("the source was just deleted", { delay: 100, reason: "SourceNotFound" });
    return source;
  }
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
  const count = (kind: Step["kind"]) => work.filter((step) => step.kind === kind).length;
  const counts = {
    created: count("create"),
    updated: count("update"),
    verified: count("verify"),
    failed: failures.length,
  };
  if (failures.length > 0) log.warn("converged in part", counts);
  else log.info("converged", counts);
}
