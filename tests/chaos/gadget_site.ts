import { keyOf } from "../../lib/apimachinery/mod.ts";
import type { Random } from "../../lib/base/mod.ts";
import { ApiError } from "../../lib/client/mod.ts";
import { Namespace } from "../../lib/operator/mod.ts";
import type { FaultContext } from "./fault.ts";
import { Gadget, SIZE_MAX } from "./operators/gadgets.ts";
import { untilGone } from "./quiesce.ts";
import { readyProblems } from "./ready.ts";
import { attempt, type Site, type SiteState, split } from "./site.ts";

type GadgetObject = Parameters<typeof Gadget.parseSpec>[0];

const GADGETS = 12, SIZES = 2 * SIZE_MAX;

/** Gadgets of random sizes: what is too large must never be stored, and whatever is stored has a team. */
export class GadgetSite implements Site {
  readonly #context: FaultContext;
  readonly #random: Random;
  /** Writes that the API server refused because it could not call a webhook. */
  uncalled = 0;
  /** Writes that a webhook denied. */
  denied = 0;

  constructor(context: FaultContext) {
    this.#context = context;
    this.#random = split(context.random);
  }

  /** Makes the namespace. */
  async open(): Promise<this> {
    await this.#context.client.create(Namespace, { metadata: { name: this.#namespace } });
    return this;
  }

  /** See {@linkcode Site.step}. */
  async step(): Promise<void> {
    const { client, figures } = this.#context, below = (count: number) => Math.floor(this.#random.next() * count);
    const key = { namespace: this.#namespace, name: `gadget-${below(GADGETS)}` }, size = 1 + below(SIZES);
    if (this.#random.next() < 0.2) return void await attempt(this.#context, () => client.delete(Gadget, key));
    const answer = await attempt(this.#context, async () => {
      try {
        // A team that the write leaves out is filled in again.
        return await client.apply(Gadget, { metadata: key, spec: { size } } as GadgetObject, { force: true });
      } catch (error) {
        this.#count(error);
        throw error;
      }
    });
    if (answer.kind !== "done") return;
    if (size > SIZE_MAX) figures.violation(`${key.name} of size ${size} was admitted`);
    if (!answer.result.spec.team) figures.violation(`${key.name} was admitted without a team`);
  }

  /** See {@linkcode Site.look}. */
  async look(): Promise<SiteState> {
    const problems = (await this.#context.client.list<GadgetObject>(Gadget)).items.flatMap((gadget) => {
      const { metadata: { name }, spec: { size, team } } = gadget, skipped = size > SIZE_MAX || !team;
      return [...readyProblems(`Gadget ${name}`, gadget), ...(skipped ? [`Gadget ${name} has skipped admission`] : [])];
    });
    return { problems, ending: [] };
  }

  /** See {@linkcode Site.remove}. */
  async remove(): Promise<void> {
    const { client } = this.#context;
    for (const gadget of (await client.list<GadgetObject>(Gadget)).items) {
      await attempt(this.#context, () => client.delete(Gadget, keyOf(gadget)));
    }
    await untilGone(this.#context, Gadget, () => true);
    await client.delete(Namespace, { name: this.#namespace });
    await untilGone(this.#context, Namespace, (name) => name === this.#namespace);
  }

  get #namespace(): string {
    return `${this.#context.prefix}-gadgets`;
  }

  #count(error: unknown): void {
    if (!(error instanceof ApiError)) return;
    // The server tells the two apart by code alone: a denial is 403 as the handler throws it, a webhook that was not
    // reached 500.
    if (error.code >= 500) this.uncalled++;
    else if (error.code === 403) this.denied++;
  }
}
