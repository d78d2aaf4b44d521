import type { DynamicObject } from "../lib/apimachinery/mod.ts";

/** The names and the scope of a kind. */
export interface KindNames {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  /** `Namespaced` where absent. */
  readonly scope?: string;
}

/** A version of a CRD; `v1`, served and stored, where its fields are absent. */
export interface CrdVersion {
  readonly name?: string;
  readonly served?: boolean;
  readonly storage?: boolean;
  readonly schema: { readonly openAPIV3Schema: object };
  readonly [field: string]: unknown;
}

/** A CustomResourceDefinition that is not made from a declaration of Pintle's. */
export function crdOf(
  { group, kind, plural, scope = "Namespaced" }: KindNames,
  ...versions: CrdVersion[]
): DynamicObject {
  const names = { kind, plural };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names,
      versions: versions.map((each) => ({ name: "v1", served: true, storage: true, ...each })),
    },
  };
}
