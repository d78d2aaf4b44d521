import { choice, duration, integer, type Setting, type SettingValues, text } from "./setting.ts";

/** Settings of `test`. `config` lists them too; only this command has them as flags. */
export const TEST_SETTINGS = {
  testCluster: choice({
    env: "PINTLE_TEST_CLUSTER",
    flag: "cluster",
    default: "embedded",
    description:
      "Where scenarios run: in this process, a real control plane, a kind cluster, or the kubeconfig's context",
  }, ["embedded", "envtest", "kind", "current"]),
  testParallelMax: integer({
    env: "PINTLE_TEST_PARALLEL",
    flag: "parallel",
    default: "4",
    description: "Scenarios at the same time; one where they share a cluster and the operator runs in this process",
  }, { min: 1, max: 64 }),
  testWaitMsMax: duration({
    env: "PINTLE_TEST_WAIT",
    flag: "wait",
    default: "60s",
    description: "How long to wait for an expectation before it fails",
  }),
  testSeed: integer({
    env: "PINTLE_TEST_SEED",
    flag: "seed",
    default: "0",
    description: "Seed of the operator's randomness, to repeat a run; 0 picks a new one and prints it",
  }, { min: 0, max: 2 ** 31 - 1 }),
  testAssets: text({
    env: "PINTLE_TEST_ASSETS",
    flag: "assets",
    default: "",
    description:
      "Folder with etcd, kube-apiserver, kube-controller-manager; if empty KUBEBUILDER_ASSETS, then setup-envtest's folder",
  }, "FOLDER"),
  testEnvtestIndex: text({
    env: "PINTLE_TEST_ENVTEST_INDEX",
    flag: "envtest-index",
    default: "",
    description:
      "URL of the list of envtest archives for --download, such as a mirror's; controller-tools' list if empty",
  }, "URL"),
  testKubernetesUrl: text({
    env: "PINTLE_TEST_KUBERNETES_URL",
    flag: "kubernetes-url",
    default: "",
    description: "URL from which --download gets kube-controller-manager, which the archives lack; dl.k8s.io if empty",
  }, "URL"),
  testKindName: text({
    env: "PINTLE_TEST_KIND_NAME",
    flag: "kind-name",
    default: "pintle-test",
    description: "Name of the kind cluster",
  }, "NAME"),
  testNodeImage: text({
    env: "PINTLE_TEST_NODE_IMAGE",
    flag: "node-image",
    default: "",
    description: "Node image of the kind cluster; if empty KIND_NODE_IMAGE, then kind's default",
  }, "IMAGE"),
  testKubernetesVersion: text({
    env: "PINTLE_TEST_KUBERNETES_VERSION",
    flag: "kubernetes-version",
    default: "",
    description:
      "Kubernetes version. kind: 1.34.0 selects that kindest/node image. envtest: 1.34 selects any patch release",
  }, "VERSION"),
  testRuntime: choice({
    env: "PINTLE_TEST_RUNTIME",
    flag: "runtime",
    default: "auto",
    description: "Container runtime of the kind cluster; auto picks the first that works",
  }, ["auto", "docker", "podman", "nerdctl"]),
  testImage: text({
    env: "PINTLE_TEST_IMAGE",
    flag: "image",
    default: "",
    description: "Image of the operator for --deployed; built from this program if empty",
  }, "IMAGE"),
  testRolloutMsMax: duration({
    env: "PINTLE_TEST_ROLLOUT",
    flag: "rollout",
    default: "120s",
    description: "How long to wait until the operator's pods are ready",
  }),
} satisfies Record<string, Setting<unknown>>;

export type TestSettings = SettingValues<typeof TEST_SETTINGS>;

export interface TestFlags {
  readonly filter?: string | undefined;
  readonly keep?: true | undefined;
  readonly list?: true | undefined;
  readonly keepCluster?: true | undefined;
  readonly reuse?: true | undefined;
  readonly download?: true | undefined;
  readonly deployed?: true | undefined;
  readonly yes?: true | undefined;
  readonly junit?: string | undefined;
  readonly report?: string | undefined;
  readonly rbac?: true | undefined;
  readonly explore?: true | undefined;
  readonly specs?: true | undefined;
  readonly plan?: string | undefined;
  readonly plansMax?: number | undefined;
}
