import { jsonEqual } from "../../base/mod.ts";
import type { DynamicObject, StatusReason } from "../../apimachinery/mod.ts";
import { ApiError, forbidden } from "../api_error.ts";
import { jsonValue } from "../cel/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import type { AdmissionAttributes, AdmissionServer } from "./attributes.ts";
import type { PolicyTable } from "./policy.ts";
import { type Denial, evaluatePolicy } from "./policy_evaluation.ts";
import { type Invocation, PolicyMatcher } from "./policy_matcher.ts";
import { mutate, MutationError } from "./policy_mutation.ts";
import { requestVariables } from "./request_variables.ts";
import type { WrittenObject } from "./webhook_match.ts";

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
  Unauthorized: 401,
};

/** How a policy sees the object of a write, and what becomes of its changes. */
export interface ObjectViews {
  /** An AdmissionReview's request, in a version. */
  request(as: ResourceType, attributes: AdmissionAttributes): Promise<Record<string, unknown>>;
  inVersion(object: DynamicObject, as: ResourceType): Promise<DynamicObject>;
  /** In the request's version, decoded and with defaults. */
  accepted(changed: DynamicObject, attributes: AdmissionAttributes): Promise<DynamicObject>;
}

interface Refusal extends Denial {
  readonly policy: string;
  readonly binding?: string;
}

type Applied = Extract<Invocation, { as: ResourceType }>;

/** Runs admission policies: mutating ones before mutating webhooks, validating ones before validating webhooks. */
export class PolicyChain {
  readonly #server: AdmissionServer;
  readonly #views: ObjectViews;
  readonly #validating: PolicyMatcher;
  readonly #mutating: PolicyMatcher;

  constructor(server: AdmissionServer, table: PolicyTable, views: ObjectViews) {
    this.#server = server;
    this.#views = views;
    this.#validating = new PolicyMatcher(server, table, "validating");
    this.#mutating = new PolicyMatcher(server, table, "mutating");
  }

  /** Whether any policy in effect has a rule for this write. */
  hasPolicyFor(write: WrittenObject): boolean {
    return this.#validating.hasPolicyFor(write) || this.#mutating.hasPolicyFor(write);
  }

  /**
   * The object with the changes of all mutating policies. `again` runs those with `reinvocationPolicy: IfNeeded` once
   * more, as is due after a later change.
   *
   * @throws {ApiError} where a policy fails under `failurePolicy: Fail`.
   */
  async mutate(attributes: AdmissionAttributes, again = false): Promise<DynamicObject | undefined> {
    const refusals: Refusal[] = [];
    let { object } = attributes;
    for (const invocation of [...this.#mutating.invocations(attributes)]) {
      const { policy, binding } = invocation;
      if (again && policy.spec.reinvocationPolicy !== "IfNeeded") continue;
      const named = { policy: policy.name, ...(binding && { binding: binding.name }) };
      try {
        if ("failure" in invocation) throw new MutationError(invocation.failure);
        object = await this.#changed(invocation, { ...attributes, object });
      } catch (error) {
        if (!(error instanceof MutationError)) throw error;
        if (policy.spec.failurePolicy === "Ignore") continue;
        refusals.push({ ...named, message: error.message, ...("failure" in invocation ? {} : { reason: "Invalid" }) });
      }
    }
    if (refusals.length > 0) throw notMutated(refusals, attributes);
    return object;
  }

  /** Whether a policy wants to run again after a later change. */
  wantsAgain(attributes: AdmissionAttributes): boolean {
    return [...this.#mutating.invocations(attributes)].some(({ policy }) =>
      policy.spec.reinvocationPolicy === "IfNeeded"
    );
  }

  async #changed(invocation: Applied, attributes: AdmissionAttributes): Promise<DynamicObject | undefined> {
    const { policy, as, params } = invocation;
    let { object } = attributes;
    for (const param of params) {
      if (!object) return undefined;
      for (const mutation of policy.spec.mutations ?? []) {
        const now = { ...attributes, object };
        const variables = requestVariables(await this.#views.request(as, now), now, this.#server);
        const seen = await this.#views.inVersion(object, as);
        const next = mutate({ spec: policy.spec, mutation, object: seen, type: as }, {
          ...variables,
          params: jsonValue(param),
        });
        if (next && !jsonEqual(next, seen)) object = await this.#views.accepted(next, now);
      }
    }
    return object;
  }

  /** @throws {ApiError} where a binding denies; others warn. All policies run before the first denial is answered. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    const refusals: Refusal[] = [];
    for (const invocation of this.#validating.invocations(attributes)) {
      if (!("failure" in invocation)) refusals.push(...await this.#denials(invocation, attributes));
      else if (invocation.policy.spec.failurePolicy !== "Ignore") {
        const { policy, binding, failure } = invocation;
        refusals.push({ policy: policy.name, ...(binding && { binding: binding.name }), message: failure });
      }
    }
    if (refusals.length > 0) throw refused(refusals[0]!, attributes);
  }

  async #denials({ policy, binding, as, params }: Applied, attributes: AdmissionAttributes): Promise<Refusal[]> {
    const variables = requestVariables(await this.#views.request(as, attributes), attributes, this.#server);
    const actions = binding.spec.validationActions ?? [], refusals: Refusal[] = [];
    for (const param of params) {
      for (const denial of evaluatePolicy(policy.spec, { ...variables, params: jsonValue(param) })) {
        if (actions.includes("Deny")) refusals.push({ policy: policy.name, binding: binding.name, ...denial });
        if (!actions.includes("Warn")) continue;
        const who = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
        attributes.warnings.push(`Validation failed for ${who}: ${denial.message}`);
      }
    }
    return refusals;
  }
}

function forbiddenWrite({ type, name, object }: AdmissionAttributes, why: string, causes: readonly string[]): ApiError {
  const known = name || object?.metadata?.name || object?.metadata?.generateName || "";
  return forbidden(type, known, why, causes.map((message) => ({ message })));
}

function refused({ policy, binding, message, reason = "Invalid" }: Refusal, attributes: AdmissionAttributes): ApiError {
  const who = `ValidatingAdmissionPolicy '${policy}'${binding === undefined ? "" : ` with binding '${binding}'`}`;
  const text = `${who} denied request: ${message}`, base = forbiddenWrite(attributes, text, [text]);
  return new ApiError(CODES[reason] ?? 422, reason as StatusReason, base.message, base.status.details);
}

/** kube-apiserver keeps the code 403, whatever the reason. */
function notMutated(refusals: readonly Refusal[], attributes: AdmissionAttributes): ApiError {
  const texts = refusals.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy "${policy}" denied request: ${message}`
      : `policy '${policy}' with binding '${binding}' denied request: ${message}`
  );
  const { details } = forbiddenWrite(attributes, texts[0]!, texts).status;
  return new ApiError(403, (refusals[0]!.reason ?? "Forbidden") as StatusReason, texts[0]!, details);
}
