import { stringify } from "yaml";
import type { DynamicObject } from "../apimachinery/object.ts";
import type { Operator } from "../operator/operator.ts";
import { EXIT } from "./exit.ts";
import type { CommandContext } from "./program.ts";

/** `manifests`: what the operator's declarations ask for, as YAML that `kubectl apply -f -` takes. */
export function manifests({ operator, terminal }: CommandContext): Promise<number> {
  const objects = [...operator.crds(), clusterRole(operator)];
  terminal.out(objects.map((object) => manifestYaml(object)).join("---\n").trimEnd());
  return Promise.resolve(EXIT.done);
}

/** The ClusterRole with exactly the rules that the operator needs. */
export function clusterRole(operator: Operator): DynamicObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: operator.name },
    rules: operator.rules(),
  };
}

/** YAML as Kubernetes reads it: texts that YAML 1.1 takes for booleans or numbers are quoted. */
export function manifestYaml(object: DynamicObject): string {
  return stringify(object, { version: "1.1", lineWidth: 120, aliasDuplicateObjects: false });
}
