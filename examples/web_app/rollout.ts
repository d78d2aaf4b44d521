import type { Deployment, ObjectOf } from "@pintle/pintle";

/** What an app's `Ready` condition says of its Deployment. */
export function rolloutOf(
  { metadata, spec, status = {} }: ObjectOf<typeof Deployment>,
): { status: boolean; reason: string; message: string } {
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  const wanted = spec?.replicas ?? 1, ready = Math.min(updatedReplicas, availableReplicas);
  const failure = conditions.find(({ type, status }) => type === "Progressing" && status === "False");
  // A status of an earlier generation says nothing about the present one.
  if (observedGeneration < (metadata?.generation ?? 1)) {
    return { status: false, reason: "RollingOut", message: "the Deployment has changed" };
  }
  if (failure) return { status: false, reason: "RolloutFailed", message: failure.message ?? "" };
  if (ready < wanted) return { status: false, reason: "RollingOut", message: `${ready} of ${wanted} pods are ready` };
  return { status: true, reason: "Available", message: `${wanted} of ${wanted} pods are ready` };
}
