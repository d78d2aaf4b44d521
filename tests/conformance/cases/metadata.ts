import { type Area, create, get, remove, update } from "../script.ts";

const configMap = (metadata: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({ metadata, ...rest });

/** Names, labels, annotations, owners, versions. */
export const metadata: Area = {
  name: "metadata",
  scripts: [
    {
      name: "a ConfigMap is created",
      steps: [create("v1/configmaps", configMap({ name: "a" }, { data: { k: "v" } }))],
    },
    { name: "a name that no DNS subdomain is", steps: [create("v1/configmaps", configMap({ name: "Not_A_Name" }))] },
    { name: "a name is missing", steps: [create("v1/configmaps", configMap({}))] },
    { name: "a generated name", steps: [create("v1/configmaps", configMap({ generateName: "gen-" }))] },
    {
      name: "an update for another version is a conflict",
      steps: [
        create("v1/configmaps", configMap({ name: "a" }), { keep: { rv: "metadata.resourceVersion" } }),
        update("v1/configmaps/a", configMap({ name: "a" }, { data: { k: "1" } })),
        update("v1/configmaps/a", configMap({ name: "a", resourceVersion: "${rv}" }, { data: { k: "2" } })),
        get("v1/configmaps/a"),
        remove("v1/configmaps/a"),
        get("v1/configmaps/a"),
      ],
    },
  ],
};
