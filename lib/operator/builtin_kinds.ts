import type { KubeObject, ObjectMeta } from "../apimachinery/object.ts";
import { guessPlural } from "../apimachinery/resource.ts";
import type { ResourceKind } from "../controller/declaration.ts";

/** A Secret. `data` is base64. */
export interface SecretObject extends KubeObject {
  /** What it is for, as `Opaque` (the default) or `kubernetes.io/tls`; cannot be changed. */
  type?: string;
  /** Values in base64, by key; 1 MiB in all. */
  data?: Record<string, string>;
  /** Plain texts that the server merges into `data`; written, never read back. */
  stringData?: Record<string, string>;
  /** True: data cannot be changed any more, nor this taken back. */
  immutable?: boolean;
}

/** A ConfigMap. `binaryData` is base64. */
export interface ConfigMapObject extends KubeObject {
  /** Texts by key; with `binaryData` 1 MiB in all. */
  data?: Record<string, string>;
  /** Bytes in base64, by keys that `data` does not use. */
  binaryData?: Record<string, string>;
  /** True: data cannot be changed any more, nor this taken back. */
  immutable?: boolean;
}

/** A Namespace. */
export interface NamespaceObject extends KubeObject {
  /** Every namespace carries the label `kubernetes.io/metadata.name`. */
  metadata?: ObjectMeta;
  /** `finalizers` are the namespace's own, beside those of its metadata: they hold it until its content is gone. */
  spec?: { finalizers?: string[] };
  /** `Terminating` from the deletion request on: nothing can be created in it any more. */
  status?: { phase?: "Active" | "Terminating" };
}

/** An object of a built-in kind whose fields are not typed here. */
export interface BuiltinObject extends KubeObject {
  /** What is desired, unchecked. */
  spec?: Record<string, unknown>;
  /** What its controller says of it, unchecked. */
  status?: Record<string, unknown>;
}

/**
 * A kind that the cluster brings along, or one that somebody else's CRD defines. The operator never writes its status.
 *
 * @example
 * ```ts
 * import { builtinKind } from "./builtin_kinds.ts";
 * const Certificate = builtinKind({ group: "cert-manager.io", version: "v1", kind: "Certificate" });
 * if (Certificate.plural !== "certificates") throw new Error("guessed from the kind");
 * ```
 */
export function builtinKind<T extends KubeObject = BuiltinObject>(
  options: { group: string; version: string; kind: string; plural?: string; namespaced?: boolean },
): ResourceKind<T, T, Record<string, never>> {
  const { group, version, kind, plural = guessPlural(kind), namespaced = true } = options;
  return { group, version, kind, plural, namespaced, hasStatus: false, parseSpec: (object) => object };
}

const core = <T extends KubeObject = BuiltinObject>(kind: string, namespaced = true) =>
  builtinKind<T>({ group: "", version: "v1", kind, namespaced });
const apps = (kind: string) => builtinKind({ group: "apps", version: "v1", kind });

/** v1 Namespace. */
export const Namespace: ResourceKind<NamespaceObject, NamespaceObject, Record<string, never>> = core(
  "Namespace",
  false,
);
/** v1 Secret. */
export const Secret: ResourceKind<SecretObject, SecretObject, Record<string, never>> = core("Secret");
/** v1 ConfigMap. */
export const ConfigMap: ResourceKind<ConfigMapObject, ConfigMapObject, Record<string, never>> = core("ConfigMap");
/** v1 Service. */
export const Service: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = core("Service");
/** v1 ServiceAccount. */
export const ServiceAccount: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = core("ServiceAccount");
/** v1 Pod. */
export const Pod: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = core("Pod");
/** v1 PersistentVolumeClaim. */
export const PersistentVolumeClaim: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = core(
  "PersistentVolumeClaim",
);
/** apps/v1 Deployment. */
export const Deployment: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = apps("Deployment");
/** apps/v1 StatefulSet. */
export const StatefulSet: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = apps("StatefulSet");
/** apps/v1 DaemonSet. */
export const DaemonSet: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = apps("DaemonSet");
/** batch/v1 Job. */
export const Job: ResourceKind<BuiltinObject, BuiltinObject, Record<string, never>> = builtinKind({
  group: "batch",
  version: "v1",
  kind: "Job",
});
