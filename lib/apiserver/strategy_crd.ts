import { Buffer } from "node:buffer";
import { isObject, jsonEqual } from "../base/mod.ts";
import { type Condition, type DynamicObject, formatTime, setCondition, type StatusCause } from "../apimachinery/mod.ts";
import { invalidValue } from "./api_error.ts";
import { resourceTypesOf } from "./schema/crd.ts";
import { immutableCauses, newCrdCauses, storedVersionCauses } from "./schema/crd_rules.ts";
import type { Strategy } from "./strategy.ts";

/** Kept until a terminating CRD's instances are gone. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

type Fields = Record<string, unknown>;

/** The write itself accepts names and serves versions. */
export const crdStrategy: Strategy = {
  normalize,
  prepareForCreate(object, { nowMs }) {
    object.status = establishedStatus(object, undefined, nowMs);
  },
  prepareForUpdate(object, old, { nowMs }) {
    object.status = establishedStatus(object, fieldsOf(old.status), nowMs);
  },
  validate(object, old) {
    const causes: StatusCause[] = resourceTypesOf(object).causes, now = fieldsOf(object.spec);
    if (!old) {
      return [...causes, ...newCrdCauses(object), ...storedVersionCauses(storedAtFirst(object), versionsOf(object))];
    }
    const before = fieldsOf(old.spec);
    causes.push(...immutableCauses(now, before), ...storedVersionCauses(storedVersions(object), versionsOf(object)));
    return [...causes, ...authorityCauses(now.conversion, before.conversion)];
  },
};

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function clientConfigOf(conversion: unknown): Fields {
  return fieldsOf(fieldsOf(fieldsOf(conversion).webhook).clientConfig);
}

/** An invalid caBundle may be created, but cannot replace a valid one. */
function authorityCauses(now: unknown, before: unknown): StatusCause[] {
  const { caBundle } = clientConfigOf(now), former = clientConfigOf(before).caBundle;
  if (!caBundle || holdsCertificate(caBundle) || (former && !holdsCertificate(former))) return [];
  const why = "unable to load root certificates: unable to parse bytes as PEM block";
  return [invalidValue("spec.conversion.webhookClientConfig.caBundle", caBundle, why)];
}

function holdsCertificate(caBundle: unknown): boolean {
  const text = Buffer.from(String(caBundle), "base64").toString();
  return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.test(text);
}

function versionsOf(crd: DynamicObject): Fields[] {
  const versions = fieldsOf(crd.spec).versions;
  return Array.isArray(versions) ? versions.filter(isObject) : [];
}

function storedVersions(crd: DynamicObject): string[] {
  const versions = fieldsOf(crd.status).storedVersions;
  return Array.isArray(versions) ? versions : [];
}

/** The API server starts with the first storage version. */
function storedAtFirst(crd: DynamicObject): string[] {
  const first = versionsOf(crd).find(({ storage }) => storage === true);
  return typeof first?.name === "string" ? [first.name] : [];
}

function normalize(object: DynamicObject): void {
  const spec = fieldsOf(object.spec);
  const names = fieldsOf(spec.names);
  if (typeof names.kind === "string") {
    names.singular ??= names.kind.toLowerCase();
    names.listKind ??= `${names.kind}List`;
  }
  spec.conversion ??= { strategy: "None" };
  const { service } = clientConfigOf(spec.conversion);
  if (isObject(service)) service.port ??= 443;
  // Go omits an explicit false.
  if (spec.preserveUnknownFields === false) delete spec.preserveUnknownFields;
}

function establishedStatus(object: DynamicObject, before: Fields | undefined, nowMs: number): Fields {
  const storage = versionsOf(object).find((version) => version.storage === true)?.name;
  const known = Array.isArray(before?.storedVersions) ? before.storedVersions as unknown[] : [];
  const conditions = Array.isArray(before?.conditions) ? before.conditions as Condition[] : [];
  const generation = object.metadata?.generation;
  const time = formatTime(nowMs);
  const accept = (list: Condition[], type: string, reason: string, message: string) =>
    list.some((condition) => condition.type === type && condition.status === "True")
      ? list
      : setCondition(list, { type, status: "True", reason, message }, nowMs);
  const accepted = accept([...conditions], "NamesAccepted", "NoConflicts", "no conflicts found");
  const established = accept(accepted, "Established", "InitialNamesAccepted", "the initial names have been accepted");
  const status: Fields = {
    conditions: established.map((condition) => ({
      ...condition,
      lastTransitionTime: condition.lastTransitionTime ?? time,
    })),
    acceptedNames: fieldsOf(fieldsOf(object.spec).names),
    storedVersions: known.includes(storage) || storage === undefined ? known : [...known, storage],
  };
  if (generation !== undefined && jsonEqual(status, before)) return before!;
  return status;
}
