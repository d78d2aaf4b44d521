/** Finds the type of a field. */
export interface Fields {
  get(name: string): Type | undefined;
}

/** CEL's static types. `param` is a type variable, `struct` an object with known fields. */
export interface Type {
  readonly kind:
    | "bool"
    | "bytes"
    | "double"
    | "duration"
    | "dyn"
    | "error"
    | "int"
    | "list"
    | "map"
    | "null"
    | "opaque"
    | "param"
    | "string"
    | "struct"
    | "timestamp"
    | "type"
    | "uint";
  readonly name: string;
  readonly params: readonly Type[];
  /** Of a struct whose fields expressions may select; absent for opaque library types. */
  readonly fields?: Fields;
}

function simple(kind: Type["kind"], name: string = kind): Type {
  return { kind, name, params: [] };
}

export const BOOL = simple("bool"), BYTES = simple("bytes"), DOUBLE = simple("double"), DYN = simple("dyn");
export const DURATION = simple("duration"), ERROR = simple("error", "!error!"), INT = simple("int");
export const NULL = simple("null"), STRING = simple("string"), TIMESTAMP = simple("timestamp"), UINT = simple("uint");

export const SIMPLE_TYPES: readonly Type[] = [
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  DURATION,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  UINT,
];

export function listOf(item: Type): Type {
  return { kind: "list", name: "list", params: [item] };
}

export function mapOf(key: Type, value: Type): Type {
  return { kind: "map", name: "map", params: [key, value] };
}

export function typeOfType(of?: Type): Type {
  return { kind: "type", name: "type", params: of ? [of] : [] };
}

export function optionalOf(value: Type): Type {
  return { kind: "opaque", name: "optional_type", params: [value] };
}

export function paramType(name: string): Type {
  return simple("param", name);
}

export function structType(name: string, fields?: Fields): Type {
  return { kind: "struct", name, params: [], ...(fields && { fields }) };
}

export function opaqueType(name: string): Type {
  return simple("opaque", name);
}

/** The value type of an optional. */
export function optionalValue(type: Type): Type | undefined {
  return type.kind === "opaque" && type.name === "optional_type" ? type.params[0] : undefined;
}

export function isDynamic(type: Type): boolean {
  return type.kind === "dyn" || type.kind === "error";
}

export function formatType(type: Type): string {
  if (type.params.length === 0) return type.name;
  return `${type.name}(${type.params.map(formatType).join(", ")})`;
}

export function sameType(left: Type, right: Type): boolean {
  return left === right ||
    left.kind === right.kind && left.name === right.name && left.params.length === right.params.length &&
      left.params.every((param, index) => sameType(param, right.params[index]!));
}

/** What type variables stand for. */
export class Substitution {
  readonly #bound = new Map<string, Type>();
  /** What the current attempt has changed. */
  #changes: { readonly name: string; readonly before: Type | undefined }[] = [];

  of(type: Type): Type | undefined {
    return type.kind === "param" ? this.#bound.get(type.name) : undefined;
  }

  #bind({ name }: Type, type: Type): void {
    this.#changes.push({ name, before: this.#bound.get(name) });
    this.#bound.set(name, type);
  }

  /** Whether each left type is assignable to its right one. Variables stay bound only if all are. */
  assignable(left: readonly Type[], right: readonly Type[]): boolean {
    this.#changes = [];
    if (this.#allAssignable(left, right)) return true;
    for (const { name, before } of this.#changes.reverse()) {
      if (before) this.#bound.set(name, before);
      else this.#bound.delete(name);
    }
    return false;
  }

  /** `unboundIsDyn`: a free variable becomes dyn. */
  apply(type: Type, unboundIsDyn: boolean): Type {
    const bound = this.of(type);
    if (bound) return this.apply(bound, unboundIsDyn);
    if (type.kind === "param") return unboundIsDyn ? DYN : type;
    if (type.params.length === 0) return type;
    return { ...type, params: type.params.map((param) => this.apply(param, unboundIsDyn)) };
  }

  #allAssignable(left: readonly Type[], right: readonly Type[]): boolean {
    return left.length === right.length && left.every((type, index) => this.#assignable(type, right[index]!));
  }

  #assignable(left: Type, right: Type): boolean {
    if (right.kind === "param") {
      const { valid, bound } = this.#substitutes(left, right);
      if (valid || bound) return valid;
    }
    if (left.kind === "param") return this.#substitutes(right, left).valid;
    if (isDynamic(left) || isDynamic(right)) return true;
    if (left.kind === "null") return isNullable(right);
    if (right.kind === "null") return isNullable(left);
    switch (left.kind) {
      case "type":
        return right.kind === "type";
      case "opaque":
      case "list":
      case "map":
        return left.kind === right.kind && left.name === right.name && this.#allAssignable(left.params, right.params);
      default:
        return left.kind === right.kind && left.name === right.name;
    }
  }

  /** Whether `type` may stand for the variable, and whether another type already does. */
  #substitutes(type: Type, param: Type): { valid: boolean; bound: boolean } {
    if (sameType(type, param)) return { valid: true, bound: true };
    const bound = this.of(param);
    if (bound) {
      if (sameType(type, bound)) return { valid: true, bound: true };
      if (!this.#assignable(type, bound)) return { valid: false, bound: true };
      const general = moreGeneral(type, bound);
      if (this.#absentIn(param, general)) this.#bind(param, general);
      return { valid: true, bound: true };
    }
    if (!this.#absentIn(param, type)) return { valid: false, bound: false };
    this.#bind(param, type);
    return { valid: true, bound: false };
  }

  #absentIn(param: Type, within: Type): boolean {
    if (sameType(param, within)) return false;
    if (within.kind === "param") {
      const bound = this.of(within);
      return !bound || this.#absentIn(param, bound);
    }
    return within.params.every((each) => this.#absentIn(param, each));
  }
}

function isNullable(type: Type): boolean {
  return ["null", "opaque", "struct", "duration", "timestamp"].includes(type.kind);
}

/** The less specific of two types that agree. */
export function moreGeneral(left: Type, right: Type): Type {
  return isLessSpecific(left, right) ? left : right;
}

function isLessSpecific(left: Type, right: Type): boolean {
  if (left.kind === "dyn" || left.kind === "param") return true;
  if (right.kind === "dyn" || right.kind === "param" || left.kind !== right.kind) return false;
  if (left.kind === "type") return true;
  if (left.kind === "opaque" || left.kind === "list" || left.kind === "map") {
    return left.name === right.name && left.params.length === right.params.length &&
      left.params.every((param, index) => isLessSpecific(param, right.params[index]!));
  }
  return sameType(left, right);
}
