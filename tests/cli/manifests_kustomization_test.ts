import assert from "node:assert/strict";
import { withResources } from "../../lib/cli/manifests.ts";

const OWN = `# What I deploy.
kind: Kustomization
resources:
  # The kinds.
  - crds.yaml
  - "mine.yaml" # my own

  - rbac.yaml
patches:
  - target: { kind: Namespace }
`;

// FR-433
Deno.test("resources are added to a kustomization after the last one, and all else stays as it is", () => {
  assert.equal(
    withResources(OWN, ["webhooks.yaml"], []),
    OWN.replace("  - rbac.yaml\n", "  - rbac.yaml\n  - webhooks.yaml\n"),
  );
});

Deno.test("resources are taken out of a kustomization with their lines, and all else stays as it is", () => {
  assert.equal(withResources(OWN, [], ["crds.yaml", "rbac.yaml"]), OWN.replace(/ {2}- (crds|rbac)\.yaml\n/g, ""));
});

Deno.test("a kustomization whose only resource goes has an empty list", () => {
  assert.equal(withResources("resources:\n- crds.yaml\n", [], ["crds.yaml"]), "resources: []\n");
  assert.equal(
    withResources("resources: # all\n- crds.yaml", ["rbac.yaml"], []),
    "resources: # all\n- crds.yaml\n- rbac.yaml\n",
  );
});

Deno.test("a kustomization without resources, or with a list on one line, gets them too", () => {
  assert.equal(
    withResources("# mine\nkind: Kustomization\n", ["a.yaml"], []),
    "# mine\nkind: Kustomization\nresources:\n  - a.yaml\n",
  );
  assert.match(
    withResources("resources: [a.yaml, b.yaml] # mine\nkind: K\n", ["c.yaml"], ["a.yaml"]),
    /b\.yaml[^]*c\.yaml[^]*kind: K\n$/,
  );
});
