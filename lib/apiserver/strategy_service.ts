import { isObject } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { Strategy } from "./strategy.ts";

/** core/v1 Service: a cluster IP that follows from the uid instead of an allocator's state. */
export const serviceStrategy: Strategy = {
  prepareForCreate(object) {
    const spec = specOf(object);
    object.status = { loadBalancer: {} };
    if (spec.type === "ExternalName") return;
    if (!spec.clusterIP) spec.clusterIP = clusterIp(object.metadata?.uid ?? "");
    addFamilies(spec);
  },
  prepareForUpdate(object, old) {
    const spec = specOf(object);
    const before = isObject(old.spec) ? old.spec : {};
    if (spec.type === "ExternalName") return;
    if (!spec.clusterIP) spec.clusterIP = before.clusterIP ?? clusterIp(old.metadata?.uid ?? "");
    addFamilies(spec);
  },
};

function specOf(object: DynamicObject): Record<string, unknown> {
  const spec: Record<string, unknown> = isObject(object.spec) ? object.spec : {};
  object.spec = spec;
  return spec;
}

function addFamilies(spec: Record<string, unknown>): void {
  spec.clusterIPs ??= [spec.clusterIP];
  spec.ipFamilies ??= ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
}

function clusterIp(uid: string): string {
  const number = Number.parseInt(uid.slice(0, 4), 16) || 1;
  return `10.96.${number >> 8}.${number & 255}`;
}
