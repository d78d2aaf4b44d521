import { describeError, silentLogger, SystemClock, UsageError } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { ApiError, Client, ForbiddenError } from "../client/mod.ts";
import { type LeaseObject, LEASES } from "../election/mod.ts";
import { CREATED_BY, Deployment, installation, type InstalledObject, Secret } from "../operator/mod.ts";
import { converterOf, CRDS, NO_CONVERSION, webhookServiceName } from "../admission/mod.ts";
import { clockSkewMs } from "./doctor/server_checks.ts";
import { EXIT } from "./exit.ts";
import {
  type Account,
  deploymentsOf,
  type HandledKind,
  handledKinds,
  isWorkersLease,
  isWorking,
  leasesOf,
  objectsOf,
  podsOf,
  webhooksOf,
} from "./inventory.ts";
import { requireNamespaceName } from "./install.ts";
import { Interrupts } from "./interrupts.ts";
import { contentOf } from "./namespace_content.ts";
import { openCluster } from "./open_cluster.ts";
import { peeringPlace } from "./peering_place.ts";
import type { CommandContext } from "./command_context.ts";
import { Deleter, nameOf } from "./deleter.ts";
import { parseDuration } from "./setting.ts";

interface UninstallFlags {
  readonly namespace: string;
  readonly timeout: string;
  readonly dryRun?: true | undefined;
  readonly deleteObjects?: true | undefined;
  readonly keepCrds?: true | undefined;
  readonly releaseFinalizers?: true | undefined;
  readonly deleteNamespace?: true | undefined;
}

interface Found extends InstalledObject {
  readonly live: DynamicObject;
}

interface Count {
  readonly handled: HandledKind;
  readonly objects: readonly KubeObject[];
  readonly held: number;
}

/** Label of an operator's objects; its value is the operator's name. */
const OWN = "app.kubernetes.io/name";
const NAMED_MAX = 5;

/**
 * `uninstall`: removes what `install` applied and the operator wrote. Objects go first, while an operator can clean up
 * after them; then CRDs, pods, RBAC rules, the namespace. Objects need consent; nothing that existed before goes. A
 * repetition continues where it stopped.
 */
export async function uninstall(context: CommandContext, flags: UninstallFlags): Promise<number> {
  const { operator, terminal, command } = context, dryRun = flags.dryRun === true;
  requireFlags(flags);
  const clock = new SystemClock(), out = (line: string) => terminal.out(line);
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  await using cluster = await openCluster(context, clock, silentLogger);
  const client = new Client(cluster.transport, {
    fieldManager: `${operator.name}-uninstall`,
    clock,
    dryRun,
    mask: context.mask,
  });
  const waitMsMax = parseDuration(flags.timeout);
  const deleter = new Deleter({ client, dryRun, operator, clock, waitMsMax, signal, out });
  const { namespace: home, transport } = cluster, { namespace: peering } = peeringPlace(context, cluster);
  // Outside of the cluster, leader election uses the context's namespace.
  const places = [...new Set([flags.namespace, home, peering])];
  const elsewhere = async () => {
    const nowMs = clock.now() + (await clockSkewMs({ transport, clock, signal }) ?? 0);
    for (const namespace of places) {
      const leases = await leasesOf(client, { namespace, name: operator.name }, signal);
      const lease = leases.find((each) => isWorkersLease(each, nowMs));
      if (lease) return lease;
    }
  };
  const work = new Uninstallation(context, flags, { client, deleter, signal, leases: { places, elsewhere } });
  const found = await work.find();
  await work.removeObjects(found);
  await work.removeProcesses();
  await work.removeRbac(found);
  await work.removeNamespace(found);
  if (work.isEmpty) out(`nothing of ${operator.name} is in this cluster`);
  else if (!dryRun) out(`${operator.name} is uninstalled`);
  else out(`nothing was removed: \`${command} uninstall\` without --dry-run does that`);
  return EXIT.done;
}

