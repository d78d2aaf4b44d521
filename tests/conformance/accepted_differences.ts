/** Scripts whose answers differ, by area: a script's name, and why. One that agrees has to be struck. */
export const ACCEPTED_DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  custom_resources: {
    "embedded resource": "warnings about fields of embedded resources come in another order",
  },
  builtin_defaults: {},
  discovery: {
    "the OpenID configuration": "the key that signs tokens is elliptic, which a cluster's may be too",
    "the keys that sign tokens": "the key that signs tokens is elliptic, which a cluster's may be too",
  },
  builtin_workloads: {
    "StatefulSet, spec.volumeClaimTemplates changed to []": "an empty list that Go omits is null in messages",
  },
  builtin_objects: {
    "Ingress with spec.rules []": "an empty list that Go omits is null in messages",
  },
};
