import { isObject, jsonEqual, setKey } from "../base/mod.ts";

/** A node of a CRD's structural schema. */
export type SpecSchema = Readonly<Record<string, unknown>>;
type Spec = Readonly<Record<string, unknown>>;

/** Takes a field away. */
const ABSENT = Symbol("absent");
/** Fields deeper than this keep their values. */
const DEPTH_MAX = 6;
/** Numbers further from the present one stay untried: nobody needs 10,000 replicas to see that a number is ignored. */
const NEAR = 8;
/** Other values of one field. */
const VALUES_MAX = 6;
/** Keys of a record, and fields of an item, that are changed. */
const ENTRIES_MAX = 3;
/** Neighbours that are changed so that a spec is valid again. */
const REPAIRS_MAX = 200;

interface Edit {
  /** Names of fields down to it; lists are replaced as wholes. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Other specs than `spec`, each with one field changed: left out, empty, partial, at and beside its bounds, other
 * choices, fewer and more items. Where the change alone is not valid, neighbours are added or left out until it is.
 * They are in order of interest: every field once, then every field again. Values that `isValid` refuses come last.
 */
export function otherSpecs(schema: SpecSchema, spec: Spec, isValid: (spec: Spec) => boolean): Spec[] {
  const valid: Spec[] = [], invalid: Spec[] = [];
  const add = (specs: Spec[], found: Spec) => {
    if (!jsonEqual(found, spec) && !specs.some((known) => jsonEqual(known, found))) specs.push(found);
  };
  for (const edit of inTurns(editsOf(schema, spec, []))) {
    const found = edited(spec, edit) as Spec, fitting = isValid(found) ? found : repaired(schema, spec, edit, isValid);
    add(fitting ? valid : invalid, fitting ?? found);
  }
  for (const edit of beyondBounds(schema, spec, [])) add(invalid, edited(spec, edit) as Spec);
  return [...valid, ...invalid];
}

/** Paths of fields that a schema lacks, in a spec or a merge patch of one: an API server prunes them. */
export function unknownFields(schema: SpecSchema, value: unknown, path = "spec"): string[] {
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return [];
  if (Array.isArray(value) && isObject(schema.items)) {
    return value.flatMap((item, nth) => unknownFields(schema.items as SpecSchema, item, `${path}[${nth}]`));
  }
  if (!isObject(value) || !isObject(schema.properties ?? schema.additionalProperties)) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const known = propertiesOf(schema)[name] ?? schema.additionalProperties, field = `${path}.${name}`;
    return known === undefined ? [field] : isObject(known) ? unknownFields(known, each, field) : [];
  });
}

/** The first edit of each field, then the second of each, and so on. */
function inTurns(edits: readonly Edit[]): Edit[] {
  const fields = Map.groupBy(edits, ({ path }) => path.join("/")), turns: Edit[] = [];
  for (let turn = 0; turn < VALUES_MAX; turn++) {
    turns.push(...[...fields.values()].flatMap((field) => field.slice(turn, turn + 1)));
  }
  return turns;
}

function edited(target: unknown, { path: [name, ...path], value }: Edit): unknown {
  if (name === undefined) return value;
  const copy: Record<string, unknown> = isObject(target) ? { ...target } : {};
  const inner = edited(Object.hasOwn(copy, name) ? copy[name] : undefined, { path, value });
  if (inner === ABSENT) delete copy[name];
  else setKey(copy, name, inner);
  return copy;
}

function editsOf(schema: SpecSchema, value: unknown, path: readonly string[]): Edit[] {
  if (path.length > DEPTH_MAX) return [];
  const own = path.length === 0 ? [] : variantsOf(schema, value).map((each) => ({ path, value: each }));
  if (!isObject(value)) return own;
  const fields = Object.entries(propertiesOf(schema)).flatMap(([name, child]) =>
    fieldEdits(child, { value: value[name], path: [...path, name], isRequired: isRequired(schema, name) })
  );
  return [...own, ...fields, ...recordEdits(schema, value, path)];
}

interface Field {
  readonly value: unknown;
  readonly path: readonly string[];
  readonly isRequired: boolean;
}

function fieldEdits(schema: SpecSchema, { value, path, isRequired }: Field): Edit[] {
  if (value === undefined) return samplesOf(schema).map((sample) => ({ path, value: sample }));
  const edits = editsOf(schema, value, path), isLeft = !isRequired && schema.default === undefined;
  return isLeft ? [{ path, value: ABSENT }, ...edits] : edits;
}

/** A record with a key less, a key more, and another value. */
function recordEdits(schema: SpecSchema, value: Spec, path: readonly string[]): Edit[] {
  const values = schema.additionalProperties;
  if (!isObject(values)) return [];
  const keys = Object.keys(value).slice(0, ENTRIES_MAX), [sample] = samplesOf(values);
  return [
    ...keys.map((key) => ({ path: [...path, key], value: ABSENT })),
    ...(sample === undefined ? [] : [{ path: [...path, "other"], value: sample }]),
    ...keys.flatMap((key) => editsOf(values, value[key], [...path, key])),
  ];
}

