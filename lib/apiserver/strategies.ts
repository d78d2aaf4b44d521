import type { ResourceType } from "./resource_type.ts";
import type { Strategy } from "./strategy.ts";
import { configMapStrategy } from "./strategy_config_map.ts";
import { claimStrategy, persistentVolumeStrategy, priorityClassStrategy } from "./strategy_cluster.ts";
import { crdStrategy } from "./strategy_crd.ts";
import { namespaceStrategy } from "./strategy_namespace.ts";
import { secretStrategy } from "./strategy_secret.ts";
import { serviceStrategy } from "./strategy_service.ts";
import { daemonSetStrategy, jobStrategy, podStrategy } from "./strategy_workload.ts";

const BY_RESOURCE: Readonly<Record<string, Strategy>> = {
  configmaps: configMapStrategy,
  namespaces: namespaceStrategy,
  pods: podStrategy,
  secrets: secretStrategy,
  services: serviceStrategy,
  "customresourcedefinitions.apiextensions.k8s.io": crdStrategy,
  "persistentvolumeclaims": claimStrategy,
  "persistentvolumes": persistentVolumeStrategy,
  "priorityclasses.scheduling.k8s.io": priorityClassStrategy,
  "daemonsets.apps": daemonSetStrategy,
  "jobs.batch": jobStrategy,
};

const NONE: Strategy = {};

export function strategyOf(resource: string): Strategy {
  return Object.hasOwn(BY_RESOURCE, resource) ? BY_RESOURCE[resource]! : NONE;
}

/** All custom resources have generations. */
const WITH_GENERATION = new Set([
  "pods",
  "replicationcontrollers",
  "daemonsets.apps",
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "horizontalpodautoscalers.autoscaling",
  "cronjobs.batch",
  "jobs.batch",
  "customresourcedefinitions.apiextensions.k8s.io",
  "ingressclasses.networking.k8s.io",
  "ingresses.networking.k8s.io",
  "flowschemas.flowcontrol.apiserver.k8s.io",
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
  "networkpolicies.networking.k8s.io",
  "poddisruptionbudgets.policy",
  "endpointslices.discovery.k8s.io",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "mutatingadmissionpolicies.admissionregistration.k8s.io",
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
]);

export function countsGenerations(type: ResourceType, resource: string): boolean {
  return !type.builtin || WITH_GENERATION.has(resource);
}

/** Updates have to name the version that they change. */
const WITH_VERSION = new Set([
  "leases.coordination.k8s.io",
  "poddisruptionbudgets.policy",
  "runtimeclasses.node.k8s.io",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "mutatingadmissionpolicies.admissionregistration.k8s.io",
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
]);

export function needsVersion(resource: string): boolean {
  return WITH_VERSION.has(resource);
}

/** Deletion answers with the object instead of a Status. */
const RETURNS_DELETED_OBJECT = new Set([
  "pods",
  "services",
  "serviceaccounts",
  "persistentvolumes",
  "persistentvolumeclaims",
  "podtemplates",
  "resourcequotas",
]);

export function answersDeletedObject(resource: string): boolean {
  return RETURNS_DELETED_OBJECT.has(resource);
}

/** Two kinds keep their oldest version's behaviour. */
export function defaultPropagation(resource: string): "Background" | "Orphan" {
  return resource === "jobs.batch" || resource === "replicationcontrollers" ? "Orphan" : "Background";
}
