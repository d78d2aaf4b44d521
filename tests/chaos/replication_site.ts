import type { NamespaceObject } from "../../lib/operator/builtin_kinds.ts";
import { type ApiResource, keyOf } from "../../lib/apimachinery/mod.ts";
import { Buffer } from "node:buffer";
import type { Random } from "../../lib/base/mod.ts";
import { ConfigMap, Namespace, Secret } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import type { FaultContext } from "./fault.ts";
import { type DataObject, endingNamespaces, replicationProblems } from "./replication_model.ts";
import { untilGone } from "./quiesce.ts";
import { attempt, type Site, type SiteState, split, weighted } from "./site.ts";
import { placeOf, UsersObjects } from "./users_objects.ts";

/** Slots for Replications, each with its source and its name of copies; target namespaces; variants of targets. */
const SLOTS = 8, TARGETS = 5, VARIANTS = 4;
/** How often each operation comes, against the others. */
const WEIGHTS = {
  writeSource: 20,
  deleteSource: 4,
  writeReplication: 14,
  deleteReplication: 5,
  renewOrphaning: 3,
  createNamespace: 10,
  deleteNamespace: 1,
  labelNamespace: 10,
  trustNamespace: 4,
  editCopy: 12,
  deleteCopy: 8,
  toggleUsers: 8,
};

/** One operation of the load, before the state says what it comes to. */
export interface ReplicationOperation {
  readonly kind: keyof typeof WEIGHTS;
  readonly slot: number;
  readonly target: number;
  /** Chooses between the forms of an operation. */
  readonly variant: number;
}

/** The next operation. */
export function nextReplicationOperation(random: Random): ReplicationOperation {
  const below = (count: number) => Math.floor(random.next() * count);
  return {
    kind: weighted(WEIGHTS, random.next()),
    slot: below(SLOTS),
    target: below(TARGETS),
    variant: below(VARIANTS),
  };
}

/**
 * Sources, Replications and namespaces under random operations; those of `s-0` are trusted, the others need consent.
 */
export class ReplicationSite implements Site {
  readonly #context: FaultContext;
  readonly #random: Random;
  readonly #users = new UsersObjects();
  #values = 0;
  #orphanings = 0;

  constructor(context: FaultContext) {
    this.#context = context;
    this.#random = split(context.random);
  }

