import { matchesGlobs } from "../client.ts";
import type { NamespaceObject } from "./copied_kinds.ts";

/** Annotation of a Namespace: globs of namespaces whose Replications may write into it, separated by commas. */
export const ACCEPT_ANNOTATION = "pintle.dev/accept-from";

/** Longest {@linkcode ACCEPT_ANNOTATION} read. A longer one accepts nothing: a part of it could accept too much. */
export const ACCEPT_LENGTH_MAX = 16_384;

/**
 * Names that no copy may have: controllers publish them in every namespace, and pods trust the content. The controllers
 * are Kubernetes' root CA publisher, OpenShift's service CA operator and istiod.
 */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "kube-root-ca.crt",
  "openshift-service-ca.crt",
  "istio-ca-root-cert",
]);

/** The administrator's decisions about where Replications may write. */
export interface TrustSettings {
  /** Globs of namespaces that never get a copy. */
  readonly protectedNamespaces: readonly string[];
  /** Globs of namespaces whose Replications may adopt, and write to every namespace. None if empty. */
  readonly trustedNamespaces: readonly string[];
  /** The operator's namespace, which never gets a copy. */
  readonly operatorNamespace: string;
}

export function isTrusted(namespace: string, { trustedNamespaces }: Pick<TrustSettings, "trustedNamespaces">): boolean {
  return trusts(trustedNamespaces, namespace);
}

export function accepts({ metadata }: NamespaceObject, namespace: string): boolean {
  return trusts(acceptedGlobs(metadata?.annotations), namespace);
}

/** Trust must be given: a list of only exclusions trusts no namespace, though as targets it means all others. */
function trusts(globs: readonly string[], namespace: string): boolean {
  return globs.some((glob) => !glob.startsWith("!")) && matchesGlobs(globs, namespace);
}

export function acceptedGlobs(annotations: Readonly<Record<string, string>> = {}): string[] {
  const text = Object.hasOwn(annotations, ACCEPT_ANNOTATION) ? annotations[ACCEPT_ANNOTATION]! : "";
  if (text.length > ACCEPT_LENGTH_MAX) return [];
  return text.split(",").map((glob) => glob.trim()).filter((glob) => glob !== "");
}

/** Why `namespace` never gets a copy, if so. */
export function protection(
  namespace: string,
  { protectedNamespaces, operatorNamespace }: TrustSettings,
): string | undefined {
  if (namespace === operatorNamespace) return "is the operator's own namespace";
  return matchesGlobs(protectedNamespaces, namespace) ? "is protected (PINTLE_PROTECTED_NAMESPACES)" : undefined;
}

export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name);
}

/** How an administrator, or `target`'s owner, lets Replications of `namespace` write there. */
export function trustAdvice(namespace: string, target: string): string {
  return `an administrator adds ${namespace} to the operator's PINTLE_TRUSTED_NAMESPACES, or an owner of ${target} runs ` +
    `\`kubectl annotate namespace ${target} ${ACCEPT_ANNOTATION}=${namespace}\``;
}
