import type { DesiredOf, PersistentVolumeClaim, StatefulSet } from "@pintle/pintle";

type SetSpec = NonNullable<DesiredOf<typeof StatefulSet>["spec"]>;
type ClaimSpec = NonNullable<DesiredOf<typeof PersistentVolumeClaim>["spec"]>;

/** What the pods of every tested operator run. */
export const podSpec: { readonly containers: { name: string; image: string }[] } = {
  containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }],
};

/** A StatefulSet's spec, for pods with the label `app`. */
export function statefulSetSpec(app: string, replicas: number, storage = "1Gi"): SetSpec {
  const labels = { app };
  return {
    replicas,
    serviceName: app,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec },
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec(storage) }],
  };
}

/** The spec of a claim of so much storage. */
export function claimSpec(storage = "1Gi"): ClaimSpec {
  return { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } };
}
