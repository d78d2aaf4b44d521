/** Where control planes are downloaded from. */
export interface EnvtestMirror {
  /** controller-tools' list of releases with each archive's sha512; its links may be relative. */
  readonly indexUrl: string;
  /** Base of Kubernetes' own programs, `release/v1.34.0/bin/linux/amd64/…`, each with a `.sha256` beside it. */
  readonly kubernetesUrl: string;
}

/** The public mirror. */
export const ENVTEST_MIRROR: EnvtestMirror = {
  indexUrl: "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml",
  kubernetesUrl: "https://dl.k8s.io/",
};
