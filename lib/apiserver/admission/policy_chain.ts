import { jsonEqual } from "../../base/mod.ts";
import type { DynamicObject, StatusReason } from "../../apimachinery/mod.ts";
import { ApiError, forbidden } from "../api_error.ts";
import { jsonValue } from "../cel/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import type { AdmissionAttributes, AdmissionServer } from "./attributes.ts";
import type { PolicyTable } from "./policy.ts";
import { type Denial, evaluatePolicy } from "./policy_evaluation.ts";
import { type Invocation, PolicyMatcher } from "./policy_matcher.ts";
import { matches, mutate, MutationError } from "./policy_mutation.ts";
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

export interface Mutated {
  readonly object: DynamicObject | undefined;
  /** The policies that want to run again after a change. */
  readonly repeatable: ReadonlySet<string>;
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
   * Changes the object by all mutating policies; with `only`, by those that are due once more.
   *
   * @throws {ApiError} where a policy fails under `failurePolicy: Fail`.
   */
  async mutate(attributes: AdmissionAttributes, only?: ReadonlySet<string>): Promise<Mutated> {
    const refusals: Refusal[] = [], repeatable = new Set<string>();
    let { object } = attributes;
    for (const invocation of [...this.#mutating.invocations(attributes)]) {
      const { policy, binding } = invocation, { reinvocationPolicy, failurePolicy } = policy.spec;
      const key = `${policy.name}/${binding?.name}`;
      if (only && !only.has(key)) continue;
      if (reinvocationPolicy === "IfNeeded") repeatable.add(key);
      const refuse = (message: string, reason?: "Invalid") => {
        if (failurePolicy === "Ignore") return;
        refusals.push({ policy: policy.name, ...(binding && { binding: binding.name }), message, reason });
      };
      if ("failure" in invocation) refuse(invocation.failure);
      else object = await this.#changed(invocation, { ...attributes, object }, (why) => refuse(why, "Invalid"));
    }
    if (refusals.length > 0) throw notMutated(refusals, attributes);
    return { object, repeatable };
  }

  /** A mutation that fails is passed over. */
  async #changed(invocation: Applied, attributes: AdmissionAttributes, fail: (why: string) => void) {
    const { policy: { spec }, as, params } = invocation;
    let { object } = attributes;
    for (const param of params) {
      const variables = async (now: AdmissionAttributes) => ({
        ...requestVariables(await this.#views.request(as, now), now, this.#server),
        params: jsonValue(param),
      });
      try {
        if (!matches(spec, await variables({ ...attributes, object }))) continue;
      } catch (error) {
        if (!(error instanceof MutationError)) throw error;
        fail(error.message);
        continue;
      }
      for (const mutation of spec.mutations ?? []) {
        if (!object) return undefined;
        const now = { ...attributes, object }, seen = await this.#views.inVersion(object, as);
        try {
          const next = mutate({ spec, mutation, object: seen, type: as }, await variables(now));
          if (!jsonEqual(next, seen)) object = await this.#views.accepted(next, now);
        } catch (error) {
          if (!(error instanceof MutationError)) throw error;
          fail(error.message);
        }
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
