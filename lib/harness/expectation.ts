import { describeError, formatJson, isObject } from "../base/mod.ts";
import type { Condition, KubeObject, ResourceKind } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import { builtinKind } from "../operator/mod.ts";
import { describeMismatches, type Matcher, mismatches, type Pattern, shorten } from "./match.ts";
import { formatRef, type Ref, refId } from "./ref.ts";
import { type Verdict, type WaitOptions, waitUntil } from "./waiting.ts";

/** An expected Event; absent fields match anything. */
export interface ExpectedEvent {
  /** Its severity. */
  readonly type?: "Normal" | "Warning";
  /** CamelCase word for programs. */
  readonly reason?: string | RegExp;
  /** Text for people. */
  readonly note?: string | RegExp;
}

/** An Event of events.k8s.io/v1, as far as scenarios read it. */
export interface EventObject extends KubeObject {
  /** `Normal` or `Warning`. */
  type?: string;
  /** CamelCase word for programs. */
  reason?: string;
  /** Text for people. */
  note?: string;
  /** Its object. */
  regarding?: { kind?: string; namespace?: string; name?: string; uid?: string };
  /** When it was first posted; RFC 3339. */
  eventTime?: string | null;
  /** The same, from clients of the former API. */
  deprecatedLastTimestamp?: string | null;
}

/** events.k8s.io/v1 Event. */
export const EVENTS: ResourceKind<EventObject, EventObject, Record<string, never>> = builtinKind<EventObject>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
});

/**
 * Expectations of one object. Each waits for changes of its kind until it holds. At the run's bound it fails with the
 * last state, field by field, without a Secret's values.
 */
export class Expectation<T extends KubeObject> {
  readonly #ref: Ref<T>;
  readonly #options: WaitOptions;
  readonly #client: Client;

  /** `ref` may name an object that does not exist yet. */
  constructor(ref: Ref<T>, options: WaitOptions) {
    this.#ref = ref;
    this.#options = options;
    this.#client = options.client;
  }

  /** It exists. Returns it. */
  toExist(): Promise<T> {
    return this.#object("to exist", () => ({ holds: true }));
  }

