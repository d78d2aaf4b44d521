import { type Clock, describeError, isObject, TimeLimit, UsageError } from "../base/mod.ts";
import type { ApiResource, DynamicObject } from "../apimachinery/mod.ts";
import { type Client, ForbiddenError, NotFoundError } from "../client/mod.ts";

/** How a cluster on this machine reaches a process outside of it. */
export interface HostGateway {
  /** The address to listen on; only the cluster's nodes reach it. */
  readonly host: string;
  /** The API server's name for that address. */
  readonly name: string;
}

export interface HostGatewayOptions {
  readonly clock: Clock;
  /** Whether the API server has a loopback address: its nodes are then containers or virtual machines here. */
  readonly isLocal: boolean;
  readonly os: typeof Deno.build.os;
  readonly signal?: AbortSignal;
  /** Two seconds by default. */
  readonly answerMsMax?: number;
}

const NODES: ApiResource = { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false };
const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";
/** They answer within milliseconds, or none does. */
const TRIED_MAX = 4;
const ANSWER_MS_MAX = 2_000;
/** With nodes in a virtual machine (Docker Desktop, Podman), this name reaches the outer loopback. */
const DESKTOP: HostGateway = { host: "127.0.0.1", name: "host.docker.internal" };
const FIX =
  "set PINTLE_WEBHOOK_URL to an https address of this machine that the API server reaches (and PINTLE_WEBHOOK_HOST to the address to listen on)";

/**
 * Finds the address at which a cluster's API server reaches this machine: the local address of a connection, opened and
 * closed, to a control-plane kubelet. Only needs the right to list nodes. With kind, k3d and minikube it is the node
 * network's gateway, for every container runtime.
 *
 * Assumes a route in both directions: a firewall may block it. For containers in a virtual machine, that machine's name
 * for this one is used.
 *
 * @throws {UsageError} if no node answers or exists, saying what to set; the signal's reason.
 */
export async function findHostGateway(client: Client, options: HostGatewayOptions): Promise<HostGateway> {
  const { isLocal, os, signal } = options, addresses = await kubelets(client, signal);
  const reasons: string[] = [];
  for (const address of addresses.slice(0, TRIED_MAX)) {
    try {
      const host = await localAddress(address, options);
      return { host, name: host };
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(`${address.hostname}:${address.port}: ${describeError(error)}`);
    }
  }
  if (isLocal && os !== "linux" && addresses.length > 0) return DESKTOP;
  const why = addresses.length === 0
    ? "the cluster lists no control plane among its nodes: its provider runs the control plane elsewhere"
    : `this machine does not reach its nodes (${reasons.join("; ")})`;
  throw new UsageError(`no address of this machine that the API server reaches was found: ${why}`, FIX);
}

interface KubeletAddress {
  readonly hostname: string;
  readonly port: number;
}

async function kubelets(client: Client, signal: AbortSignal | undefined): Promise<KubeletAddress[]> {
  try {
    const { items } = await client.list<DynamicObject>(NODES, { labelSelector: CONTROL_PLANE, signal });
    return items.flatMap(({ status }) => {
      const { addresses, daemonEndpoints } = (isObject(status) ? status : {}) as NodeStatus;
      const port = daemonEndpoints?.kubeletEndpoint?.Port;
      if (!port || !Array.isArray(addresses)) return [];
      return addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => ({ hostname: address, port }));
    });
  } catch (cause) {
    if (cause instanceof NotFoundError) return []; // an API server without nodes, as the embedded one
    if (!(cause instanceof ForbiddenError)) throw cause;
    throw new UsageError(`cannot look for an address that the API server reaches: ${cause.message}`, FIX, { cause });
  }
}

interface NodeStatus {
  readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
}

async function localAddress(
  address: KubeletAddress,
  { clock, signal, answerMsMax = ANSWER_MS_MAX }: HostGatewayOptions,
): Promise<string> {
  using limit = new TimeLimit(clock, answerMsMax, "no response within", [signal]);
  using connection = await Deno.connect({ ...address, signal: limit.signal });
  return (connection.localAddr as Deno.NetAddr).hostname;
}
