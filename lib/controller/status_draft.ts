import { isObject, jsonClone, jsonEqual, Mask, ownValue, PermanentError, setKey } from "../base/mod.ts";
import { type BaseStatus, type Condition, setCondition } from "../apimachinery/mod.ts";
import { valueAt } from "../handling/mod.ts";
import { FULL_STATUS, type StatusShape } from "./status_shape.ts";

interface StatusDraftOptions {
  /** The `f:status` that the operator applied before (KEP-555, FieldsV1). */
  readonly ownFields?: Readonly<Record<string, unknown>>;
  /** Masks secret values. */
  readonly mask?: Mask;
  /** Whether a text is no secret though a Secret holds it. */
  readonly isPublic?: (text: string) => boolean;
  /** The engine's fields that the status has; all if absent. */
  readonly shape?: StatusShape;
}

/** A condition as a handler sets it. */
export interface ConditionOptions {
  /** CamelCase, as `Ready`. */
  readonly type: string;
  /** `"Unknown"` if it could not be found out. */
  readonly status: boolean | Condition["status"];
  /** CamelCase, for programs: why the status is as it is. */
  readonly reason: string;
  /** For people; empty by default. */
  readonly message?: string;
}

export type StatusEdits = StatusDraft<object>["edits"];

/** The patterns of metav1.Condition (API conventions). */
const TYPE =
  /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const REASON = /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const STATUSES: ReadonlySet<string> = new Set(["True", "False", "Unknown"]);
const EXPECTED = {
  type: "one word in CamelCase, as Ready",
  status: "true, false, or the API's True, False, Unknown",
  reason: "one word in CamelCase, as ConfigMapApplied",
} as const;

/**
 * The status that one pass writes. It starts as the present status. Handlers set fields and conditions; the engine
 * applies its own part once by server-side apply, if it differs.
 *
 * Guarantees: fields and conditions of another manager that no handler set are neither written nor taken over. What
 * another manager also owns can be set, but not removed.
 *
 * @example
 * ```ts
 * import { StatusDraft } from "./status_draft.ts";
 * const status = new StatusDraft<{ phase?: string }>({}, 3, 0);
 * status.set({ phase: "Ready" });
 * status.condition({ type: "Ready", status: true, reason: "Applied", message: "ConfigMap applied" });
 * if (!status.changed) throw new Error("it differs from the empty status");
 * ```
 */
export class StatusDraft<Status extends object> {
  readonly #live: Record<string, unknown>;
  readonly #draft: Record<string, unknown>;
  readonly #generation: number | undefined;
  readonly #nowMs: number;
  readonly #own: Record<string, unknown>;
  readonly #mask: Mask;
  readonly #isPublic: (text: string) => boolean;
  readonly #shape: StatusShape;
  readonly #fieldsSet = new Set<string>();
  readonly #conditionsSet = new Set<string>();

  /**
   * `mask` hides secret values before anything is compared, so a masked status is not rewritten each time. Texts for
   * which `isPublic` holds stay, as the object shows them elsewhere.
   */
  constructor(
    live: Readonly<Partial<Status>> | undefined,
    generation: number | undefined,
    nowMs: number,
    { ownFields = {}, mask = new Mask(), isPublic = () => false, shape = FULL_STATUS }: StatusDraftOptions = {},
  ) {
    this.#live = (live ?? {}) as Record<string, unknown>;
    this.#draft = jsonClone(this.#live);
    this.#generation = generation;
    this.#nowMs = nowMs;
    this.#own = ownFields;
    this.#mask = mask;
    this.#isPublic = isPublic;
    this.#shape = shape;
  }

  /** The status as drafted so far. */
  get current(): Readonly<Partial<Status> & BaseStatus> {
    return this.#draft as Partial<Status> & BaseStatus;
  }

