/**
 * Dotted paths of fields, as `spec.size`, of at most six keys. They do not lead into lists; records and unknown types
 * take any key. The list maps each depth to the one below.
 */
export type FieldPath<T, Depth extends number = 6> = Depth extends 0 ? never
  : unknown extends T ? string
  : T extends readonly unknown[] ? never
  : T extends object ? string extends keyof T ? string
    : { [K in keyof T & string]-?: K | `${K}.${FieldPath<T[K], [never, 0, 1, 2, 3, 4, 5][Depth]>}` }[keyof T & string]
  : never;

/** The same as lists of keys, for keys that contain a dot. A record takes any key. */
export type FieldKeys<T, Depth extends number = 6> = Depth extends 0 ? never
  : unknown extends T ? readonly [string, ...string[]]
  : T extends readonly unknown[] ? never
  : T extends object ? {
      [K in keyof T & string]-?:
        | readonly [K]
        | readonly [K, ...FieldKeys<T[K], [never, 0, 1, 2, 3, 4, 5][Depth]>];
    }[keyof T & string]
  : never;

/** The value at a dotted path; undefined if the path ends before. */
export type FieldValue<T, Path extends string> = unknown extends T ? unknown
  : T extends object ? Path extends `${infer Key}.${infer Rest}` ? Key extends keyof T ? FieldValue<T[Key], Rest>
      : string extends keyof T ? FieldValue<T[string & keyof T], Rest>
      : undefined
    : Path extends keyof T ? T[Path] | undefined
    : string extends keyof T ? T[string & keyof T] | undefined
    : undefined
  : undefined;
