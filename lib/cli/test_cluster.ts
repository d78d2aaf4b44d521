import { type Clock, invariant, UsageError } from "../base/mod.ts";
import { kubeconfigPaths } from "../client/kubeconfig.ts";
import { proxyVariables } from "../client/mod.ts";
import {
  buildLocalImage,
  type ClusterSource,
  CurrentSource,
  deploy,
  EmbeddedSource,
  ENVTEST_MIRROR,
  envtestFolders,
  EnvtestSource,
  KindCluster,
  KindSource,
  type RunOptions,
} from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";
import type { TestFlags, TestSettings } from "./test_settings.ts";

const LOCAL_IMAGE = "pintle:test";

/** Where scenarios run, per the settings. Opens nothing. */
export function sourceOf(context: CommandContext, flags: TestFlags, clock: Clock): ClusterSource {
  const { settings, env, terminal } = context, test = settings as unknown as TestSettings;
  const proxies = proxyVariables(env);
  switch (test.testCluster) {
    case "embedded":
      return new EmbeddedSource({ clock });
    case "envtest":
      return new EnvtestSource({
        proxies,
        assets: test.testAssets || env.KUBEBUILDER_ASSETS,
        version: test.testKubernetesVersion,
        folders: envtestFolders(env),
        mirror: flags.download && {
          indexUrl: test.testEnvtestIndex || ENVTEST_MIRROR.indexUrl,
          kubernetesUrl: test.testKubernetesUrl || ENVTEST_MIRROR.kubernetesUrl,
        },
        clock,
      });
    case "kind":
      return new KindSource({
        proxies,
        clock,
        name: test.testKindName,
        nodeImage: nodeImage(test, env),
        runtime: test.testRuntime === "auto" ? env.KIND_EXPERIMENTAL_PROVIDER : test.testRuntime,
        reuse: flags.reuse,
        keep: flags.keepCluster,
      });
    case "current": {
      const separator = Deno.build.os === "windows" ? ";" : ":";
      const paths = settings.kubeconfig
        ? [settings.kubeconfig]
        : kubeconfigPaths(env.KUBECONFIG, env.HOME ?? env.USERPROFILE, separator);
      const ask = (question: string) => flags.yes || (terminal.interactive && confirm(question));
      return new CurrentSource({
        proxies,
        paths,
        context: settings.context || undefined,
        clock,
        confirm: (question) => Promise.resolve(Boolean(ask(question))),
      });
    }
    default:
      return test.testCluster satisfies never;
  }
}

/** @throws {UsageError} if `--keep` would leave namespaces in a cluster that goes with the run. */
export function checkKeep({ testCluster }: TestSettings, { keep, keepCluster, reuse }: TestFlags): void {
  if (!keep || testCluster === "current" || (testCluster === "kind" && (keepCluster || reuse))) return;
  const what = testCluster === "kind" ? "a kind cluster is deleted" : `the cluster "${testCluster}" is deleted`;
  throw new UsageError(
    `--keep leaves nothing to inspect: ${what} with the run`,
    "use --cluster current, or kind with --keep-cluster or --reuse",
  );
}

function nodeImage({ testNodeImage, testKubernetesVersion }: TestSettings, env: CommandContext["env"]) {
  if (testNodeImage && testKubernetesVersion) {
    throw new UsageError("--node-image and --kubernetes-version exclude each other", "name one of them");
  }
  if (testKubernetesVersion) return `kindest/node:v${testKubernetesVersion.replace(/^v/, "")}`;
  return testNodeImage || env.KIND_NODE_IMAGE;
}

export function deploymentOf(context: CommandContext, clock: Clock): NonNullable<RunOptions["deploy"]> {
  const { settings, root } = context, test = settings as unknown as TestSettings;
  if (test.testCluster !== "kind") {
    throw new UsageError(`--deployed needs nodes, and a cluster "${test.testCluster}" has none`, "use --cluster kind");
  }
  if (!root) throw new UsageError("--deployed needs the program's manifests, and this program carries none");
  return async (cluster, signal) => {
    invariant(cluster instanceof KindCluster, "the source is kind's");
    await using stack = new AsyncDisposableStack();
    const image = test.testImage || `${LOCAL_IMAGE}-${Deno.pid}-${clock.now().toString(36)}`;
    if (!test.testImage) {
      // A unique name replaces no other image; the image is removed after the run.
      stack.defer(() => cluster.removeImage(image));
      await buildOwnImage(root, image, cluster, signal);
    }
    stack.use(await cluster.loadImage(image, signal));
    const overlay = `${root}/deploy/overlays/dev`, rolloutMsMax = test.testRolloutMsMax;
    const deployed = await deploy(cluster, { overlay, image, clock, rolloutMsMax, leave: !cluster.stays }, signal);
    stack.use(deployed);
    const owned = stack.move();
    return { ...deployed, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  };
}

/** An image of the running program: from its bundle, or from `package`'s if it runs from sources. */
async function buildOwnImage(
  root: string,
  image: string,
  { runtime }: KindCluster,
  signal: AbortSignal,
): Promise<void> {
  const bundled = (folder: string) => Deno.stat(`${folder}/main.js`).then(() => true, () => false);
  const app = await bundled(root) ? root : `${root}/dist/app`;
  if (!await bundled(app)) {
    throw new UsageError(
      "there is no bundle to build an image from",
      "build an image (`docker build`) and name it by --image, or put the bundled program into dist/app",
    );
  }
  await buildLocalImage(runtime, { image, app, executable: Deno.execPath(), signal });
}