function requireFlags({ namespace, timeout, deleteNamespace }: UninstallFlags): void {
  requireNamespaceName(namespace);
  try {
    parseDuration(timeout);
  } catch (cause) {
    throw new UsageError(`--timeout: "${timeout}" ${describeError(cause)}`, undefined, { cause });
  }
  if (deleteNamespace && (namespace === "default" || namespace.startsWith("kube-"))) {
    throw new UsageError(`namespace ${namespace} is the cluster's own`, "leave --delete-namespace out");
  }
}

interface LeaseSearch {
  readonly places: readonly string[];
  readonly elsewhere: () => Promise<LeaseObject | undefined>;
}

interface UninstallationParts {
  readonly client: Client;
  readonly deleter: Deleter;
  readonly signal: AbortSignal;
  readonly leases: LeaseSearch;
}

class Uninstallation {
  readonly #context: CommandContext;
  readonly #flags: UninstallFlags;
  readonly #client: Client;
  readonly #deleter: Deleter;
  readonly #signal: AbortSignal;
  readonly #leases: LeaseSearch;
  #kinds: readonly HandledKind[] = [];
  #isEmpty = true;

  constructor(
    context: CommandContext,
    flags: UninstallFlags,
    { client, deleter, signal, leases }: UninstallationParts,
  ) {
    this.#leases = leases;
    this.#context = context;
    this.#flags = flags;
    this.#client = client;
    this.#deleter = deleter;
    this.#signal = signal;
  }

  get isEmpty(): boolean {
    return this.#isEmpty && this.#deleter.removed.size === 0;
  }

  /** The installed objects that exist. @throws {UsageError} if the account is in another namespace. */
  async find(): Promise<Found[]> {
    const { operator, program } = this.#context, { namespace } = this.#flags;
    this.#kinds = await handledKinds(operator, this.#client, this.#signal);
    const found: Found[] = [];
    for (const each of installation(operator, program, namespace)) {
      const live = await this.#client.find(each.resource, keyOf(each.object), { signal: this.#signal });
      if (live) found.push({ ...each, live });
    }
    this.#isEmpty = found.every(isNamespace);
    const binding = found.find(({ resource }) => resource.kind === "ClusterRoleBinding")?.live;
    const subjects = (binding?.subjects ?? []) as { namespace?: string }[];
    const elsewhere = subjects.find((subject) => subject.namespace && subject.namespace !== namespace)?.namespace;
    if (!elsewhere) return found;
    throw new UsageError(
      `${operator.name} is installed in namespace ${elsewhere}, not in ${namespace}`,
      `give --namespace ${elsewhere}`,
    );
  }

