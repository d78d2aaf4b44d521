import type { DynamicObject } from "../../apimachinery/mod.ts";
import type { ResourceType } from "../resource_type.ts";
import type { AdmissionAttributes, AdmissionServer } from "./attributes.ts";
import type { Binding, BoundPolicy, MatchResources, PolicyPhase, PolicyTable } from "./policy.ts";
import { checkParamKind, ConfigurationError, paramsOf } from "./policy_params.ts";
import { selectorsMatch, webhookType, type WrittenObject } from "./webhook_match.ts";

/** A policy that a binding applies to a write, or why that cannot be done. */
export type Invocation =
  | {
    readonly policy: BoundPolicy;
    readonly binding: Binding;
    /** The version that the policy's rules name. */
    readonly as: ResourceType;
    readonly params: readonly (DynamicObject | undefined)[];
  }
  | { readonly policy: BoundPolicy; readonly binding?: Binding; readonly failure: string };

/** Finds the policies of a phase that apply to a write. */
export class PolicyMatcher {
  readonly #server: AdmissionServer;
  readonly #table: PolicyTable;
  readonly #phase: PolicyPhase;

  constructor(server: AdmissionServer, table: PolicyTable, phase: PolicyPhase) {
    this.#server = server;
    this.#table = table;
    this.#phase = phase;
  }

  /** Whether any policy in effect has a rule for this write. */
  hasPolicyFor(write: WrittenObject): boolean {
    return this.#table.of(this.#phase).some(({ spec }) => this.#typeFor(spec.matchConstraints ?? {}, write));
  }

  /** By names of policies, then of bindings. */
  *invocations(attributes: AdmissionAttributes): Generator<Invocation> {
    for (const policy of this.#table.of(this.#phase)) {
      const as = this.#match(policy.spec.matchConstraints ?? {}, attributes);
      if (!as) continue;
      const failure = failureOf(() => checkParamKind(policy.spec, this.#server));
      if (failure !== undefined) {
        yield { policy, failure: `failed to configure policy: ${failure}` };
        continue;
      }
      for (const binding of policy.bindings) {
        if (this.#bindingMatches(binding, attributes)) yield this.#invocation(policy, binding, as, attributes);
      }
    }
  }

  #invocation(policy: BoundPolicy, binding: Binding, as: ResourceType, { namespace }: AdmissionAttributes): Invocation {
    let params: ReturnType<typeof paramsOf> = [];
    const failure = failureOf(() => {
      params = paramsOf(policy.spec, binding.spec.paramRef, namespace, this.#server);
    });
    if (failure === undefined) return { policy, binding, as, params };
    return { policy, binding, failure: `failed to configure binding: ${failure}` };
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
function failureOf(configure: () => void): string | undefined {
  try {
    configure();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}
