import assert from "node:assert/strict";
import { kubectlTest } from "./kubectl.ts";

const MALFORMED: readonly (readonly [what: string, change: (manifest: string) => string, refusal: RegExp])[] = [
  [
    "of an unknown kind of source",
    (manifest) => manifest.replace("kind: Secret", "kind: Pod"),
    /spec\.source\.kind: Unsupported value: "Pod": supported values: "Secret", "ConfigMap"/,
  ],
  [
    "without a source",
    (manifest) => manifest.replace(/\n {2}source:.*/, ""),
    /spec\.source: Required value/,
  ],
  [
    "whose globs are no list",
    (manifest) => manifest.replace(/namespaces: \[.*\]/, "namespaces: all"),
    /spec\.targets\.namespaces: Invalid value: "string"/,
  ],
  [
    "without targets",
    (manifest) => manifest.replace(/targets: .*/, "targets: {}"),
    /spec\.targets: Invalid value: .*at least one of namespaces and selector is required/,
  ],
  [
    "with a misspelt field",
    (manifest) => manifest.replace("targets: {", "targets: { nmae: x,"),
    /strict decoding error: unknown field "spec\.targets\.nmae"/,
  ],
];

for (const [what, change, refusal] of MALFORMED) {
  // FR-120
  kubectlTest(`a Replication ${what} is refused, and the field is named`, async (kubectl) => {
    const { home } = await kubectl.namespaces();
    const stdin = change(kubectl.replication(home));
    for (const how of ["create -f -", "apply -f -", "apply --server-side -f -"]) {
      // An apply is typed against the schema before the validation sees it, and words a wrong type or field in its own
      // way.
      const expected = how.includes("server-side") && what.match(/misspelt|no list/) ? /nmae|namespaces/ : refusal;
      assert.match(await kubectl.fails(how, { stdin }), expected);
    }
    assert.equal(await kubectl.ok(`get replications -n ${home} -o name`), "");
  });
}

// FR-5
kubectlTest("a user with an unknown credential is asked to log in", async (kubectl) => {
  const config = JSON.parse(await kubectl.ok("config view --raw -o json"));
  const refused = async (user: object) => {
    config.users = [{ name: config.users[0].name, user }];
    const kubeconfig = await kubectl.file("stranger", JSON.stringify(config));
    return await kubectl.fails("get replications -A", { kubeconfig });
  };
  assert.match(await refused({ token: "guessed" }), /You must be logged in to the server/);
  // No API server reads passwords: for a real one this is an anonymous request, and the embedded one serves none of
  // those.
  const anonymous = await refused({ username: "admin", password: "admin" });
  assert.match(anonymous, kubectl.cluster.kind === "embedded" ? /You must be logged in to the server/ : /Forbidden/);
});
