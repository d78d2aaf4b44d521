/** Where control planes are downloaded from. */
export interface EnvtestMirror {
  /** controller-tools' list of releases with the sha512 of each archive; links in it may be relative to it. */
  readonly indexUrl: string;
  /** Below it Kubernetes' own programs are, as `release/v1.34.0/bin/linux/amd64/…`, each with a `.sha256` beside it. */
  readonly kubernetesUrl: string;
}

/** Where everybody gets them from. */
export const ENVTEST_MIRROR: EnvtestMirror = {
  indexUrl: "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml",
  kubernetesUrl: "https://dl.k8s.io/",
};
