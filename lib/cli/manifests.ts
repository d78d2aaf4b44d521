import { stringify } from "yaml";
import type { DynamicObject } from "../apimachinery/object.ts";
import { EXIT } from "./exit.ts";
import { requireNamespaceName } from "./install.ts";
import { installation } from "../operator/installation.ts";
import type { CommandContext } from "./program.ts";

/** `manifests`: what `install` applies, as YAML that `kubectl apply -f -` takes. */
export function manifests(
  { operator, program, terminal }: CommandContext,
  flags: { namespace: string },
): Promise<number> {
  requireNamespaceName(flags.namespace);
  const objects = installation(operator, program, flags.namespace);
  terminal.out(objects.map(({ object }) => manifestYaml(object)).join("---\n").trimEnd());
  return Promise.resolve(EXIT.done);
}

/** YAML as Kubernetes reads it: texts that YAML 1.1 takes for booleans or numbers are quoted. */
function manifestYaml(object: DynamicObject): string {
  return stringify(object, { version: "1.1", lineWidth: 120, aliasDuplicateObjects: false });
}
