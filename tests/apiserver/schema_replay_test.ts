// FR-81
import assert from "node:assert/strict";
import {
  applyJsonPatch,
  applyMergePatch,
  type DynamicObject,
  formatTime,
  type ManagedFieldsEntry,
} from "../../lib/apimachinery/mod.ts";
import { isObject, jsonClone } from "../../lib/base/mod.ts";
import type { ResourceType } from "../../lib/apiserver/resource_type.ts";
import { resourceTypesOf } from "../../lib/apiserver/schema/crd.ts";
import { applyDefaults } from "../../lib/apiserver/schema/defaulting.ts";
import { builtinResourceTypes } from "../../lib/apiserver/schema/definitions.ts";
import { runWithoutConversion } from "../../lib/apiserver/conversion_steps.ts";
import { applyServerSide, trackUpdate } from "../../lib/apiserver/schema/managed_fields.ts";
import { pruneUnknown } from "../../lib/apiserver/schema/pruning.ts";
import { strategicMerge, StrategicMergeError } from "../../lib/apiserver/schema/strategic_merge.ts";
import { KeyingError } from "../../lib/apiserver/schema/typed_value.ts";
import { validateObject } from "../../lib/apiserver/schema/validation.ts";
import answers from "./schema/fixtures/answers.json" with { type: "json" };
import { type Scenario, SCENARIOS, type Step, WIDGET_CRD } from "./schema/scenarios.ts";

const NOW_MS = 1_700_000_000_000;

/** Scenarios where the embedded server differs on purpose, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "widget empties": "kube-apiserver makes a null of an emptied map and then refuses it; here the map is gone",
  "defaults: daemon set": "the annotation deprecated.daemonset.template.generation serves no client any more",
  "defaults: role": "Go writes null for an absent list that is always written; here the empty list stays",
};

/** Metadata and fields that only a whole server fills in. */
const SERVER_METADATA = ["uid", "resourceVersion", "creationTimestamp", "generation", "namespace", "managedFields"];

interface Answer {
  code: number;
  answer: DynamicObject & {
    details?: { causes?: { reason: string; message: string; field: string }[] };
    message?: string;
  };
}

function typeFor(scenario: Scenario): ResourceType {
  const types = [...builtinResourceTypes(), ...resourceTypesOf(WIDGET_CRD).types];
  const found = types.find((type) =>
    type.plural === scenario.plural && scenario.apiVersion.endsWith(type.version) &&
    scenario.apiVersion.startsWith(type.group)
  );
  assert.ok(found, scenario.name);
  return found;
}

/** One request carried out by the pure functions alone, in kube-apiserver's order. */
function answerTo(step: Step, live: DynamicObject | undefined, type: ResourceType, apiVersion: string, name: string) {
  const body = JSON.parse(JSON.stringify(step.body).replaceAll("$NAME", name)) as DynamicObject;
  const common = { manager: step.manager ?? "tester", schema: type.schema, apiVersion, nowMs: NOW_MS };
  let next: DynamicObject;
  try {
    switch (step.verb) {
      case "create":
      case "update":
        next = body;
        break;
      case "merge":
        next = applyMergePatch(live!, body);
        break;
      case "json":
        next = applyJsonPatch(live!, body);
        break;
      case "strategic":
        next = strategicMerge(live!, body as never, type.schema);
        break;
      case "apply": {
        const result = runWithoutConversion(
          applyServerSide({ ...common, live, applied: body, force: step.query?.force === "true" }),
        );
        if (result.kind === "conflict") return { conflicts: result.conflicts };
        next = result.object;
        break;
      }
      default:
        step.verb satisfies never;
        throw new Error(step.verb);
    }
  } catch (error) {
    if (error instanceof StrategicMergeError || error instanceof KeyingError) return { refused: error.message };
    throw error;
  }
  next = jsonClone(next);
  const unknown = pruneUnknown(next, type.schema);
  if (unknown.length > 0 && step.query?.fieldValidation === "Strict") return { unknown };
  applyDefaults(next, type.schema);
  if (type.builtin === false) {
    const causes = validateObject(next, type.schema, live);
    if (causes.length > 0) return { causes };
  }
  if (step.verb !== "apply") {
    const managedFields = runWithoutConversion(trackUpdate({ ...common, before: live, after: next }));
    next.metadata = { ...next.metadata, managedFields: managedFields.length > 0 ? managedFields : undefined };
  }
  next.metadata = { ...next.metadata, uid: "u", creationTimestamp: formatTime(NOW_MS) };
  return { object: next };
}

