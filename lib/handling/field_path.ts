/** How many more keys a path may have. */
type Fewer = [never, 0, 1, 2, 3, 4, 5];

/** Paths of at most `Depth` keys into a value: lists have none, and records and values of unknown type take any key. */
type PathsOf<V, Depth extends number> = Depth extends 0 ? never
  : unknown extends V ? string
  : NonNullable<V> extends readonly unknown[] ? never
  : NonNullable<V> extends object ? string extends keyof NonNullable<V> ? string
    : {
      [K in keyof NonNullable<V> & string]: K | `${K}.${PathsOf<NonNullable<V>[K], Fewer[Depth]>}`;
    }[keyof NonNullable<V> & string]
  : never;

/** Dotted paths of an object's fields, as `spec.size`: six keys at most. They do not lead into lists. */
export type FieldPath<T> = PathsOf<T, 6>;

/** The value at a dotted path; undefined where the path ends before. */
export type FieldValue<T, Path extends string> = unknown extends T ? unknown
  : Path extends `${infer Key}.${infer Rest}` ? FieldValue<ValueUnder<T, Key>, Rest>
  : ValueUnder<T, Path> | undefined;

type ValueUnder<T, Key extends string> = Key extends keyof NonNullable<T> ? NonNullable<T>[Key]
  : string extends keyof NonNullable<T> ? NonNullable<T>[string & keyof NonNullable<T>]
  : unknown;
