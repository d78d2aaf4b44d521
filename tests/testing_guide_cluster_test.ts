import assert from "node:assert/strict";
import { realKubeconfig } from "./cluster.ts";
import { GuideProject } from "./guide_project.ts";
import { testWith } from "./outside_program.ts";

testWith(
  realKubeconfig ? undefined : "no real control plane",
  // FR-179
  "the guide's scenarios pass on a real control plane",
  async () => {
    await using guide = await GuideProject.open("docs/testing.md");
    const { code, out, err } = await guide.run(
      `deno run -A main.ts test --cluster current --kubeconfig ${realKubeconfig}`,
    );
    assert.equal(code, 0, out + err);
    assert.match(out, /\n8 passed, 0 failed\n$/);
  },
);
