import { deepFreeze, describeError, isObject, jsonClone, PermanentError } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatKey, keyOf, parseApiVersion } from "../apimachinery/mod.ts";
import { AdmissionError } from "./admission_error.ts";
import { lostFields, packFields, preservedAnnotation, restoreFields, unpackFields } from "./preserved_fields.ts";

/** The parts of an object in which versions differ. */
export interface ObjectParts {
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface PartsSchema {
  /** Parts with defaults, or unchanged with a problem, for people: it names fields and no values. */
  read(parts: ObjectParts): { readonly parts: ObjectParts; readonly problem?: string };
}

/** A version that is not the hub. */
export interface SpokeVersion {
  readonly version: string;
  /** Absent for the same fields as the hub. */
  readonly converts?: {
    readonly schema: PartsSchema;
    readonly toHub: (parts: ObjectParts) => ObjectParts;
    readonly fromHub: (parts: ObjectParts) => ObjectParts;
    /** Whether an annotation keeps fields that one version lacks. */
    readonly preserves: boolean;
    /** Without a schema of its own, the status is the hub's. */
    readonly ownStatus: boolean;
  };
}

interface KindConversionOptions {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  /** The stored version, through which all others are converted. */
  readonly hub: { readonly version: string; readonly schema: PartsSchema };
  readonly spokes: readonly SpokeVersion[];
  /** Pintle's own status fields pass unchanged. */
  readonly engineFields: readonly string[];
}

export interface Converted {
  readonly object: DynamicObject;
  /** For the functions' author: results that a schema refuses, lost fields. */
  readonly problems: readonly string[];
}

/** The message is for the request's user, and quotes nothing of the object. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
}

type Converts = NonNullable<SpokeVersion["converts"]>;

/**
 * Converts objects of one kind by functions to and from the hub.
 *
 * Guarantees: identity and metadata pass unchanged, except annotations with fields that the other version lacks. A
 * round trip loses only what was changed meanwhile. Assumes pure functions.
 */
export class KindConversion {
  readonly #options: KindConversionOptions;
  readonly #spokes: ReadonlyMap<string, SpokeVersion>;

  /** `defineResource` makes one. */
  constructor(options: KindConversionOptions) {
    this.#options = options;
    this.#spokes = new Map(options.spokes.map((spoke) => [spoke.version, spoke]));
  }

  /** Name of the CRD. */
  get crd(): string {
    return `${this.#options.plural}.${this.#options.group}`;
  }

  get hub(): string {
    return this.#options.hub.version;
  }

  /** A version that functions convert; there is at least one. */
  get converted(): string {
    return this.#options.spokes.find(({ converts }) => converts)!.version;
  }

