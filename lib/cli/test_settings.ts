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
    description: "How long an expectation may take to hold",
  }),
  testSeed: integer({
    env: "PINTLE_TEST_SEED",
    flag: "seed",
    default: "0",
    description: "Makes the operator's randomness repeatable; 0 takes a new one and prints it",
  }, { min: 0, max: 2 ** 31 - 1 }),
  testAssets: text({
    env: "PINTLE_TEST_ASSETS",
    flag: "assets",
    default: "",
    description:
      "Folder with etcd, kube-apiserver, kube-controller-manager; KUBEBUILDER_ASSETS, then setup-envtest's if empty",
  }, "FOLDER"),
  testEnvtestIndex: text({
    env: "PINTLE_TEST_ENVTEST_INDEX",
    flag: "envtest-index",
    default: "",
    description: "List of envtest archives for --download, as a mirror's; controller-tools' own if empty",
  }, "URL"),
  testKubernetesUrl: text({
    env: "PINTLE_TEST_KUBERNETES_URL",
    flag: "kubernetes-url",
    default: "",
    description: "Where --download gets kube-controller-manager, which the archives lack; dl.k8s.io if empty",
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
    description: "Node image of the kind cluster; KIND_NODE_IMAGE, then kind's own default if empty",
  }, "IMAGE"),
  testKubernetesVersion: text({
    env: "PINTLE_TEST_KUBERNETES_VERSION",
    flag: "kubernetes-version",
    default: "",
    description:
      "Kubernetes of a kind cluster, as 1.34.0: takes kindest/node of that version; of envtest, 1.34 takes any patch of it",
  }, "VERSION"),
  testRuntime: choice({
    env: "PINTLE_TEST_RUNTIME",
    flag: "runtime",
    default: "auto",
    description: "What the nodes of a kind cluster run in; auto takes the first that works",
  }, ["auto", "docker", "podman", "nerdctl"]),
  testImage: text({
    env: "PINTLE_TEST_IMAGE",
    flag: "image",
    default: "",
    description: "Image of the operator for --deployed; built from this very program if empty",
  }, "IMAGE"),
  testRolloutMsMax: duration({
    env: "PINTLE_TEST_ROLLOUT",
    flag: "rollout",
    default: "120s",
    description: "How long the operator's pods may take to be ready",
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
  readonly explore?: true | undefined;
  readonly plan?: string | undefined;
  readonly plansMax?: number | undefined;
}
