import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject } from "../../base/mod.ts";
import type { Schema, ValidationRule } from "../resource_type.ts";
import { type CompiledRule, compiledRules } from "./compiled_rules.ts";
import { rulePath } from "./rule_path.ts";

/** Cost units that a rule, and all rules of a schema, may cost at most. */
const RULE_COST_MAX = 10_000_000, SCHEMA_COST_MAX = 100_000_000;

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

const ADVICE = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and " +
  "strings are declared)";

/** What is wrong with a rule beside its expressions; `path` is the rule's. */
export function ruleFieldCauses(rule: ValidationRule, path: string, schema: Schema): StatusCause[] {
  const causes: StatusCause[] = [];
  const source = rule.rule?.trim() ?? "", message = rule.message?.trim() ?? "";
  if (source === "") causes.push(required(`${path}.rule`, "rule is not specified"));
  else if (rule.message && message === "") {
    causes.push(invalid(`${path}.message`, rule.message, "must be non-empty if specified"));
  } else if (hasNewline(message)) {
    causes.push(invalid(`${path}.message`, rule.message, "must not contain line breaks"));
  } else if (hasNewline(source) && message === "") {
    causes.push(required(`${path}.message`, "message must be specified if rule contains line breaks"));
  }
  if (rule.messageExpression && rule.messageExpression.trim() === "") {
    causes.push(required(`${path}.messageExpression`, "messageExpression must be non-empty if specified"));
  }
  if (rule.reason !== undefined && !REASONS.includes(rule.reason)) {
    const supported = REASONS.map((reason) => formatJson(reason)).join(", ");
    const text = `Unsupported value: ${formatJson(rule.reason)}: supported values: ${supported}`;
    causes.push({ reason: "FieldValueNotSupported", message: text, field: `${path}.reason` });
  }
  if (rule.fieldPath) causes.push(...fieldPathCauses(rule.fieldPath, `${path}.fieldPath`, schema));
  return causes;
}

function fieldPathCauses(fieldPath: string, path: string, schema: Schema): StatusCause[] {
  const causes: StatusCause[] = [];
  if (fieldPath.trim() === "") causes.push(invalid(path, fieldPath, "must be non-empty if specified"));
  if (hasNewline(fieldPath)) causes.push(invalid(path, fieldPath, "must not contain line breaks"));
  if (rulePath(fieldPath, schema) === undefined) causes.push(invalid(path, fieldPath, "must be a valid path"));
  return causes;
}

function hasNewline(text: string): boolean {
  return /[\n\r]/.test(text);
}

/** Expressions that do not compile, or that may cost too much, in a schema without other faults. */
export function expressionCauses(schema: Schema, path: string): StatusCause[] {
  const check = new ExpressionCheck();
  check.visit(schema, { path, root: true, cardinality: 1 });
  return [...check.causes, ...check.totalCauses(path)];
}

interface Place {
  readonly path: string;
  readonly root: boolean;
  /** How many values of the schema there can be; undefined without bounds on lists and maps around it. */
  readonly cardinality: number | undefined;
  /** The list whose items an update cannot match to old ones. */
  readonly uncorrelatable?: string;
}

class ExpressionCheck {
  readonly causes: StatusCause[] = [];
  #total = 0;
  #expensive: { readonly path: string; readonly cost: number }[] = [];

  visit(schema: Schema, place: Place): void {
    const rules = schema["x-kubernetes-validations"] ?? [];
    const inner = (factor: number | undefined) =>
      place.cardinality === undefined || factor === undefined ? undefined : place.cardinality * factor;
    const below = { ...place, root: false };
    for (const [field, child] of Object.entries(schema.properties ?? {})) {
      this.visit(child, { ...below, path: `${place.path}.properties[${field}]`, cardinality: inner(1) });
    }
    if (isObject(schema.additionalProperties)) {
      const cardinality = inner(schema.maxProperties), path = `${place.path}.additionalProperties`;
      this.visit(schema.additionalProperties as Schema, { ...below, path, cardinality });
    }
    if (schema.items) {
      const lost = schema["x-kubernetes-list-type"] === "map"
        ? place.uncorrelatable
        : place.uncorrelatable ?? place.path;
      this.visit(schema.items, {
        path: `${place.path}.items`,
        root: false,
        cardinality: inner(schema.maxItems),
        ...(lost !== undefined && { uncorrelatable: lost }),
      });
    }
    if (rules.length > 0) this.#check(schema, place);
  }

