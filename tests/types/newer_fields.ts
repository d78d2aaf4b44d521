// FR-382
// A field that the package of types lacks is added by the program that needs it.
import { Operator, Pod } from "../../lib/mod.ts";

declare module "kubernetes-types/core/v1.d.ts" {
  interface PodSpec {
    hostnameOverride?: string;
  }
}

new Operator("types").on(Pod).reconcile(async ({ apply }) => {
  await apply(Pod, { spec: { containers: [{ name: "main" }], hostnameOverride: "a.example.com" } });
});
