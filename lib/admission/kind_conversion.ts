import { deepFreeze, describeError, isObject, jsonClone, PermanentError } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatKey, keyOf, parseApiVersion } from "../apimachinery/mod.ts";
import { AdmissionError } from "./admission_error.ts";
import { keptAnnotation, keptFields, packFields, restoreFields, unpackFields } from "./kept_fields.ts";

/** What of an object its versions differ in. */
export interface ObjectParts {
  /** What is desired. */
  readonly spec?: unknown;
  /** What an operator last wrote. */
  readonly status?: unknown;
}

/** The schema of a version, as conversion asks it. */
export interface PartsSchema {
  /** Parts with defaults filled in, or as they are with what is wrong with them, for people: fields, and no values. */
  read(parts: ObjectParts): { readonly parts: ObjectParts; readonly problem?: string };
}

/** A version that is not the hub. */
export interface SpokeVersion {
  readonly version: string;
  /** Absent for a version of the hub's fields. */
  readonly converts?: {
    readonly schema: PartsSchema;
    readonly toHub: (parts: ObjectParts) => ObjectParts;
    readonly fromHub: (parts: ObjectParts) => ObjectParts;
    /** Whether what one version cannot say is kept in an annotation. */
    readonly keeps: boolean;
    /** Whether its status has a schema of its own: where it has none, the status is the hub's. */
    readonly ownStatus: boolean;
  };
}

/** What a kind is converted by. */
export interface KindConversionOptions {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  /** The version that is stored, and through which all others go. */
  readonly hub: { readonly version: string; readonly schema: PartsSchema };
  readonly spokes: readonly SpokeVersion[];
  /** Fields of the status that are the engine's: they pass as they are. */
  readonly engineFields: readonly string[];
}

/** An object in another version. */
export interface Converted {
  /** In the version that was asked for. */
  readonly object: DynamicObject;
  /** What its author should know, for people: results that a schema refuses, fields that are lost. */
  readonly problems: readonly string[];
}

/** An object cannot be had in a version. The message is for whoever asks for it, and quotes nothing of the object. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
}

type Converts = NonNullable<SpokeVersion["converts"]>;

/**
 * Converts objects of one kind between its versions, by functions to and from the hub.
 *
 * Guarantees: identity and metadata pass as they are, but for annotations in which is kept what the other version
 * cannot say; so a round trip loses nothing that nobody has changed meanwhile. Assumes that the functions are pure.
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

  /** The version through which all others go. */
  get hub(): string {
    return this.#options.hub.version;
  }

  /** One of the versions that functions convert; there is at least one. */
  get converted(): string {
    return this.#options.spokes.find(({ converts }) => converts)!.version;
  }

  /** Every version, that of the hub first. */
  get versions(): readonly string[] {
    return [this.hub, ...this.#spokes.keys()];
  }

  /**
   * What the schema of an object's version makes of its spec and status: defaults are filled in, or `problem` says what
   * is wrong.
   */
  read(object: DynamicObject): { readonly parts: ObjectParts; readonly problem?: string } {
    const { hub } = this.#options, { version } = parseApiVersion(object.apiVersion ?? "");
    const schema = version === hub.version ? hub.schema : this.#spoke(version, object).converts?.schema ?? hub.schema;
    return schema.read({ spec: object.spec, ...(object.status !== undefined && { status: object.status }) });
  }

  /** Whether an object is of this kind. */
  covers({ apiVersion = "", kind }: DynamicObject): boolean {
    return kind === this.#options.kind && parseApiVersion(apiVersion).group === this.#options.group;
  }

  /**
   * An object in another version; the same one where it is in it already.
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
    // What an object says of its own version is in its fields: an annotation beside them comes from somewhere else.
    const { [keptAnnotation(to)]: kept, [keptAnnotation(from)]: _stale, ...annotations } =
      object.metadata?.annotations ?? {} as Record<string, string>;
    const parts: ObjectParts = { spec: object.spec, status: object.status };
    const made = this.#apply(converts, isUp, parts, { object, from, to });
    const target = isUp ? hub.schema : converts.schema, restored = restoreFields(made, unpackFields(kept));
    // Anybody can write an annotation: what the schema refuses does not come into the object that way.
    const result = target.read(restored).problem === undefined ? restored : made;
    const { problem } = target.read(result), problems = problem === undefined ? [] : [`${to} ${problem}`];
    if (converts.keeps) {
      const lost = this.#lost(converts, isUp, parts, result), text = packFields(lost);
      if (text === undefined) problems.push(`${lost.length} fields of ${from} are too much to be kept for it`);
      else if (lost.length > 0) annotations[keptAnnotation(from)] = text;
    }
    return { object: withParts(object, apiVersion, result, annotations), problems };
  }

  /** Runs a function, and takes care of what it gets and gives. */
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
      // What a function throws without meaning to may quote anything.
      const isMeant = cause instanceof PermanentError || cause instanceof AdmissionError;
      const why = isMeant ? describeError(cause) : `${by} failed: the operator's log says why`;
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
    // An API server converts what is yet to become an object, too: of nothing comes nothing.
    if (parts.spec === undefined && problem !== undefined) return isObject(status) ? { status } : {};
    const result: unknown = (isUp ? toHub : fromHub)(deepFreeze(jsonClone(given)));
    if (!isObject(result) || !isObject(result.spec)) throw new TypeError("it returned no object with a spec");
    const made = jsonClone(result.status ?? (ownStatus ? undefined : given.status));
    const whole = { ...(isObject(made) ? made : {}), ...engine };
    const hasStatus = isObject(status) || Object.keys(whole).length > 0;
    return { spec: jsonClone(result.spec), ...(hasStatus && { status: whole }) };
  }

  /** What does not come back by itself. Nothing where the way back fails: it will be told when somebody goes it. */
  #lost(converts: Converts, isUp: boolean, parts: ObjectParts, result: ObjectParts) {
    const source = isUp ? converts.schema : this.#options.hub.schema;
    let returned: ObjectParts;
    try {
      returned = this.#run(converts, !isUp, result);
    } catch {
      return [];
    }
    const isValid = [parts, returned].every((each) => source.read(each).problem === undefined);
    return keptFields(parts, returned, (each) => isValid ? source.read(each as ObjectParts).parts : each);
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