  /**
   * It does not exist, or the object present when the wait begins is gone (by uid). Directly after `cluster.delete` it
   * means the deleted object, even if another exists by then. Directly: no expectation or `eventually` ended since, and
   * the scenario has not created the name again.
   */
  async toBeGone(): Promise<void> {
    const { resource, key } = this.#ref, { deleted } = this.#options, name = refId(this.#ref);
    let isKnown = deleted?.has(name) ?? false, uid = deleted?.get(name);
    await this.#wait("to be gone", async () => {
      const object = await this.#client.find<T>(resource, key);
      if (object === undefined) return { holds: true };
      if (!isKnown) [isKnown, uid] = [true, object.metadata?.uid];
      if (object.metadata?.uid !== uid) return { holds: true };
      const { deletionTimestamp, finalizers = [] } = object.metadata ?? {};
      const going = deletionTimestamp ? `, being deleted since ${deletionTimestamp}` : "";
      return {
        holds: false,
        seen: `  it is there${going}${finalizers.length ? `, held by ${finalizers.join(", ")}` : ""}`,
      };
    });
  }

  /** It matches the pattern; absent fields match anything. Returns it. */
  toMatch(pattern: Pattern<T>): Promise<T> {
    return this.#object("to match", (object) => {
      const found = mismatches(pattern, object, { secret: this.#isSecret });
      return found.length === 0 ? { holds: true } : { holds: false, seen: describeMismatches(found) };
    });
  }

  /** A free condition holds; `what` ends the sentence "expected Secret a/b …". A throw means not yet. Returns it. */
  toSatisfy(what: string, holds: (object: T) => boolean): Promise<T> {
    return this.#object(what, (object) => {
      try {
        return holds(object) ? { holds: true } : { holds: false, seen: this.#show(object) };
      } catch (error) {
        // Throws before there is a status. The message may quote a Secret's value.
        const why = this.#isSecret ? "" : `: ${describeError(error)}`;
        return { holds: false, seen: `  the condition threw${why}\n${this.#show(object)}` };
      }
    });
  }

  /** It has this condition type and status for its current generation, and any given reason and message. Returns it. */
  toHaveCondition(
    type: string,
    status: boolean | "Unknown" = true,
    more: { readonly reason?: string; readonly message?: string | RegExp } = {},
  ): Promise<T> {
    const wanted = status === "Unknown" ? status : status ? "True" : "False";
    const what = `to have condition ${type}=${wanted}${more.reason ? ` (${more.reason})` : ""}`;
    return this.#object(what, (object) => conditionVerdict(object, type, { status: wanted, ...more }));
  }

  /** Each of these Events was posted about it, in any order, among others. */
  async toHaveEvents(...expected: readonly ExpectedEvent[]): Promise<void> {
    const { resource, key } = this.#ref;
    const check = async (): Promise<Verdict> => {
      const { items } = await this.#client.list<EventObject>(EVENTS, key.namespace ? { namespace: key.namespace } : {});
      const about = items.filter(({ regarding }) =>
        regarding?.kind === resource.kind && regarding.name === key.name &&
        (regarding.namespace ?? "") === (key.namespace ?? "")
      );
      const missing = expected.filter((each) => !about.some((event) => mismatches(each, event).length === 0));
      if (missing.length === 0) return { holds: true };
      const lines = about.map(({ type, reason, note }) => `  ${type} ${reason}: ${note}`);
      const wanted = missing.map(({ type, reason, note }) =>
        `  missing: ${[type, reason, note].filter((each) => each !== undefined).join(" ")}`
      );
      return { holds: false, seen: [...wanted, ...(lines.length ? lines : ["  no Event about it"])].join("\n") };
    };
    await waitUntil(`expected ${formatRef(this.#ref)} to have Events`, [EVENTS], check, this.#options);
  }

  async #object(what: string, verdictOf: (object: T) => Verdict): Promise<T> {
    const { resource, key } = this.#ref;
    let last: T | undefined;
    await this.#wait(what, async () => {
      last = await this.#client.find<T>(resource, key);
      return last === undefined ? { holds: false, seen: "  it does not exist" } : verdictOf(last);
    });
    return last!;
  }

  #wait(what: string, check: () => Promise<Verdict>): Promise<void> {
    return waitUntil(`expected ${formatRef(this.#ref)} ${what}`, [this.#ref.resource], check, this.#options);
  }

  get #isSecret(): boolean {
    const { group, kind } = this.#ref.resource;
    return group === "" && kind === "Secret";
  }

  #show(object: T): string {
    const { metadata: { managedFields: _, annotations, ...metadata } = {}, ...rest } = object as KubeObject;
    // Shows a Secret's names only; kubectl copies values to an annotation.
    const shown = this.#isSecret
      ? { metadata, ...rest, data: keysOf(rest, "data"), stringData: keysOf(rest, "stringData") }
      : { metadata: { ...metadata, annotations }, ...rest };
    return shorten(formatJson(shown, 2), OBJECT_LENGTH_MAX).replaceAll(/^/gm, "  ");
  }
}

const OBJECT_LENGTH_MAX = 4_000;

function keysOf(object: object, field: string): string[] | undefined {
  const values = (object as Record<string, unknown>)[field];
  return isObject(values) ? Object.keys(values) : undefined;
}

function conditionVerdict(
  object: KubeObject,
  type: string,
  wanted: { readonly status: string; readonly reason?: string; readonly message?: Matcher<string> | string },
): Verdict {
  const { status } = object as { status?: { observedGeneration?: number; conditions?: Condition[] | null } };
  const condition = (status?.conditions ?? []).find((each) => each.type === type);
  const generation = object.metadata?.generation, seen = condition?.observedGeneration ?? status?.observedGeneration;
  if (!condition) {
    const types = (status?.conditions ?? []).map((each) => each.type).join(", ");
    return { holds: false, seen: `  it has no such condition; its conditions: ${types || "none"}` };
  }
  const found = mismatches(wanted, condition);
  if (found.length === 0 && (seen === undefined || generation === undefined || seen >= generation)) {
    return { holds: true };
  }
  const stale = seen !== undefined && generation !== undefined && seen < generation
    ? `\n  it is for generation ${seen}, the object has generation ${generation}`
    : "";
  return {
    holds: false,
    seen: `  ${type}=${condition.status} (${condition.reason}): ${condition.message}${stale}`,
  };
}
