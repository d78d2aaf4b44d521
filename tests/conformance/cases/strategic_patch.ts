import { type Area, create, patch } from "../script.ts";
import { container, deployment } from "./pods.ts";

const PATCHES: readonly [string, Record<string, unknown>][] = [
  ["merges containers by name", {
    spec: { template: { spec: { containers: [{ name: "a", image: "a:2" }, { name: "c", image: "c:1" }] } } },
  }],
  ["deletes a container", { spec: { template: { spec: { containers: [{ name: "b", $patch: "delete" }] } } } }],
  ["replaces containers", {
    spec: { template: { spec: { containers: [{ $patch: "replace" }, { name: "z", image: "z:1" }] } } },
  }],
  ["orders containers", {
    spec: {
      template: {
        spec: {
          "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
          containers: [{ name: "b", image: "b:3" }],
        },
      },
    },
  }],
  ["deletes a label", { metadata: { labels: { x: null, y: "2" } } }],
  ["replaces a map", { metadata: { labels: { $patch: "replace", only: "1" } } }],
  ["retains keys", { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }],
  ["deletes from a list of texts", { metadata: { "$deleteFromPrimitiveList/finalizers": ["a.example/x"] } }],
  ["adds to a list of texts", { metadata: { finalizers: ["c.example/x", "a.example/x"] } }],
  ["deletes a map", { metadata: { labels: { $patch: "delete" } } }],
  ["adds a port beside one of its number", {
    spec: {
      template: {
        spec: { containers: [{ name: "a", ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] }] },
      },
    },
  }],
  ["item without its key", { spec: { template: { spec: { containers: [{ image: "x" }] } } } }],
  ["unknown directive", { metadata: { labels: { $patch: "frob" } } }],
];

/** Strategic merge patches of a Deployment. */
export const strategicPatch: Area = {
  name: "strategic_patch",
  scripts: PATCHES.map(([name, body]) => ({
    name,
    steps: [
      create("apps/v1/deployments", {
        metadata: { name: "a", labels: { x: "1" }, finalizers: ["a.example/x", "b.example/x"] },
        ...deployment(1, container, { name: "b", image: "b:1" }),
      }),
      patch("strategic", "apps/v1/deployments/a", body),
    ],
  })),
};
