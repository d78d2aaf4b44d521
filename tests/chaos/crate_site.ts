import type { NamespaceObject } from "../../lib/operator/builtin_kinds.ts";
import { keyOf } from "../../lib/apimachinery/mod.ts";
import type { Random } from "../../lib/base/mod.ts";
import { ConfigMap, type ConfigMapObject, Namespace } from "../../lib/operator/mod.ts";
import { type CrateObject, crateState } from "./crate_model.ts";
import type { FaultContext } from "./fault.ts";
import { Crate, CRATE_LABEL } from "./operators/crates.ts";
import { untilGone } from "./quiesce.ts";
import { attempt, type Site, type SiteState, split, weighted } from "./site.ts";
import { placeOf, UsersObjects } from "./users_objects.ts";

const NAMESPACES = 3, CRATES = 6, LETTERS = ["a", "b", "c", "d", "e"];
/** How often each operation comes, against the others. */
const WEIGHTS = {
  writeCrate: 40,
  deleteCrate: 8,
  deleteChild: 14,
  editChild: 12,
  createNamespace: 8,
  deleteNamespace: 1,
  toggleUsers: 8,
};

/** One operation of the load, before the state says what it comes to. */
export interface CrateOperation {
  readonly kind: keyof typeof WEIGHTS;
  readonly namespace: number;
  readonly crate: number;
  readonly parcels: readonly string[];
  /** In [0, 1): which of the children that are there. */
  readonly point: number;
}

/** The next operation. */
export function nextCrateOperation(random: Random): CrateOperation {
  return {
    kind: weighted(WEIGHTS, random.next()),
    namespace: Math.floor(random.next() * NAMESPACES),
    crate: Math.floor(random.next() * CRATES),
    parcels: LETTERS.filter(() => random.next() < 0.6),
    point: random.next(),
  };
}

/** Crates and their children under random operations. */
export class CrateSite implements Site {
  readonly #context: FaultContext;
  readonly #random: Random;
  readonly #users = new UsersObjects();
  #values = 0;

  constructor(context: FaultContext) {
    this.#context = context;
    this.#random = split(context.random);
  }

  /** Makes what the load begins with. */
  async open(): Promise<this> {
    for (let namespace = 0; namespace < NAMESPACES; namespace++) {
      const operation = { namespace, crate: namespace, parcels: LETTERS, point: 0 };
      await this.#carryOut({ kind: "createNamespace", ...operation });
      await this.#carryOut({ kind: "writeCrate", ...operation });
    }
    return this;
  }

  /** See {@linkcode Site.step}. */
  step(): Promise<void> {
    return this.#carryOut(nextCrateOperation(this.#random));
  }

  /** See {@linkcode Site.look}. */
  async look(): Promise<SiteState> {
    const { client } = this.#context, names = new Set([...Array(NAMESPACES).keys()].map((nth) => this.#namespace(nth)));
    const isOurs = ({ metadata }: { metadata?: { namespace?: string } }) => names.has(metadata?.namespace ?? "");
    const namespaces = (await client.list<NamespaceObject>(Namespace)).items
      .filter(({ metadata }) => names.has(metadata?.name ?? ""));
    return crateState({
      namespaces,
      crates: (await client.list<CrateObject>(Crate)).items.filter(isOurs),
      children: (await client.list<ConfigMapObject>(ConfigMap)).items.filter(isOurs),
      users: this.#users,
    });
  }

  /** See {@linkcode Site.remove}. */
  async remove(): Promise<void> {
    const { client, prefix } = this.#context;
    for (const crate of (await client.list<CrateObject>(Crate)).items) {
      await attempt(this.#context, () => client.delete(Crate, keyOf(crate)));
    }
    await untilGone(this.#context, Crate, () => true);
    for (let nth = 0; nth < NAMESPACES; nth++) {
      await attempt(this.#context, () => client.delete(Namespace, { name: this.#namespace(nth) }));
    }
    await untilGone(this.#context, Namespace, (name) => name.startsWith(`${prefix}-c-`));
  }

  #namespace(nth: number): string {
    return `${this.#context.prefix}-c-${nth}`;
  }

  async #carryOut({ kind, namespace: nth, crate, parcels, point }: CrateOperation): Promise<void> {
    const { client } = this.#context, namespace = this.#namespace(nth), key = { namespace, name: `crate-${crate}` };
    switch (kind) {
      case "writeCrate": {
        const body = { metadata: key, spec: { parcels, text: `text-${this.#values++}` } } as unknown as CrateObject;
        return void await attempt(this.#context, () => client.apply<CrateObject>(Crate, body, { force: true }));
      }
      case "deleteCrate":
        return void await attempt(this.#context, () => client.delete(Crate, key));
      case "deleteChild":
      case "editChild":
        return await this.#changeChild(kind, namespace, point);
      case "createNamespace":
        return void await attempt(this.#context, () => client.create(Namespace, { metadata: { name: namespace } }));
      case "deleteNamespace": {
        const answer = await attempt(this.#context, () => client.delete(Namespace, { name: namespace }));
        if (answer.kind === "done") this.#users.namespaceGoes(namespace);
        else if (answer.kind === "unanswered") this.#users.namespaceMayGo(namespace);
        return;
      }
      case "toggleUsers":
        return await this.#toggleUsers(namespace, `users-${crate}`);
      default:
        kind satisfies never;
    }
  }

  async #changeChild(kind: "deleteChild" | "editChild", namespace: string, point: number): Promise<void> {
    const { client } = this.#context;
    const listed = await attempt(
      this.#context,
      () => client.list(ConfigMap, { namespace, labelSelector: CRATE_LABEL }),
    );
    const children = listed.kind === "done" ? listed.result.items : [];
    const child = children[Math.floor(point * children.length)], data = { text: "edited" };
    if (!child) return;
    const key = { namespace, name: child.metadata!.name! };
    await attempt<unknown>(
      this.#context,
      () =>
        kind === "deleteChild"
          ? client.delete(ConfigMap, key)
          : client.patch(ConfigMap, key, { type: "merge", body: { data } }),
    );
  }

  async #toggleUsers(namespace: string, name: string): Promise<void> {
    const { client } = this.#context,
      place = placeOf("ConfigMap", { namespace, name }),
      has = this.#users.mayHave(place);
    const value = `value-${this.#values++}`;
    this.#users.begin(place);
    if (has) {
      const answer = await attempt(this.#context, () => client.delete(ConfigMap, { namespace, name }));
      if (answer.kind !== "unanswered") this.#users.gone(place);
      return;
    }
    const body = { metadata: { namespace, name }, data: { value } } as ConfigMapObject;
    const answer = await attempt(this.#context, () => client.create<ConfigMapObject>(ConfigMap, body));
    if (answer.kind === "done") this.#users.created(place, answer.result.metadata!.uid!, value);
    else if (answer.kind === "refused") this.#users.gone(place);
  }
}
