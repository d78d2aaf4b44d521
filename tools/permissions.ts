/**
 * What the binary is allowed to do: the sum of what its commands need, baked in, because flags come before the program.
 * `run` gives back what it does not need as soon as it starts (docs/decisions/006-permissions-of-the-binary.md).
 */
export const PERMISSIONS: readonly string[] = [
  "--allow-env", // settings; libraries ask for variables one by one
  "--allow-net", // the API server, wherever it is; probes and metrics
  "--allow-read", // kubeconfigs and what they name
  "--allow-write", // reports, kubeconfigs, new projects
  "--allow-run", // credential plugins; kind, docker, kubectl, a control plane
];