  get versions(): readonly string[] {
    return [this.hub, ...this.#spokes.keys()];
  }

  /** Spec and status by their version's schema: with defaults, or with a `problem`. */
  read(object: DynamicObject): { readonly parts: ObjectParts; readonly problem?: string } {
    const { hub } = this.#options, { version } = parseApiVersion(object.apiVersion ?? "");
    const schema = version === hub.version ? hub.schema : this.#spoke(version, object).converts?.schema ?? hub.schema;
    return schema.read({ spec: object.spec, ...(object.status !== undefined && { status: object.status }) });
  }

  covers({ apiVersion = "", kind }: DynamicObject): boolean {
    return kind === this.#options.kind && parseApiVersion(apiVersion).group === this.#options.group;
  }

  /**
   * The same object where it already has the version.
   *
   * @throws {ConversionError} where a version is unknown or a function fails.
   */
  convert(object: DynamicObject, to: string): Converted {
    const from = parseApiVersion(object.apiVersion ?? "").version, { hub } = this;
    if (from === to) return { object, problems: [] };
    const up = from === hub ? { object, problems: [] } : this.#step(object, from, hub);
    if (to === hub) return up;
    const down = this.#step(up.object, hub, to);
    return { object: down.object, problems: [...up.problems, ...down.problems] };
  }

  /** From a spoke to the hub, or back. */
  #step(object: DynamicObject, from: string, to: string): Converted {
    const { hub } = this.#options, isUp = to === hub.version;
    const converts = this.#spoke(isUp ? from : to, object).converts;
    const apiVersion = formatApiVersion({ group: this.#options.group, version: to });
    if (!converts) return { object: { ...object, apiVersion }, problems: [] };
    // The object has these fields itself: an annotation with them has another origin.
    const { [preservedAnnotation(to)]: preserved, [preservedAnnotation(from)]: _stale, ...annotations } =
      object.metadata?.annotations ?? {} as Record<string, string>;
    const parts: ObjectParts = { spec: object.spec, status: object.status };
    const made = this.#apply(converts, isUp, parts, { object, from, to });
    const target = isUp ? hub.schema : converts.schema, restored = restoreFields(made, unpackFields(preserved));
    // Any client can set the annotation: the schema must accept what it restores.
    const result = target.read(restored).problem === undefined ? restored : made;
    const { problem } = target.read(result), problems = problem === undefined ? [] : [`${to} ${problem}`];
    if (converts.preserves) {
      const lost = this.#fieldsLost(converts, isUp, parts, result), text = packFields(lost);
      if (text === undefined) problems.push(`${lost.length} fields of ${from} are too large to be preserved for it`);
      else if (lost.length > 0) annotations[preservedAnnotation(from)] = text;
    }
    return { object: withParts(object, apiVersion, result, annotations), problems };
  }

  /** An error names the object, both versions and, where meant for people, the reason. */
  #apply(
    converts: Converts,
    isUp: boolean,
    parts: ObjectParts,
    { object, from, to }: { readonly object: DynamicObject; readonly from: string; readonly to: string },
  ): ObjectParts {
    const where = `${this.#options.kind} ${nameOf(object)} cannot be converted from ${from} to ${to}`;
    try {
      return this.#run(converts, isUp, parts);
    } catch (cause) {
      const { kind } = this.#options, by = `${isUp ? "toHub" : "fromHub"} of ${kind} ${isUp ? from : to}`;
      // Other errors may quote anything.
      const isMeant = cause instanceof PermanentError || cause instanceof AdmissionError;
      const why = isMeant ? describeError(cause) : `${by} failed: the reason is in the operator's log`;
      throw new ConversionError(`${where}: ${why}`, { cause });
    }
  }

  #run({ schema, toHub, fromHub, ownStatus }: Converts, isUp: boolean, parts: ObjectParts): ObjectParts {
    const { engineFields, hub } = this.#options,
      engine: Record<string, unknown> = {},
      own: Record<string, unknown> = {};
    const { status } = parts;
    for (const [field, value] of Object.entries(isObject(status) ? status : {})) {
      (engineFields.includes(field) ? engine : own)[field] = value;
    }
    const source = isUp ? schema : hub.schema;
    const { parts: given, problem } = source.read({ spec: parts.spec, ...(isObject(status) && { status: own }) });
    // API servers also convert incomplete objects, without a spec.
    if (parts.spec === undefined && problem !== undefined) return isObject(status) ? { status } : {};
    const result: unknown = (isUp ? toHub : fromHub)(deepFreeze(jsonClone(given)));
    if (!isObject(result) || !isObject(result.spec)) throw new TypeError("it returned no object with a spec");
    const made = jsonClone(result.status ?? (ownStatus ? undefined : given.status));
    const whole = { ...(isObject(made) ? made : {}), ...engine };
    const hasStatus = isObject(status) || Object.keys(whole).length > 0;
    return { spec: jsonClone(result.spec), ...(hasStatus && { status: whole }) };
  }

  /** Fields that a round trip loses. None where converting back fails: that conversion reports it. */
  #fieldsLost(converts: Converts, isUp: boolean, parts: ObjectParts, result: ObjectParts) {
    const source = isUp ? converts.schema : this.#options.hub.schema;
    let returned: ObjectParts;
    try {
      returned = this.#run(converts, !isUp, result);
    } catch {
      return [];
    }
    const isValid = [parts, returned].every((each) => source.read(each).problem === undefined);
    return lostFields(parts, returned, (each) => isValid ? source.read(each as ObjectParts).parts : each);
  }

  #spoke(version: string, object: DynamicObject): SpokeVersion {
    const spoke = this.#spokes.get(version);
    if (spoke) return spoke;
    const known = this.versions.join(", ");
    throw new ConversionError(`${this.#options.kind} ${nameOf(object)}: there is no version ${version}, only ${known}`);
  }
}

function nameOf(object: DynamicObject): string {
  const { name = object.metadata?.generateName ?? "", namespace } = keyOf(object);
  return formatKey({ namespace, name });
}

function withParts(
  object: DynamicObject,
  apiVersion: string,
  { spec, status }: ObjectParts,
  annotations: Record<string, string>,
): DynamicObject {
  const { spec: _spec, status: _status, metadata = {}, ...rest } = object;
  const { annotations: _annotations, ...meta } = metadata;
  const hasAnnotations = Object.keys(annotations).length > 0;
  return {
    ...rest,
    apiVersion,
    metadata: { ...meta, ...(hasAnnotations && { annotations }) },
    ...(spec !== undefined && { spec }),
    ...(status !== undefined && { status }),
  };
}
