/** For each depth the one below. */
type Fewer = [never, 0, 1, 2, 3, 4, 5];

/**
 * Dotted paths of an object's fields, as `spec.size`: six keys at most. They do not lead into lists; records and values of unknown type
 * take any key.
 */
export type FieldPath<T, Depth extends number = 6> = Depth extends 0 ? never
  : unknown extends T ? string
  : NonNullable<T> extends readonly unknown[] ? never
  : NonNullable<T> extends object ? string extends keyof NonNullable<T> ? string
    : {
      [K in keyof NonNullable<T> & string]: K | `${K}.${FieldPath<NonNullable<T>[K], Fewer[Depth]>}`;
    }[keyof NonNullable<T> & string]
  : never;

/** The value at a dotted path; undefined where the path ends before. */
export type FieldValue<T, Path extends string> = unknown extends T ? unknown
  : Path extends `${infer Key}.${infer Rest}` ? Key extends keyof NonNullable<T> ? FieldValue<NonNullable<T>[Key], Rest>
    : string extends keyof NonNullable<T> ? FieldValue<NonNullable<T>[string & keyof NonNullable<T>], Rest>
    : unknown
  : Path extends keyof NonNullable<T> ? NonNullable<T>[Path] | undefined
  : string extends keyof NonNullable<T> ? NonNullable<T>[string & keyof NonNullable<T>] | undefined
  : unknown;
