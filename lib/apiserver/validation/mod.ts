/**
 * Rules of built-in kinds that a schema cannot express, as tables: one file per API group, one rule per kind.
 *
 * @module
 */
import type { StatusCause } from "../../apimachinery/mod.ts";
import { causesOf, type Rule } from "./place.ts";
import { validatingPolicy, validatingPolicyBinding } from "./admission_policies.ts";
import { cronJob, job } from "./batch.ts";
import { pod } from "./pods.ts";
import { podDisruptionBudget } from "./policy.ts";
import { claim, persistentVolume, storageClass } from "./storage.ts";
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
  "validatingadmissionpolicies.admissionregistration.k8s.io": validatingPolicy,
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": validatingPolicyBinding,
};

/** Faults of an object of a built-in kind; undefined where the kind has no rules here. */
export function builtinCauses(resource: string, object: unknown, old?: unknown): StatusCause[] | undefined {
  return Object.hasOwn(RULES, resource) ? causesOf(RULES[resource]!, object, old) : undefined;
}