function comparable(object: DynamicObject): unknown {
  const { metadata, ...rest } = jsonClone(object);
  const kept = Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !SERVER_METADATA.includes(key)));
  const copy: Record<string, unknown> = { ...rest, metadata: kept };
  if (isObject(copy.spec)) {
    // What other parts of a server give: addresses, a job's own labels.
    for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]) delete copy.spec[field];
    for (const field of ["preemptionPolicy", "priority", "tolerations"]) delete copy.spec[field]; // admission
  }
  if (isObject(copy.status)) delete copy.status.qosClass;
  if (isObject(kept.annotations)) {
    delete (kept.annotations as Record<string, unknown>)["deprecated.daemonset.template.generation"];
    if (Object.keys(kept.annotations).length === 0) delete kept.annotations;
  }
  return copy;
}

function owners(object: DynamicObject): unknown {
  return (object.metadata?.managedFields ?? []).map((
    { manager, operation, subresource, fieldsV1 }: ManagedFieldsEntry,
  ) => ({
    manager,
    operation,
    subresource,
    fieldsV1,
  })).map((entry) => JSON.stringify(sorted(entry))).sort();
}

function sorted(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  );
}

for (const scenario of SCENARIOS) {
  Deno.test(`as a real kube-apiserver: ${scenario.name}`, () => {
    if (EXCEPTIONS[scenario.name]) return assertStillDiffers(scenario);
    replay(scenario);
  });
}

/** An exception that has become untrue must be struck from the list. */
function assertStillDiffers(scenario: Scenario): void {
  assert.throws(() => replay(scenario), assert.AssertionError);
}

function replay(scenario: Scenario): void {
  const type = typeFor(scenario), recorded = (answers as unknown as Record<string, Answer[]>)[scenario.name];
  assert.ok(recorded, "record the answers again: tools/record_answers.ts");
  let live: DynamicObject | undefined;
  scenario.steps.forEach((step, index) => {
    const { code, answer } = recorded[index]!;
    const name = String((recorded[0]!.answer.metadata as { name?: string } | undefined)?.name ?? "x");
    const ours = answerTo(step, live, type, scenario.apiVersion, name);
    const at = `step ${index + 1} (${step.verb}), answered ${code}`;
    if (code === 409) {
      const told = ours.conflicts?.flatMap((conflict) =>
        conflict.fields.map((field) => ({
          reason: "FieldManagerConflict",
          message: `conflict with ${conflict.description}`,
          field,
        }))
      );
      assert.deepEqual(told, answer.details?.causes, at);
    } else if (code === 422) {
      const key = (cause: { field?: string; message?: string }) => `${cause.field} ${cause.message}`;
      const sort = (causes: { field?: string; message?: string; reason?: string }[] = []) =>
        causes.toSorted((a, b) => key(a) < key(b) ? -1 : 1);
      assert.deepEqual(sort(ours.causes), sort(answer.details?.causes), at);
    } else if (code === 400) {
      const fields = [...(answer.message ?? "").matchAll(/unknown field "([^"]+)"/g)].map((match) => match[1]);
      assert.deepEqual(ours.unknown, fields, at);
    } else if (code === 500) assert.ok(ours.refused, at);
    else {
      assert.ok(ours.object, `${at}: ${JSON.stringify(ours)}`);
      assert.deepEqual(comparable(ours.object), comparable(answer), at);
      assert.deepEqual(owners(ours.object), owners(answer), at);
      live = ours.object;
    }
  });
}