  /** Argument of the replicator that trusts a namespace of the site. */
  get args(): string[] {
    return ["--trusted-namespaces", this.#source(0)];
  }

  /** Makes what the load begins with. */
  async open(): Promise<this> {
    const { client } = this.#context;
    for (const name of [this.#source(0), this.#source(1)]) await client.create(Namespace, { metadata: { name } });
    for (let target = 0; target < TARGETS; target++) {
      await this.#carryOut({ kind: "createNamespace", target, slot: 0, variant: 0 });
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const operation = { slot, target: 0, variant: slot % VARIANTS };
      await this.#carryOut({ kind: "writeSource", ...operation });
      await this.#carryOut({ kind: "writeReplication", ...operation });
    }
    return this;
  }

  /** See {@linkcode Site.step}. */
  step(): Promise<void> {
    return this.#carryOut(nextReplicationOperation(this.#random));
  }

  /** See {@linkcode Site.look}. */
  async look(): Promise<SiteState> {
    const { client, prefix } = this.#context;
    const isOurs = (name: string | undefined) => name?.startsWith(`${prefix}-s-`) || name?.startsWith(`${prefix}-t-`);
    const objects = (resource: ApiResource) =>
      client.list<DataObject>(resource).then(({ items }) =>
        items.filter(({ metadata }) => isOurs(metadata?.namespace)).map((each) => ({ ...each, kind: resource.kind }))
      );
    const namespaces = (await client.list<NamespaceObject>(Namespace)).items.filter((each) =>
      isOurs(each.metadata?.name)
    );
    const replications = (await client.list<ReplicationObject>(Replication)).items.filter((each) =>
      isOurs(each.metadata.namespace)
    );
    const problems = replicationProblems({
      namespaces,
      replications,
      objects: [...await objects(Secret), ...await objects(ConfigMap)],
      users: this.#users,
      trusted: new Set([this.#source(0)]),
    });
    return { problems, ending: endingNamespaces(namespaces) };
  }

  /** See {@linkcode Site.remove}. */
  async remove(): Promise<void> {
    const { client } = this.#context;
    const { items } = await client.list<ReplicationObject>(Replication);
    for (const replication of items) {
      await attempt(this.#context, () => client.delete(Replication, keyOf(replication)));
    }
    await untilGone(this.#context, Replication, () => true);
    const names = [...Array(TARGETS).keys()].map((target) => this.#target(target));
    for (const name of [...names, this.#source(0), this.#source(1)]) {
      await attempt(this.#context, () => client.delete(Namespace, { name }));
    }
    await untilGone(this.#context, Namespace, (name) => name.startsWith(`${this.#context.prefix}-`));
  }

  #source(slot: number): string {
    return `${this.#context.prefix}-s-${slot % 2}`;
  }

  #target(target: number): string {
    return `${this.#context.prefix}-t-${target}`;
  }

  #resource(slot: number): ApiResource {
    return slot % 3 === 0 ? ConfigMap : Secret;
  }

  async #carryOut({ kind, slot, target, variant }: ReplicationOperation): Promise<void> {
    const { client } = this.#context, resource = this.#resource(slot), namespace = this.#target(target);
    const copy = { namespace, name: `copy-${slot}` };
    switch (kind) {
      case "writeSource":
        return await this.#writeUsers(slot, { namespace: this.#source(slot), name: `source-${slot}` });
      case "deleteSource":
        return await this.#deleteUsers(slot, { namespace: this.#source(slot), name: `source-${slot}` });
      case "writeReplication":
        return await this.#writeReplication(`copies-${slot}`, slot, variant);
      case "deleteReplication":
        return void await attempt(
          this.#context,
          () => client.delete(Replication, { namespace: this.#source(slot), name: `copies-${slot}` }),
        );
      case "renewOrphaning":
        return await this.#renewOrphaning();
      case "createNamespace":
        return await this.#createNamespace(namespace, variant);
      case "deleteNamespace":
        return await this.#deleteNamespace(namespace);
      case "labelNamespace":
        return await this.#patchNamespace(namespace, { labels: { tier: tierOf(variant) } });
      case "trustNamespace":
        return await this.#patchNamespace(namespace, { annotations: acceptOf(variant === 0 ? "" : this.#source(1)) });
      case "editCopy":
      case "deleteCopy": {
        if (this.#users.mayHave(placeOf(resource.kind, copy))) return;
        const data = { value: written(resource, `edited-${this.#values++}`) };
        return void await attempt<unknown>(
          this.#context,
          () =>
            kind === "editCopy"
              ? client.patch(resource, copy, { type: "merge", body: { data } })
              : client.delete(resource, copy),
        );
      }
      case "toggleUsers": {
        const key = variant === 0 ? copy : { namespace, name: `own-${slot}` };
        const has = this.#users.mayHave(placeOf(resource.kind, key));
        return has ? await this.#deleteUsers(slot, key) : await this.#createUsers(slot, key);
      }
      default:
        kind satisfies never;
    }
  }

  async #writeUsers(slot: number, key: { namespace: string; name: string }): Promise<void> {
    const resource = this.#resource(slot), place = placeOf(resource.kind, key);
    const value = `value-${this.#values++}`, data = { value: written(resource, value) };
    this.#users.begin(place);
    const body = { metadata: key, data } as DataObject;
    const answer = await attempt(this.#context, () => this.#context.client.apply(resource, body, { force: true }));
    if (answer.kind === "done") this.#users.created(place, answer.result.metadata!.uid!, value);
  }

  async #createUsers(slot: number, key: { namespace: string; name: string }): Promise<void> {
    const resource = this.#resource(slot), place = placeOf(resource.kind, key);
    const value = `value-${this.#values++}`, data = { value: written(resource, value) };
    this.#users.begin(place);
    const body = { metadata: key, data } as DataObject;
    const answer = await attempt(this.#context, () => this.#context.client.create(resource, body));
    if (answer.kind === "done") this.#users.created(place, answer.result.metadata!.uid!, value);
    else if (answer.kind === "refused") this.#users.gone(place);
  }

  async #deleteUsers(slot: number, key: { namespace: string; name: string }): Promise<void> {
    const resource = this.#resource(slot), place = placeOf(resource.kind, key);
    this.#users.begin(place);
    const answer = await attempt(this.#context, () => this.#context.client.delete(resource, key));
    if (answer.kind !== "unanswered") this.#users.gone(place);
  }

  async #writeReplication(name: string, slot: number, variant: number, deletionPolicy = "Delete"): Promise<void> {
    const { prefix, client } = this.#context, metadata = { namespace: this.#source(slot), name };
    const all = `${prefix}-t-*`;
    const targets = [
      { namespaces: [all] },
      { namespaces: [all], selector: { matchLabels: { tier: "a" } } },
      { namespaces: [this.#target(0), this.#target(1)] },
      { namespaces: [all, `!${this.#target(2)}`] },
    ][variant % VARIANTS]!;
    const source = { kind: this.#resource(slot).kind, name: `source-${slot}` };
    const copies = deletionPolicy === "Delete" ? `copy-${slot}` : name;
    const spec = { source, targets: { ...targets, name: copies }, deletionPolicy };
    await attempt(
      this.#context,
      () => client.apply<ReplicationObject>(Replication, { metadata, spec } as ReplicationObject, { force: true }),
    );
  }

  /** A Replication that orphans its copies has a name of its own: what it leaves is no later one's. */
  async #renewOrphaning(): Promise<void> {
    const { client } = this.#context, slot = 1, namespace = this.#source(slot);
    await attempt(
      this.#context,
      () => client.delete(Replication, { namespace, name: `orphaning-${this.#orphanings}` }),
    );
    await this.#writeReplication(`orphaning-${++this.#orphanings}`, slot, 1, "Orphan");
  }

  async #createNamespace(name: string, variant: number): Promise<void> {
    const { client } = this.#context,
      metadata = { name, labels: { tier: tierOf(variant) }, annotations: acceptOf(this.#source(1)) };
    await attempt(this.#context, () => client.create(Namespace, { metadata }));
  }

  async #deleteNamespace(name: string): Promise<void> {
    const answer = await attempt(this.#context, () => this.#context.client.delete(Namespace, { name }));
    if (answer.kind === "done") this.#users.namespaceGoes(name);
    else if (answer.kind === "unanswered") this.#users.namespaceMayGo(name);
  }

  async #patchNamespace(name: string, metadata: { labels?: object; annotations?: object }): Promise<void> {
    await attempt(
      this.#context,
      () => this.#context.client.patch(Namespace, { name }, { type: "merge", body: { metadata } as never }),
    );
  }
}

function tierOf(variant: number): string {
  return variant % 2 === 0 ? "a" : "b";
}

function acceptOf(namespace: string): Record<string, string> {
  return { "pintle.dev/accept-from": namespace };
}

/** A value as an object of this kind holds it: `valueOf` of the model reads it. */
function written({ kind }: ApiResource, value: string): string {
  return kind === "Secret" ? Buffer.from(value).toString("base64") : value;
}
