import { isObject, jsonEqual } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import type { Strategy } from "./strategy.ts";

const NODE_PORT_MIN = 30_000;
const NODE_PORT_COUNT = 2_768;

/** Cluster IP and node ports follow from the uid, without an allocator. */
export const serviceStrategy: Strategy = {
  prepareForCreate(object) {
    const spec = specOf(object);
    object.status = { loadBalancer: {} };
    if (spec.type === "ExternalName") return;
    if (!spec.clusterIP && !spec.clusterIPs) spec.clusterIP = clusterIp(object.metadata?.uid ?? "");
    addFamilies(spec);
    addNodePorts(spec, object.metadata?.uid ?? "");
  },
  prepareForUpdate(object, old) {
    const spec = specOf(object);
    const before = isObject(old.spec) ? old.spec : {};
    if (spec.type === "ExternalName") {
      if (before.type !== "ExternalName") dropAddresses(spec, before);
      return;
    }
    // A client that knows one address changes only this one.
    if (spec.clusterIP && spec.clusterIP !== before.clusterIP && jsonEqual(spec.clusterIPs, before.clusterIPs)) {
      spec.clusterIPs = [spec.clusterIP];
    }
    if (!spec.clusterIP) spec.clusterIP = before.clusterIP ?? clusterIp(old.metadata?.uid ?? "");
    addFamilies(spec);
    addNodePorts(spec, object.metadata?.uid ?? "");
  },
};

function specOf(object: DynamicObject): Record<string, unknown> {
  const spec: Record<string, unknown> = isObject(object.spec) ? object.spec : {};
  object.spec = spec;
  return spec;
}

/** Addresses that the client left as they were go with the type that had them. */
function dropAddresses(spec: Record<string, unknown>, before: Record<string, unknown>): void {
  for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]) {
    if (jsonEqual(spec[field], before[field])) delete spec[field];
  }
}

function addFamilies(spec: Record<string, unknown>): void {
  spec.clusterIPs ??= [spec.clusterIP];
  spec.ipFamilies ??= ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
}

/** In the default range; ports in use are not skipped. */
function addNodePorts(spec: Record<string, unknown>, uid: string): void {
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
  const first = Number.parseInt(uid.slice(4, 8), 16) || 0;
  for (const [index, port] of (Array.isArray(spec.ports) ? spec.ports : []).entries()) {
    if (isObject(port) && !port.nodePort) port.nodePort = NODE_PORT_MIN + (first + index) % NODE_PORT_COUNT;
  }
}

function clusterIp(uid: string): string {
  const number = Number.parseInt(uid.slice(0, 4), 16) || 1;
  return `10.96.${number >> 8}.${number & 255}`;
}
