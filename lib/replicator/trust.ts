import { matchesGlobs } from "../client.ts";
import type { NamespaceObject } from "./copied_kinds.ts";

/** Annotation of a Namespace: globs of the namespaces whose Replications may write into it, separated by commas. */
export const ACCEPT_ANNOTATION = "pintle.dev/accept-from";

/**
 * Longest value of {@linkcode ACCEPT_ANNOTATION} that is read: a longer one accepts nothing, as a part of it could
 * accept too much.
 */
export const ACCEPT_LENGTH_MAX = 16_384;

/**
 * Names that no copy may have: controllers publish an object of this name in every namespace, and pods trust what it
 * holds. Kubernetes' root CA publisher, OpenShift's service CA operator and istiod are those controllers.
 */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "kube-root-ca.crt",
  "openshift-service-ca.crt",
  "istio-ca-root-cert",
]);

/** What an administrator decides about where Replications may write. */
export interface TrustSettings {
  /** Globs of namespaces that never get a copy. */
  readonly protectedNamespaces: readonly string[];
  /** Globs of namespaces whose Replications may write to every namespace, and may adopt. None where empty. */
  readonly trustedNamespaces: readonly string[];
  /** The namespace in which the operator runs: it never gets a copy. */
  readonly operatorNamespace: string;
}

/** Whether the administrator trusts the Replications of `namespace`. */
export function isTrusted(namespace: string, { trustedNamespaces }: Pick<TrustSettings, "trustedNamespaces">): boolean {
  return trusts(trustedNamespaces, namespace);
}

/** Whether a Namespace accepts copies from the Replications of `namespace`. */
export function accepts({ metadata }: NamespaceObject, namespace: string): boolean {
  return trusts(acceptedGlobs(metadata?.annotations), namespace);
}

/**
 * Trust has to be given: a list of nothing but exclusions trusts no namespace, though as targets it means all others.
 */
function trusts(globs: readonly string[], namespace: string): boolean {
  return globs.some((glob) => !glob.startsWith("!")) && matchesGlobs(globs, namespace);
}

/** The globs of {@linkcode ACCEPT_ANNOTATION}; none where it is absent. */
export function acceptedGlobs(annotations: Readonly<Record<string, string>> = {}): string[] {
  const text = Object.hasOwn(annotations, ACCEPT_ANNOTATION) ? annotations[ACCEPT_ANNOTATION]! : "";
  if (text.length > ACCEPT_LENGTH_MAX) return [];
  return text.split(",").map((glob) => glob.trim()).filter((glob) => glob !== "");
}

/** Why `namespace` never gets a copy, or undefined where it may. */
export function protection(
  namespace: string,
  { protectedNamespaces, operatorNamespace }: TrustSettings,
): string | undefined {
  if (namespace === operatorNamespace) return "is the operator's own namespace";
  return matchesGlobs(protectedNamespaces, namespace) ? "is protected (PINTLE_PROTECTED_NAMESPACES)" : undefined;
}

/** Whether no copy may have this name. */
export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name);
}

/** What an administrator, or an owner of `target`, does so that Replications of `namespace` may write there. */
export function trustAdvice(namespace: string, target: string): string {
  return `an administrator adds ${namespace} to the operator's PINTLE_TRUSTED_NAMESPACES, or an owner of ${target} runs ` +
    `\`kubectl annotate namespace ${target} ${ACCEPT_ANNOTATION}=${namespace}\``;
}
