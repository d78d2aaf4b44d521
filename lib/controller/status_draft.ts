import { jsonClone, jsonEqual } from "../base/json.ts";
import { type Condition, setCondition } from "../apimachinery/condition.ts";
import type { BaseStatus } from "./declaration.ts";

/**
 * The status that one cycle wants. It starts as the object's present status; handlers set fields and conditions; the
 * engine writes it once, by server-side apply, if it differs.
 *
 * @example
 * ```ts
 * import { StatusDraft } from "./status_draft.ts";
 * const status = new StatusDraft<{ phase?: string }>({}, 3, 0);
 * status.set({ phase: "Ready" });
 * status.condition("Ready", true, "Applied", "ConfigMap applied");
 * if (!status.changed) throw new Error("it differs from the empty status");
 * ```
 */
export class StatusDraft<Status extends object> {
  readonly #live: Record<string, unknown>;
  readonly #draft: Record<string, unknown>;
  readonly #generation: number | undefined;
  readonly #nowMs: number;
  readonly #conditionsSet = new Set<string>();

  constructor(live: Readonly<Partial<Status>> | undefined, generation: number | undefined, nowMs: number) {
    this.#live = (live ?? {}) as Record<string, unknown>;
    this.#draft = jsonClone(this.#live);
    this.#generation = generation;
    this.#nowMs = nowMs;
  }

  /** The status as drafted so far. */
  get current(): Readonly<Partial<Status> & BaseStatus> {
    return this.#draft as Partial<Status> & BaseStatus;
  }

  /** Sets top-level fields; undefined removes one. Fields that are not named keep their value. */
  set(fields: { readonly [Field in keyof Status]?: Status[Field] | undefined }): void {
    for (const [field, value] of Object.entries(fields)) {
      if (value === undefined) delete this.#draft[field];
      else this.#draft[field] = jsonClone(value);
    }
  }

  /**
   * Sets a condition. `reason` is CamelCase, `message` for people. `lastTransitionTime` moves only when the truth does.
   */
  condition(type: string, truth: boolean | "Unknown", reason: string, message: string = ""): void {
    const status = truth === "Unknown" ? "Unknown" : truth ? "True" : "False";
    const next = { type, status, reason, message, ...this.#generationField() } as const;
    this.#draft.conditions = setCondition(this.#conditions(), next, this.#nowMs);
    this.#conditionsSet.add(type);
  }

  /** Removes a condition that says nothing any more. */
  removeCondition(type: string): void {
    const rest = this.#conditions().filter((condition) => condition.type !== type);
    if (rest.length > 0) this.#draft.conditions = rest;
    else delete this.#draft.conditions;
  }

  /** Whether a handler set this condition in this cycle. */
  hasSet(type: string): boolean {
    return this.#conditionsSet.has(type);
  }

  /** Says that this generation of the spec has been handled. */
  observe(): void {
    if (this.#generation !== undefined) this.#draft.observedGeneration = this.#generation;
  }

  /** Whether a write is needed. */
  get changed(): boolean {
    return !jsonEqual(this.#live, this.#draft);
  }

  #conditions(): Condition[] {
    return (this.#draft.conditions ?? []) as Condition[];
  }

  #generationField(): { observedGeneration?: number } {
    return this.#generation === undefined ? {} : { observedGeneration: this.#generation };
  }
}
