/**
 * Rules of built-in kinds that a schema cannot express, as tables: one file per API group, one rule per kind.
 *
 * @module
 */
import type { StatusCause } from "../../apimachinery/mod.ts";
import { causesOf, type Rule } from "./place.ts";
import {
  mutatingPolicy,
  mutatingPolicyBinding,
  validatingPolicy,
  validatingPolicyBinding,
} from "./admission_policies.ts";
import { horizontalPodAutoscaler } from "./autoscaling.ts";
import { cronJob, job } from "./batch.ts";
import {
  apiService,
  certificateSigningRequest,
  csiDriver,
  event,
  flowSchema,
  lease,
  namespace,
  node,
  priorityClass,
  priorityLevel,
  runtimeClass,
} from "./cluster.ts";
import { endpoints, endpointSlice } from "./endpoints.ts";
import { ingress, ingressClass, networkPolicy } from "./networking.ts";
import { pod } from "./pods.ts";
import { podDisruptionBudget } from "./policy.ts";
import { limitRange, resourceQuota } from "./quotas.ts";
import { clusterRole, clusterRoleBinding, role, roleBinding } from "./rbac.ts";
import { service } from "./services.ts";
import { claim, persistentVolume, storageClass } from "./storage.ts";
import { webhookConfiguration } from "./webhooks.ts";
import {
  controllerRevision,
  daemonSet,
  deployment,
  podTemplateObject,
  replicaSet,
  replicationController,
  statefulSet,
} from "./workloads.ts";

/** By resource and group. The schemas of these kinds give types alone. */
const RULES: Readonly<Record<string, Rule>> = {
  "apiservices.apiregistration.k8s.io": apiService,
  "certificatesigningrequests.certificates.k8s.io": certificateSigningRequest,
  "clusterrolebindings.rbac.authorization.k8s.io": clusterRoleBinding,
  "clusterroles.rbac.authorization.k8s.io": clusterRole,
  "csidrivers.storage.k8s.io": csiDriver,
  "endpoints": endpoints,
  "endpointslices.discovery.k8s.io": endpointSlice,
  "events": event,
  "flowschemas.flowcontrol.apiserver.k8s.io": flowSchema,
  "horizontalpodautoscalers.autoscaling": horizontalPodAutoscaler,
  "ingressclasses.networking.k8s.io": ingressClass,
  "ingresses.networking.k8s.io": ingress,
  "leases.coordination.k8s.io": lease,
  "limitranges": limitRange,
  "namespaces": namespace,
  "networkpolicies.networking.k8s.io": networkPolicy,
  "nodes": node,
  "priorityclasses.scheduling.k8s.io": priorityClass,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": priorityLevel,
  "resourcequotas": resourceQuota,
  "rolebindings.rbac.authorization.k8s.io": roleBinding,
  "roles.rbac.authorization.k8s.io": role,
  "runtimeclasses.node.k8s.io": runtimeClass,
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": webhookConfiguration,
  "validatingwebhookconfigurations.admissionregistration.k8s.io": webhookConfiguration,
  "services": service,
  // Its strategy has the rules: they need the schema room.
  "customresourcedefinitions.apiextensions.k8s.io": () => {},
  "controllerrevisions.apps": controllerRevision,
  "cronjobs.batch": cronJob,
  "daemonsets.apps": daemonSet,
  "deployments.apps": deployment,
  "jobs.batch": job,
  "persistentvolumeclaims": claim,
  "persistentvolumes": persistentVolume,
  "poddisruptionbudgets.policy": podDisruptionBudget,
  "pods": pod,
  "podtemplates": podTemplateObject,
  "replicasets.apps": replicaSet,
  "replicationcontrollers": replicationController,
  "statefulsets.apps": statefulSet,
  "storageclasses.storage.k8s.io": storageClass,
  "mutatingadmissionpolicies.admissionregistration.k8s.io": mutatingPolicy,
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": mutatingPolicyBinding,
  "validatingadmissionpolicies.admissionregistration.k8s.io": validatingPolicy,
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": validatingPolicyBinding,
};

/** Faults of an object of a built-in kind; undefined where the kind has no rules here. */
export function builtinCauses(resource: string, object: unknown, old?: unknown): StatusCause[] | undefined {
  return Object.hasOwn(RULES, resource) ? causesOf(RULES[resource]!, object, old) : undefined;
}
