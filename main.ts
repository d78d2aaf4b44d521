import { type BuildInfo, cli, globs, integer, namespaceName } from "./lib/cli/mod.ts";
import { replicationDemo, replicator, REPLICATOR_DEFAULTS, trustCheck } from "./lib/replicator/mod.ts";
import project from "./deno.json" with { type: "json" };

/** Settings of the shipped operator, beside the common ones. */
const settings = {
  trustedNamespaces: globs({
    env: "PINTLE_TRUSTED_NAMESPACES",
    flag: "trusted-namespaces",
    default: REPLICATOR_DEFAULTS.trustedNamespaces.join(","),
    description: "Globs of namespaces whose Replications may write to all namespaces and adopt objects; none if empty",
  }),
  operatorNamespace: namespaceName({
    env: "PINTLE_OPERATOR_NAMESPACE",
    flag: "operator-namespace",
    default: REPLICATOR_DEFAULTS.operatorNamespace,
    description: "Namespace in which the operator runs: it never gets a copy",
  }),
  protectedNamespaces: globs({
    env: "PINTLE_PROTECTED_NAMESPACES",
    flag: "protected-namespaces",
    default: REPLICATOR_DEFAULTS.protectedNamespaces.join(","),
    description: "Globs of namespaces that never get a copy",
  }),
  copiesAtOnceMax: integer(
    {
      env: "PINTLE_COPIES_AT_ONCE_MAX",
      flag: "copies-at-once-max",
      default: `${REPLICATOR_DEFAULTS.copiesAtOnceMax}`,
      description: "Concurrent requests for copies, per Replication",
    },
    { min: 1, max: 1_000 },
  ),
};

/** What the build wrote beside the bundle; from the sources there is nothing. */
async function build(): Promise<BuildInfo | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL("./build.json", import.meta.url)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  Deno.exitCode = await cli(replicator, {
    name: "pintle",
    version: project.version,
    build,
    args: Deno.args,
    env: Deno.env.toObject(),
    settings,
    checks: [trustCheck],
    demo: () => replicationDemo,
    deletionNote: "the copies of a Replication go with it, or stay without a claim where its deletionPolicy is Orphan",
    root: import.meta.dirname,
    scaffolds: true,
    suites: async () => (await import("./tests/replicator/suites.ts")).suites,
  });
}
