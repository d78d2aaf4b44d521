import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject, jsonEqual, ownValue } from "../../base/mod.ts";

/** Checks what is at a place, and reports faults there. */
export type Rule = (at: Place) => unknown;

/**
 * A value within an object under validation. As in Go, an absent text is empty, an absent number 0, an absent list
 * without items. Reports in the words of apimachinery's `field.Error`.
 */
export class Place {
  readonly #causes: StatusCause[];

  /** `old`: the same place of the live object. */
  constructor(
    readonly value: unknown,
    readonly old: unknown,
    readonly path: string,
    readonly root: { readonly isUpdate: boolean; readonly causes: StatusCause[] },
  ) {
    this.#causes = root.causes;
  }

  get isUpdate(): boolean {
    return this.root.isUpdate;
  }

  /** It is not the zero value of Go's type. */
  get isSet(): boolean {
    const { value } = this;
    if (value === undefined || value === null || value === "" || value === 0 || value === false) return false;
    return Array.isArray(value) ? value.length > 0 : !isObject(value) || Object.keys(value).length > 0;
  }

  get isPresent(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  get text(): string {
    return typeof this.value === "string" ? this.value : "";
  }

  get number(): number {
    return typeof this.value === "number" || typeof this.value === "bigint" ? Number(this.value) : 0;
  }

  get isChanged(): boolean {
    return !jsonEqual(this.value ?? null, this.old ?? null);
  }

  field(name: string): Place {
    return this.#child(name, this.path === "" ? name : `${this.path}.${name}`);
  }

  key(name: string): Place {
    return this.#child(name, `${this.path}[${name}]`);
  }

  get keys(): string[] {
    return isObject(this.value) ? Object.keys(this.value) : [];
  }

  /** Items of a list; the live object's item of the same index is `old`. */
  get items(): Place[] {
    const { value, old } = this, former = Array.isArray(old) ? old : [];
    if (!Array.isArray(value)) return [];
    return value.map((item, index) => new Place(item, former[index], `${this.path}[${index}]`, this.root));
  }

  /** Fields that differ from the live object's. */
  get changedFields(): string[] {
    const former = isObject(this.old) ? Object.keys(this.old) : [];
    return [...new Set([...this.keys, ...former])].filter((name) => this.field(name).isChanged);
  }

  /** The same value under another path, where kube-apiserver names that one. */
  renamed(path: string): Place {
    return new Place(this.value, this.old, path, this.root);
  }

  invalid(why: string, value: unknown = this.value): void {
    const shown = value === undefined ? "null" : formatJson(value);
    this.#report("FieldValueInvalid", `Invalid value: ${shown}${why === "" ? "" : `: ${why}`}`);
  }

  /** Invalid, without showing the value. */
  fault(why: string): void {
    this.#report("FieldValueInvalid", `Invalid value: ${why}`);
  }

  required(why: string = ""): void {
    this.#report("FieldValueRequired", `Required value${why === "" ? "" : `: ${why}`}`);
  }

  forbidden(why: string): void {
    this.#report("FieldValueForbidden", why === "" ? "Forbidden" : `Forbidden: ${why}`);
  }

  /** In the order given: kube-apiserver sorts some lists and leaves others. */
  unsupported(supported: readonly string[], value: unknown = this.value): void {
    const list = supported.map((item) => formatJson(item)).join(", ");
    this.#report("FieldValueNotSupported", `Unsupported value: ${formatJson(value)}: supported values: ${list}`);
  }

  duplicate(value: unknown = this.value): void {
    this.#report("FieldValueDuplicate", `Duplicate value: ${formatJson(value)}`);
  }

  notFound(value: unknown = this.value, why: string = ""): void {
    this.#report("FieldValueNotFound", `Not found: ${formatJson(value)}${why === "" ? "" : `: ${why}`}`);
  }

  tooLong(bytesMax: number): void {
    this.#report("FieldValueTooLong", `Too long: may not be more than ${bytesMax} bytes`);
  }

  tooMany(count: number, max: number): void {
    this.#report("FieldValueTooMany", `Too many: ${count}: must have at most ${max} items`);
  }

  #child(name: string, path: string): Place {
    const own = (of: unknown) => (isObject(of) ? ownValue(of, name) : undefined);
    return new Place(own(this.value), own(this.old), path, this.root);
  }

  #report(reason: string, message: string): void {
    this.#causes.push({ reason, message, field: this.path });
  }
}

/** Faults of an object; `old` is the live one of an update. */
export function causesOf(rule: Rule, object: unknown, old?: unknown): StatusCause[] {
  const causes: StatusCause[] = [];
  rule(new Place(object, old, "", { isUpdate: old !== undefined, causes }));
  return causes;
}

/** All rules at one place, in order. */
export function all(...rules: readonly Rule[]): Rule {
  return (at) => rules.forEach((rule) => rule(at));
}

/** Rules for fields of a struct; `a.b` leads into a struct that may be absent. */
export function fields(table: Readonly<Record<string, Rule | readonly Rule[]>>): Rule {
  const rows = Object.entries(table).map(([path, rules]) => ({ names: path.split("."), rules: [rules].flat() }));
  return (at) => {
    for (const { names, rules } of rows) {
      const place = names.reduce((parent, name) => parent.field(name), at);
      for (const rule of rules) rule(place);
    }
  };
}

/** Rules for each item of a list. */
export function each(...rules: readonly Rule[]): Rule {
  return (at) => at.items.forEach((item) => rules.forEach((rule) => rule(item)));
}

/** Rules for a value that is there: Go's pointer is not nil. */
export function present(...rules: readonly Rule[]): Rule {
  return (at) => {
    if (at.isPresent) rules.forEach((rule) => rule(at));
  };
}

/** Rules for a value that is not Go's zero value. */
export function set(...rules: readonly Rule[]): Rule {
  return (at) => {
    if (at.isSet) rules.forEach((rule) => rule(at));
  };
}

/** Refuses Go's zero value. */
export function required(why: string = ""): Rule {
  return (at) => !at.isSet && at.required(why);
}

/** Refuses any other text, the empty one too. */
export function oneOf(...supported: readonly string[]): Rule {
  return (at) => !supported.includes(at.text) && at.unsupported(supported, at.text);
}

/** Bounds of a number, with the message of the violated one. */
export function within(min: number, max: number, why: string = `must be between ${min} and ${max}, inclusive`): Rule {
  return (at) => (at.number < min || at.number > max) && at.invalid(why, at.number);
}

export function nonNegative(at: Place): void {
  if (at.number < 0) at.invalid("must be greater than or equal to 0", at.number);
}

/** Refuses any change. */
export function immutable(why: string = "field is immutable"): Rule {
  return (at) => at.isUpdate && at.isChanged && at.invalid(why, at.value ?? null);
}
