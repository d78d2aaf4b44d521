import { AdmissionError, ObjectIndex, type Operator } from "@pintle/pintle";
import { WebApp, type WebAppObject } from "./web_app.ts";

/** Apps by their hosts, as `namespace/name`. */
const appsByHost = new ObjectIndex("apps by host", ({ metadata, spec }: WebAppObject) => {
  return spec.host === undefined ? [] : [[spec.host, `${metadata.namespace}/${metadata.name}`]];
});

export function admitWebApps(operator: Operator): void {
  operator.on(WebApp)
    .index(appsByHost)
    .mutate(({ draft, name, namespace }) => {
      if (name !== "") draft.spec.host ??= `${name}.${namespace}.apps.example.com`;
    }, { id: "default-host", operations: ["CREATE"] })
    .validate(({ spec, oldSpec, name, namespace, index, warn }) => {
      if (oldSpec?.host && oldSpec.host !== spec.host) {
        throw new AdmissionError("spec.host cannot change: make another app");
      }
      const other = index(appsByHost).get(spec.host ?? "").find((app) => app !== `${namespace}/${name}`);
      if (other) throw new AdmissionError(`spec.host ${spec.host} belongs to ${other}`);
      if (spec.replicas === 0) warn("an app with no replicas answers no request");
    }, { id: "host" });
}