/** Other values in place of `value`. */
function variantsOf(schema: SpecSchema, value: unknown): unknown[] {
  if (Array.isArray(schema.enum)) return schema.enum.filter((each) => !jsonEqual(each, value)).slice(0, VALUES_MAX);
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return numbersNear(schema, value);
  if (typeof value === "string") return textsNear(schema, value);
  if (Array.isArray(value)) return listsNear(schema, value);
  return isObject(value) ? partsOf(schema, value) : [];
}

function numbersNear(schema: SpecSchema, value: number): number[] {
  const { minimum, maximum } = boundsOf(schema), step = stepOf(schema);
  const wanted = [minimum ?? 0, value + step, value - step, 0, maximum, minimum === undefined ? -1 : undefined];
  return distinct(wanted.filter((each) => each !== undefined)).filter((each) =>
    each !== value && fits(schema, each) && Math.abs(each - value) <= Math.max(NEAR * step, value)
  );
}

function stepOf({ multipleOf, type }: SpecSchema): number {
  return typeof multipleOf === "number" ? multipleOf : type === "number" ? 0.5 : 1;
}

function boundsOf(schema: SpecSchema): { readonly minimum?: number; readonly maximum?: number } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<string, number | undefined>;
  const step = stepOf(schema);
  return {
    minimum: minimum === undefined ? undefined : exclusiveMinimum ? minimum + step : minimum,
    maximum: maximum === undefined ? undefined : exclusiveMaximum ? maximum - step : maximum,
  };
}

function fits(schema: SpecSchema, value: number): boolean {
  const { minimum = -Infinity, maximum = Infinity } = boundsOf(schema);
  return value >= minimum && value <= maximum && Number.isInteger(Math.round(value / stepOf(schema) * 1e6) / 1e6);
}

/** A number in the text is raised and lowered, as in `nginx:1.2`, `10Gi` or `30s`; other text gets an ending. */
function textsNear(schema: SpecSchema, value: string): string[] {
  const count = (by: number) =>
    value.replace(/\d+(?=\D*$)/, (digits) => `${Math.max(0, Number(digits) + by)}`.padStart(digits.length, "0"));
  return distinct([count(1), `${value}-2`, "", count(-1), value.slice(0, -1)]).filter((each) =>
    each !== value && textFits(schema, each)
  ).slice(0, VALUES_MAX);
}

function textFits({ minLength = 0, maxLength = Infinity, pattern }: SpecSchema, text: string): boolean {
  return text.length >= Number(minLength) && text.length <= Number(maxLength) &&
    (typeof pattern !== "string" || new RegExp(pattern, "u").test(text));
}

/** Empty, one item fewer, one more, and the first item changed. */
function listsNear(schema: SpecSchema, value: readonly unknown[]): unknown[] {
  const { minItems = 0, maxItems = Infinity } = schema, items = isObject(schema.items) ? schema.items : {};
  const more = value.length === 0 ? samplesOf(items)[0] : another(items, value.at(-1));
  const firsts = value.length === 0 ? [] : inTurns(fieldEdits(items, { value: value[0], path: [], isRequired: true }))
    .slice(0, ENTRIES_MAX).map((edit) => [edited(value[0], edit), ...value.slice(1)]);
  return [[], value.slice(0, -1), ...(more === undefined ? [] : [[...value, more]]), ...firsts].filter((list) =>
    list.length >= Number(minItems) && list.length <= Number(maxItems) && !jsonEqual(list, value)
  );
}