  async removeObjects(found: readonly Found[]): Promise<void> {
    const { deleteObjects = false, keepCrds = false, releaseFinalizers = false } = this.#flags;
    const crds = found.filter(({ resource }) => resource === CRDS);
    if (deleteObjects && releaseFinalizers) await this.#removeConversion(crds);
    const counts = (await this.#count()).filter(({ objects }) => objects.length > 0);
    const counted = counts.map(({ objects, handled }) => `${objects.length} ${handled.name}`).join(", ");
    if (counts.length > 0 && !deleteObjects && !keepCrds) this.#requireConsent(counted);
    // Unanswered webhooks block every change, even removing finalizers.
    for (const { resource, live } of await webhooksOf(this.#client, this.#context.operator, this.#signal)) {
      await this.#removeOwn(resource, live);
    }
    await using _cleaner = deleteObjects ? await this.#finalizingOperator(counts, counted) : undefined;
    for (const { handled, objects } of deleteObjects ? counts : []) {
      await this.#deleter.objects(handled, objects, this.#flags.releaseFinalizers === true, this.#stuckFix());
    }
    // While the operator runs: objects may have been created meanwhile.
    if (!keepCrds) { for (const { live } of crds) await this.#deleter.object(CRDS, live); }
    else for (const { live } of crds) this.#context.terminal.out(`${nameOf(CRDS, live)} kept`);
  }

  /** Removes what runs as the operator's account, and its finalizers and annotations on objects that stay. */
  async removeProcesses(): Promise<void> {
    const { terminal, operator } = this.#context, { releaseFinalizers, keepCrds } = this.#flags;
    for (const deployment of await deploymentsOf(this.#client, this.#account, this.#signal)) {
      await this.#deleter.object(Deployment, deployment);
    }
    for (const lease of await leasesOf(this.#client, this.#account, this.#signal)) {
      await this.#deleter.object(LEASES, lease);
    }
    const certificates = { ...this.#account, name: webhookServiceName(this.#account.name) };
    const secret = await this.#client.find(Secret, certificates, { metadataOnly: true, signal: this.#signal });
    if (secret) await this.#removeOwn(Secret, secret);
    // Finalizers without an operator would block deletion for ever.
    const staying = this.#kinds.filter(({ own }) => !own || (keepCrds && releaseFinalizers));
    for (const kind of staying) await this.#deleter.finalizers(kind);
    for (const kind of this.#kinds) if (!kind.own) await this.#deleter.records(kind);
    if (!keepCrds) return;
    const held = (await this.#count()).reduce((sum, count) => sum + count.held, 0);
    if (held > 0) {
      terminal.out(`note: ${held} objects stay; one that is deleted waits until the operator runs again`);
    }
    for (const { crd, hub } of operator.conversions) {
      terminal.out(`note: ${crd} is served in ${hub} only, until the operator runs again`);
    }
  }

  async removeRbac(found: readonly Found[]): Promise<void> {
    for (const each of [...found].reverse()) {
      const { resource, live } = each;
      if (resource === CRDS || isNamespace(each) || this.#deleter.removed.has(nameOf(resource, live))) continue;
      await this.#removeOwn(resource, live);
    }
  }

  /** Removes the namespace if `install` created it and it is empty. */
  async removeNamespace(found: readonly Found[]): Promise<void> {
    const namespace = found.find(isNamespace);
    if (!namespace) return;
    const { live, resource } = namespace, { program, terminal } = this.#context, name = nameOf(resource, live);
    if (this.#flags.deleteNamespace) return await this.#deleter.object(resource, live);
    // Labels prove nothing: install also applies them to an existing namespace.
    const isMade = live.metadata?.annotations?.[CREATED_BY] === program;
    if (!isMade && this.isEmpty) return;
    const content = await this.#content();
    if (isMade && !content) return await this.#deleter.object(resource, live);
    const why = [isMade ? undefined : "install did not create it", content].filter(Boolean).join("; ");
    terminal.out(`${name} left: ${why}; --delete-namespace deletes it with everything in it`);
  }

  async #removeOwn(resource: ApiResource, live: KubeObject): Promise<void> {
    const { operator: { name }, terminal } = this.#context;
    if (live.metadata?.labels?.[OWN] === name) await this.#deleter.object(resource, live);
    else terminal.out(`${nameOf(resource, live)} left: it lacks the label ${OWN}=${name}`);
  }

  get #account(): Account {
    return { namespace: this.#flags.namespace, name: this.#context.operator.name };
  }

  /** Without clean-up, metadata is enough and no version is converted. */
  async #removeConversion(crds: readonly Found[]): Promise<void> {
    if ((await podsOf(this.#client, this.#account, this.#signal)).some(isWorking)) return;
    for (const { live } of crds.filter(({ live }) => converterOf(live))) {
      await this.#client.patch(CRDS, keyOf(live), { type: "merge", signal: this.#signal, body: NO_CONVERSION });
    }
  }

  /** @throws {UsageError} if objects cannot be converted, and so not counted. */
  async #objects({ kind, name }: HandledKind): Promise<KubeObject[]> {
    try {
      return await objectsOf(this.#client, kind, this.#signal);
    } catch (cause) {
      const isConverted = this.#context.operator.conversions.some(({ crd }) => crd === name);
      if (!isConverted || !(cause instanceof ApiError) || cause instanceof ForbiddenError) throw cause;
      throw new UsageError(
        `${name} cannot be listed: ${describeError(cause)}`,
        "let the operator run, which converts them; or give up on cleaning up: --delete-objects --release-finalizers",
        { cause },
      );
    }
  }

  #count(): Promise<Count[]> {
    return Promise.all(
      this.#kinds.filter(({ own }) => own).map(async (handled) => {
        const objects = await this.#objects(handled);
        const ours = [handled.finalizer, ...this.#context.operator.legacyFinalizers];
        const held = objects.filter(({ metadata }) => metadata?.finalizers?.some((each) => ours.includes(each))).length;
        return { handled, objects, held };
      }),
    );
  }

  #requireConsent(counted: string): void {
    const { deletionNote, terminal } = this.#context, { dryRun } = this.#flags;
    const lost = `${counted} would go with their kinds${deletionNote ? ` (${deletionNote})` : ""}`;
    const fix = "agree with --delete-objects, or leave both in the cluster with --keep-crds";
    if (!dryRun) throw new UsageError(`${lost}: that needs your agreement, so nothing was removed`, fix);
    terminal.out(`${lost}: ${fix}`);
  }

  /** A running operator cleans up after objects, else one in this process. */
  async #finalizingOperator(counts: readonly Count[], counted: string): Promise<AsyncDisposable | undefined> {
    const { terminal, deletionNote } = this.#context, { namespace, dryRun, releaseFinalizers } = this.#flags;
    if (deletionNote && counts.length > 0 && !releaseFinalizers) terminal.out(`note: ${deletionNote}`);
    if (dryRun || releaseFinalizers || counts.every(({ held }) => held === 0)) return undefined;
    const [pod] = (await podsOf(this.#client, this.#account, this.#signal)).filter(isWorking);
    if (pod) {
      terminal.out(`deleting ${counted}: pod ${pod.metadata!.name} cleans up after them`);
      return undefined;
    }
    const lease = await this.#leases.elsewhere();
    if (lease) {
      const { name, namespace } = lease.metadata!, holder = lease.spec!.holderIdentity;
      terminal.out(
        `deleting ${counted}: operator ${holder} runs outside of the cluster, as Lease ${namespace}/${name} shows, and cleans up after them`,
      );
      return undefined;
    }
    const places = this.#leases.places.join(", ");
    terminal.out(
      `note: checked the pods of ${namespace} and the Leases of ${places}: an operator elsewhere that renews no Lease is not found`,
    );
    terminal.out(`deleting ${counted}: no operator runs in ${namespace}, so this process cleans up after them`);
    return await this.#deleter.operatorHere(counts.map(({ handled }) => handled));
  }

  #stuckFix(): string {
    const { command } = this.#context;
    return "fix what it reports and run the same command again; or give up on cleaning up: " +
      `${command} uninstall --delete-objects --release-finalizers`;
  }

  async #content(): Promise<string | undefined> {
    try {
      const names = await contentOf(this.#client, this.#flags.namespace, this.#signal);
      const left = names.filter((name) => !this.#deleter.removed.has(name));
      if (left.length === 0) return undefined;
      const more = left.length > NAMED_MAX ? ` and ${left.length - NAMED_MAX} more` : "";
      return `it contains ${left.slice(0, NAMED_MAX).join(", ")}${more}`;
    } catch (error) {
      if (!(error instanceof ForbiddenError)) throw error;
      return `cannot check whether it is empty (${describeError(error)})`;
    }
  }
}

function isNamespace({ resource }: InstalledObject): boolean {
  return resource.kind === "Namespace";
}
