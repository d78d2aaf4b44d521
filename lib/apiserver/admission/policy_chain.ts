import type { StatusReason } from "../../apimachinery/mod.ts";
import { ApiError, forbidden } from "../api_error.ts";
import { jsonValue } from "../cel/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import type { AdmissionAttributes, AdmissionServer } from "./attributes.ts";
import type { Binding, BoundPolicy, MatchResources, PolicyTable } from "./policy.ts";
import { type Denial, evaluatePolicy } from "./policy_evaluation.ts";
import { checkParamKind, ConfigurationError, paramsOf } from "./policy_params.ts";
import { requestVariables } from "./request_variables.ts";
import { selectorsMatch, webhookType, type WrittenObject } from "./webhook_match.ts";

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
  Unauthorized: 401,
};

/** A request as a policy sees it, in the version that the policy's rules name. */
export type MakeRequest = (as: ResourceType) => Promise<Record<string, unknown>>;

interface Refusal extends Denial {
  readonly policy: string;
  readonly binding?: string;
}

/** Runs ValidatingAdmissionPolicies, before validating webhooks. */
export class PolicyChain {
  readonly #server: AdmissionServer;
  readonly #table: PolicyTable;

  constructor(server: AdmissionServer, table: PolicyTable) {
    this.#server = server;
    this.#table = table;
  }

  /** Whether any policy in effect has a rule for this write. */
  hasPolicyFor(write: WrittenObject): boolean {
    return this.#table.bound.some(({ spec }) => this.#typeFor(spec.matchConstraints ?? {}, write) !== undefined);
  }

  /** @throws {ApiError} where a binding denies; others warn. All policies run before the first denial is answered. */
  async validate(attributes: AdmissionAttributes, request: MakeRequest): Promise<void> {
    const refusals: Refusal[] = [];
    for (const policy of this.#table.bound) {
      const as = this.#match(policy.spec.matchConstraints ?? {}, attributes);
      if (!as) continue;
      const failure = configurationFailure(() => checkParamKind(policy.spec, this.#server));
      if (failure !== undefined) {
        if (policy.spec.failurePolicy !== "Ignore") {
          refusals.push({ policy: policy.name, message: `failed to configure policy: ${failure}` });
        }
        continue;
      }
      for (const binding of policy.bindings) {
        if (!this.#bindingMatches(binding, attributes)) continue;
        refusals.push(...this.#apply(policy, binding, await request(as), attributes));
      }
    }
    if (refusals.length > 0) throw refused(refusals[0]!, attributes);
  }

  #apply(
    policy: BoundPolicy,
    binding: Binding,
    request: Record<string, unknown>,
    attributes: AdmissionAttributes,
  ): Refusal[] {
    const named = { policy: policy.name, binding: binding.name }, refusals: Refusal[] = [];
    const variables = requestVariables(request, attributes, this.#server);
    let params: ReturnType<typeof paramsOf> = [];
    const failure = configurationFailure(() => {
      params = paramsOf(policy.spec, binding.spec.paramRef, attributes.namespace, this.#server);
    });
    if (failure !== undefined) {
      const message = `failed to configure binding: ${failure}`;
      return policy.spec.failurePolicy === "Ignore" ? [] : [{ ...named, message }];
    }
    for (const param of params) {
      for (const denial of evaluatePolicy(policy.spec, { ...variables, params: jsonValue(param) })) {
        const actions = binding.spec.validationActions ?? [];
        if (actions.includes("Deny")) refusals.push({ ...named, ...denial });
        if (!actions.includes("Warn")) continue;
        const who = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
        attributes.warnings.push(`Validation failed for ${who}: ${denial.message}`);
      }
    }
    return refusals;
  }

  #typeFor({ resourceRules = [], matchPolicy }: MatchResources, write: WrittenObject): ResourceType | undefined {
    return webhookType(
      { rules: resourceRules, matchPolicy: matchPolicy ?? "Equivalent" },
      write,
      this.#server.registry,
    );
  }

  /** The version in which the constraints match; undefined if they do not. */
  #match(constraints: MatchResources, write: WrittenObject): ResourceType | undefined {
    const { excludeResourceRules: excluded = [], ...rest } = constraints;
    if (!selectorsMatch(rest, write, this.#server.storage)) return undefined;
    if (excluded.length > 0 && this.#typeFor({ ...rest, resourceRules: excluded }, write)) return undefined;
    return this.#typeFor(rest, write);
  }

  /** A binding without rules takes all that its policy takes. */
  #bindingMatches({ spec: { matchResources } }: Binding, write: WrittenObject): boolean {
    if (!matchResources) return true;
    const all = {
      operations: ["*"],
      apiGroups: ["*"],
      apiVersions: ["*"],
      resources: ["*", "*/*"],
      scope: "*",
    } as const;
    const resourceRules = matchResources.resourceRules?.length ? matchResources.resourceRules : [all];
    return this.#match({ ...matchResources, resourceRules }, write) !== undefined;
  }
}

/** Why the configuration cannot be used; undefined if it can. */
function configurationFailure(configure: () => void): string | undefined {
  try {
    configure();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

function refused({ policy, binding, message, reason = "Invalid" }: Refusal, attributes: AdmissionAttributes): ApiError {
  const { type, name, object } = attributes, metadata = object?.metadata;
  const who = `ValidatingAdmissionPolicy '${policy}'${binding === undefined ? "" : ` with binding '${binding}'`}`;
  const text = `${who} denied request: ${message}`;
  const base = forbidden(type, name || metadata?.name || metadata?.generateName || "", text, [{ message: text }]);
  return new ApiError(CODES[reason] ?? 422, reason as StatusReason, base.message, base.status.details);
}