/** An item beside `item`: the same, with another name where items have names. */
function another(schema: SpecSchema, item: unknown): unknown {
  if (!isObject(item)) return variantsOf(schema, item)[0];
  const fields = Object.entries(propertiesOf(schema)).map(([name, child]) => {
    const isOwn = typeof item[name] === "string" || typeof item[name] === "number";
    return [name, isOwn && !Array.isArray(child.enum) ? variantsOf(child, item[name])[0] ?? item[name] : item[name]];
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** An object with nothing but what it needs, and with each one of its other fields. */
function partsOf(schema: SpecSchema, value: Spec): Spec[] {
  if (isObject(schema.additionalProperties)) return [{}];
  const needed = Object.fromEntries(Object.entries(value).filter(([name]) => isRequired(schema, name)));
  const optional = Object.entries(value).filter(([name]) => !isRequired(schema, name)).slice(0, ENTRIES_MAX);
  return [needed, ...optional.map(([name, each]) => ({ ...needed, [name]: each }))];
}

/** Texts of JSON Schema's formats. */
const FORMATS: Readonly<Record<string, string>> = {
  "cidrv4": "10.0.0.0/8",
  "date": "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  "duration": "1h",
  "email": "a@example.com",
  "hostname": "example.com",
  "ipv4": "10.0.0.1",
  "ipv6": "::1",
  "uri": "https://example.com/",
  "uuid": "8f14e45f-ceea-467f-9f6a-3c9a8b2f1d10",
};
/** What texts of unknown patterns look like. */
const TEXTS = [
  "a",
  "1",
  "2Gi",
  "30s",
  "1.2.3",
  "v1",
  "nginx:1.27",
  "*/5 * * * *",
  "abcdefgh",
  "abcdefghijklmnop",
  ...Object.values(FORMATS),
];

/** Values for a field that is absent now. */
function samplesOf(schema: SpecSchema): unknown[] {
  if (Array.isArray(schema.enum)) return schema.enum.slice(0, ENTRIES_MAX);
  if (schema["x-kubernetes-int-or-string"]) return [1];
  switch (schema.type) {
    case "boolean":
      return [true, false];
    case "integer":
    case "number": {
      const { minimum, maximum = Infinity } = boundsOf(schema), step = stepOf(schema);
      const low = minimum ?? Math.min(0, maximum);
      return [low + step, low].filter((each) => fits(schema, each));
    }
    case "string":
      return [FORMATS[`${schema.format}`] ?? TEXTS.find((each) => textFits(schema, each)), ""].filter((each) =>
        each !== undefined && textFits(schema, each)
      );
    case "array": {
      const [item] = samplesOf(isObject(schema.items) ? schema.items : {});
      return [...(item === undefined ? [] : [[item]]), ...(schema.minItems ? [] : [[]])];
    }
    case "object":
      return objectSamples(schema);
    default:
      return [];
  }
}

function objectSamples(schema: SpecSchema): Spec[] {
  if (isObject(schema.additionalProperties)) {
    const [value] = samplesOf(schema.additionalProperties);
    return [...(value === undefined ? [] : [{ other: value }]), {}];
  }
  const sampled = Object.entries(propertiesOf(schema)).map(([name, child]) => [name, samplesOf(child)[0]] as const);
  const whole = Object.fromEntries(sampled.filter(([, value]) => value !== undefined));
  return [whole, ...partsOf(schema, whole)].filter((each, index, all) =>
    all.findIndex((other) => jsonEqual(each, other)) === index
  );
}

/** A number beside each bound, an unknown choice, and a required field left out. */
function beyondBounds(schema: SpecSchema, value: unknown, path: readonly string[]): Edit[] {
  if (path.length > DEPTH_MAX) return [];
  const { minimum, maximum } = boundsOf(schema), step = stepOf(schema);
  const wrong = Array.isArray(schema.enum)
    ? ["no-such-choice"]
    : [minimum === undefined ? undefined : minimum - step, maximum === undefined ? undefined : maximum + step];
  const own = wrong.filter((each) => each !== undefined).map((each) => ({ path, value: each }));
  if (!isObject(value)) return own;
  return [
    ...own,
    ...Object.entries(propertiesOf(schema)).flatMap(([name, child]) => [
      ...(isRequired(schema, name) ? [{ path: [...path, name], value: ABSENT }] : []),
      ...beyondBounds(child, value[name], [...path, name]),
    ]),
  ];
}

/** The edit with neighbours changed so that the whole is valid: another case of a union has other fields. */
function repaired(schema: SpecSchema, spec: Spec, edit: Edit, isValid: (spec: Spec) => boolean): Spec | undefined {
  const own = edit.path.at(-1)!, at = edit.path.slice(0, -1), parent = valueAt(spec, at), node = schemaAt(schema, at);
  if (!isObject(parent) || !node) return undefined;
  const siblings = Object.entries(propertiesOf(node)).filter(([name]) => name !== own);
  const present = siblings.filter(([name]) => parent[name] !== undefined).map(([name]) => [name, parent[name]]);
  const samples = siblings.flatMap(([name, child]) => samplesOf(child).slice(0, 1).map((sample) => [name, sample]));
  const kept = present.filter(([name]) => isRequired(node, name as string));
  const bare = Object.fromEntries(edit.value === ABSENT ? kept : [...kept, [own, edit.value]]);
  const whole = Object.fromEntries(edit.value === ABSENT ? present : [...present, [own, edit.value]]);
  const added = [...present, ...samples], tries: object[] = [];
  for (const base of [whole, bare]) {
    tries.push(base);
    for (const [name] of base === whole ? present : []) {
      tries.push(Object.fromEntries(Object.entries(whole).filter(([each]) => each !== name)));
    }
    for (const [index, one] of added.entries()) {
      tries.push({ ...base, ...Object.fromEntries([one]) });
      for (const two of added.slice(index + 1)) tries.push({ ...base, ...Object.fromEntries([one, two]) });
    }
  }
  for (const value of tries.slice(0, REPAIRS_MAX)) {
    const found = edited(spec, { path: at, value }) as Spec;
    if (isValid(found)) return found;
  }
  return undefined;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, name) => isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined, value);
}

function schemaAt(schema: SpecSchema, path: readonly string[]): SpecSchema | undefined {
  return path.reduce<SpecSchema | undefined>((node, name) => {
    const child = node && (propertiesOf(node)[name] ?? node.additionalProperties);
    return isObject(child) ? child : undefined;
  }, schema);
}

function propertiesOf({ properties }: SpecSchema): Readonly<Record<string, SpecSchema>> {
  return isObject(properties) ? properties as Record<string, SpecSchema> : {};
}

function isRequired({ required }: SpecSchema, name: string): boolean {
  return Array.isArray(required) && required.includes(name);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