  /** Sets top-level fields; undefined removes one. Other fields keep their value. */
  set(fields: { readonly [Field in keyof Status]?: Status[Field] | undefined }): void {
    this.record(this.#mask.json(asJson(fields) as typeof fields, this.#isPublic));
  }

  /** The same for the engine's own record: values of the spec unchanged, messages already masked. */
  record(fields: { readonly [Field in keyof Status]?: Status[Field] | undefined }): void {
    for (const [field, value] of Object.entries(fields)) {
      this.#fieldsSet.add(field);
      if (value === undefined) delete this.#draft[field];
      else setKey(this.#draft, field, jsonClone(value));
    }
  }

  /**
   * Sets a condition of the present generation. `lastTransitionTime` moves only with its status.
   *
   * @throws {PermanentError} for a type, status or reason that metav1.Condition does not allow (API conventions,
   * "Typical status properties").
   */
  condition({ type, status, reason, message = "" }: ConditionOptions): void {
    const word = status === true ? "True" : status === false ? "False" : status;
    const wrong = !fits(TYPE, type)
      ? "type"
      : !STATUSES.has(word)
      ? "status"
      : !fits(REASON, reason)
      ? "reason"
      : undefined;
    if (wrong) {
      const given = { type, status, reason }[wrong];
      throw new PermanentError(
        `status.condition(): ${given === undefined ? "there is no" : `"${given}" is no`} ${wrong}: ${EXPECTED[wrong]}`,
        { reason: "InvalidCondition" },
      );
    }
    this.conditionOf(this.#generation, { type, status: word, reason, message });
  }

  /** Sets a condition with another observedGeneration. */
  conditionOf(
    generation: number | undefined,
    { type, status, reason, message }: Omit<Condition, "lastTransitionTime">,
  ): void {
    const { conditions, conditionGeneration } = this.#shape;
    if (!conditions) return;
    const observed = generation === undefined || !conditionGeneration ? {} : { observedGeneration: generation };
    const next = { type, status, reason, message: this.#mask.text(message), ...observed };
    this.#putConditions(setCondition([...this.conditions], next, this.#nowMs));
    this.#conditionsSet.add(type);
  }

  /** The edits so far, for the next draft if they could not be written. */
  get edits(): { readonly fields: Readonly<Record<string, unknown>>; readonly conditions: readonly Condition[] } {
    const fields = [...this.#fieldsSet].map((field) => [field, this.#draft[field]] as const);
    return {
      fields: Object.fromEntries(fields),
      conditions: this.conditions.filter(({ type }) => this.#conditionsSet.has(type)),
    };
  }

  /** Sets again what an earlier draft had set. */
  restore({ fields, conditions }: StatusDraft<Status>["edits"]): void {
    this.record(fields as Partial<Status>);
    for (const { lastTransitionTime: _, observedGeneration, ...condition } of conditions) {
      this.conditionOf(observedGeneration, condition);
    }
  }

  /** Makes the same edits on a draft of a later object. */
  repeatOn(later: StatusDraft<Status>): void {
    later.restore(this.edits);
    const left = new Set(this.conditions.map(({ type }) => type));
    const before = (valueAt(this.#live, this.#conditionsPath) ?? []) as Condition[];
    for (const { type } of before) if (!left.has(type)) later.removeCondition(type);
  }

  removeCondition(type: string): void {
    this.#putConditions(this.conditions.filter((condition) => condition.type !== type));
  }

  hasSet(type: string): boolean {
    return this.#conditionsSet.has(type);
  }

  /** Sets `observedGeneration` to the present generation. */
  observe(): void {
    if (this.#generation === undefined || !this.#shape.observedGeneration) return;
    this.#draft.observedGeneration = this.#generation;
    this.#fieldsSet.add("observedGeneration");
  }

  /** The operator's own part: what is applied. Fields that it applied before and that are missing here are removed. */
  get own(): Readonly<Partial<Status> & BaseStatus> {
    return this.#ownPart(this.#draft) as Partial<Status> & BaseStatus;
  }

  get changed(): boolean {
    return !jsonEqual(this.#ownPart(this.#live), this.#ownPart(this.#draft));
  }

  #ownPart(status: Record<string, unknown>): Record<string, unknown> {
    const part: Record<string, unknown> = {}, [root] = this.#conditionsPath;
    for (const [field, value] of Object.entries(status)) {
      const set = this.#fieldsSet.has(field) && Object.hasOwn(this.#draft, field);
      if (set || (field !== root && Object.hasOwn(this.#own, `f:${field}`))) setKey(part, field, value);
    }
    const present = valueAt(status, this.#conditionsPath);
    if (part[root!] === undefined && Array.isArray(present)) {
      const conditions = (present as Condition[]).filter(({ type }) => this.#isOwnCondition(type));
      if (conditions.length > 0) putAt(part, this.#conditionsPath, conditions);
    }
    return part;
  }

  #isOwnCondition(type: string): boolean {
    if (this.#conditionsSet.has(type) && this.conditions.some((each) => each.type === type)) return true;
    const own = valueAt(this.#own, this.#conditionsPath.map((field) => `f:${field}`));
    if (!isObject(own)) return false;
    // Without keys the list is atomic: its manager owns all of it.
    return Object.hasOwn(own, `k:${JSON.stringify({ type })}`) || !Object.keys(own).some((key) => key.startsWith("k:"));
  }

  get #conditionsPath(): readonly string[] {
    return this.#shape.conditions ?? FULL_STATUS.conditions!;
  }

  get conditions(): readonly Condition[] {
    return (valueAt(this.#draft, this.#conditionsPath) ?? []) as Condition[];
  }

  #putConditions(conditions: readonly Condition[]): void {
    putAt(this.#draft, this.#conditionsPath, conditions.length > 0 ? conditions : undefined);
  }
}

/** Undefined removes it. */
function putAt(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root;
  for (const key of path.slice(0, -1)) {
    if (!isObject(ownValue(at, key))) setKey(at, key, {});
    at = ownValue(at, key) as Record<string, unknown>;
  }
  const last = path.at(-1)!;
  if (value === undefined) delete at[last];
  else setKey(at, last, value);
}

/** Whether some member of a JSON value, however deep, is this text. */
export function holdsText(value: unknown, text: string): boolean {
  if (typeof value !== "object" || value === null) return value === text;
  return Object.values(value).some((item) => holdsText(item, text));
}

/** As sent: dates, for example, in their JSON form. */
function asJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return (value as { toJSON(): unknown }).toJSON();
  if (Array.isArray(value)) return value.map(asJson);
  return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, asJson(item)]));
}

function fits(pattern: RegExp, value: unknown): boolean {
  return typeof value === "string" && pattern.test(value);
}