  #check(schema: Schema, place: Place): void {
    const path = `${place.path}.x-kubernetes-validations`;
    const compiled = compiledRules(schema, place.root || schema["x-kubernetes-embedded-resource"] === true);
    if (!compiled) {
      const why = "failed to construct type information for x-kubernetes-validations rules: unable to convert " +
        "structural schema to CEL declarations";
      this.causes.push({ reason: "InternalError", message: `Internal error: internal error: ${why}`, field: path });
      return;
    }
    const cardinality = place.cardinality ?? compiled.cardinalityMax;
    compiled.rules.forEach((rule, index) => this.#checkRule(rule, `${path}[${index}]`, cardinality, place));
  }

  #checkRule(compiled: CompiledRule, path: string, cardinality: number, place: Place): void {
    const { rule } = compiled, shown = shownRule(rule);
    this.#spend(`${path}.rule`, compiled.costMax * cardinality, "estimated rule cost");
    if (compiled.error !== undefined) this.causes.push(invalid(`${path}.rule`, shown, compiled.error));
    if (compiled.messageError !== undefined) {
      this.causes.push(invalid(`${path}.messageExpression`, shown, compiled.messageError));
    } else if (compiled.message) {
      this.#spend(`${path}.messageExpression`, compiled.messageCostMax, "estimated messageExpression cost");
    }
    if (compiled.transition) {
      if (place.uncorrelatable === undefined) return;
      const why = "oldSelf cannot be used on the uncorrelatable portion of the schema within";
      this.causes.push(invalid(`${path}.rule`, rule.rule, `${why} ${place.uncorrelatable}`));
    } else if (rule.optionalOldSelf !== undefined) {
      const why = "may not be set if oldSelf is not used in rule";
      this.causes.push(invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, why));
    }
  }

  #spend(path: string, cost: number, what: string): void {
    if (cost > RULE_COST_MAX) this.causes.push(forbidden(path, excess(what, cost, RULE_COST_MAX)));
    this.#total += cost;
    if (cost < SCHEMA_COST_MAX / 100) return;
    this.#expensive = [...this.#expensive, { path, cost }].sort((a, b) => b.cost - a.cost).slice(0, 4);
  }

  totalCauses(path: string): StatusCause[] {
    if (this.#total <= SCHEMA_COST_MAX) return [];
    const contributed = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    return [
      ...this.#expensive.map((rule) => forbidden(rule.path, contributed)),
      forbidden(path, excess(what, this.#total, SCHEMA_COST_MAX)),
    ];
  }
}

function excess(what: string, cost: number, costMax: number): string {
  const factor = cost / costMax;
  const shown = factor > 100 ? "more than 100x" : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`;
  return `${what} exceeds budget by factor of ${shown} ${ADVICE}`;
}

/** As Go prints a rule within an error. */
function shownRule(rule: ValidationRule): Record<string, unknown> {
  return {
    Rule: rule.rule,
    Message: rule.message ?? "",
    MessageExpression: rule.messageExpression ?? "",
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? "",
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

function required(field: string, why: string): StatusCause {
  return { reason: "FieldValueRequired", message: `Required value: ${why}`, field };
}

function forbidden(field: string, why: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

function invalid(field: string, value: unknown, why: string): StatusCause {
  const shown = isObject(value) ? goJson(value) : formatJson(value);
  return { reason: "FieldValueInvalid", message: `Invalid value: ${shown}: ${why}`, field };
}

/** Go's encoder escapes HTML in objects. */
function goJson(value: unknown): string {
  return formatJson(value).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");
}
