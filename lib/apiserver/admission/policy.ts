import { isObject } from "../../base/mod.ts";
import type { DynamicObject, LabelSelector } from "../../apimachinery/mod.ts";
import type { Storage } from "../storage.ts";
import type { MatchCondition } from "./match_conditions.ts";
import type { WebhookRule } from "./webhook.ts";

/** MatchResources (admissionregistration.k8s.io/v1). */
export interface MatchResources {
  readonly resourceRules?: readonly WebhookRule[];
  readonly excludeResourceRules?: readonly WebhookRule[];
  readonly matchPolicy?: "Exact" | "Equivalent";
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}

export interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

/** Of a MutatingAdmissionPolicy. */
export interface Mutation {
  readonly patchType: "ApplyConfiguration" | "JSONPatch";
  readonly applyConfiguration?: { readonly expression: string };
  readonly jsonPatch?: { readonly expression: string };
}

/** The spec of a ValidatingAdmissionPolicy or a MutatingAdmissionPolicy. */
export interface PolicySpec {
  readonly failurePolicy?: "Fail" | "Ignore";
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string };
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations?: readonly Validation[];
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[];
  readonly mutations?: readonly Mutation[];
  readonly reinvocationPolicy?: "Never" | "IfNeeded";
}

export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelector;
  readonly parameterNotFoundAction?: "Allow" | "Deny";
}

/** The spec of a binding; only those of validating policies have actions. */
export interface BindingSpec {
  readonly policyName: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
  readonly validationActions?: readonly ("Deny" | "Warn" | "Audit")[];
}

export interface Binding {
  readonly name: string;
  readonly spec: BindingSpec;
}

/** A policy with the bindings that put it into effect. */
export interface BoundPolicy {
  readonly name: string;
  readonly spec: PolicySpec;
  readonly bindings: readonly Binding[];
}

export type PolicyPhase = "mutating" | "validating";

const GROUP = "admissionregistration.k8s.io";

/** The policies in effect, by name. */
export class PolicyTable {
  readonly #storage: Storage;
  #phases: Partial<Record<PolicyPhase, readonly BoundPolicy[]>> = {};

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.subscribe((resource) => {
      if (resource.endsWith(GROUP)) this.#phases = {};
    });
  }

  of(phase: PolicyPhase): readonly BoundPolicy[] {
    return this.#phases[phase] ??= this.#read(phase);
  }

  rebuild(): void {
    this.#phases = {};
  }

  #read(phase: PolicyPhase): BoundPolicy[] {
    const scanned = (what: string) => [...this.#storage.scan(`${phase}admission${what}.${GROUP}`)];
    const bindings = scanned("policybindings").map(([, { object }]): Binding => ({
      name: object.metadata?.name ?? "",
      spec: specOf(object) as unknown as BindingSpec,
    }));
    if (bindings.length === 0) return [];
    return scanned("policies").map(([, { object }]): BoundPolicy => {
      const name = object.metadata?.name ?? "";
      return { name, spec: specOf(object), bindings: bindings.filter(({ spec }) => spec.policyName === name) };
    }).filter((policy) => policy.bindings.length > 0);
  }
}

function specOf(object: DynamicObject): Record<string, unknown> {
  return isObject(object.spec) ? object.spec : {};
}
