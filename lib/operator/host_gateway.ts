import { type Clock, describeError, isObject, LinkedAbort, TimeoutError, UsageError } from "../base/mod.ts";
import type { ApiResource, DynamicObject } from "../apimachinery/mod.ts";
import { type Client, ForbiddenError, NotFoundError } from "../client/mod.ts";

/** How the API server of a cluster on this machine reaches a process outside of it. */
export interface HostGateway {
  /** The address to listen on, which only the cluster's nodes reach. */
  readonly host: string;
  /** What the API server calls that address. */
  readonly name: string;
}

/** What is known of the cluster and of this machine. */
export interface HostGatewayOptions {
  readonly clock: Clock;
  /**
   * Whether the API server is reached by a loopback address: its nodes are containers or virtual machines of this
   * machine then.
   */
  readonly isLocal: boolean;
  /** The system of this machine; Deno's word for it. */
  readonly os: typeof Deno.build.os;
  readonly signal?: AbortSignal;
  /** Longest time for a node to answer; two seconds where absent. */
  readonly answerMsMax?: number;
}

const NODES: ApiResource = { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false };
const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";
/** Addresses of nodes that are tried; they answer within milliseconds, or none does. */
const TRIED_MAX = 4;
const ANSWER_MS_MAX = 2_000;
/**
 * Where nodes are in a virtual machine (Docker Desktop, Podman), containers know the machine around it by this name,
 * and reach its loopback.
 */
const DESKTOP: HostGateway = { host: "127.0.0.1", name: "host.docker.internal" };
const FIX =
  "set PINTLE_WEBHOOK_URL to an https address of this machine that the API server reaches (and PINTLE_WEBHOOK_HOST to the address to listen on)";

/**
 * Finds the address by which a cluster's API server reaches this machine: the local address of a connection to a
 * control-plane kubelet, which is opened and closed. It only needs the right to list nodes. With kind, k3d and minikube
 * that is the gateway of the nodes' network, whatever container runtime is used.
 *
 * Assumes that the route works in both directions: a firewall of this machine may block it. Where containers run in a
 * virtual machine, the virtual machine's name for this machine is used.
 *
 * @throws {UsageError} where no node answers, or the cluster shows none, saying what to set; the signal's reason.
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
    ? "the cluster shows no control plane among its nodes, so who runs it keeps it elsewhere"
    : `its nodes are not reached from here (${reasons.join("; ")})`;
  throw new UsageError(`no way from the API server to this machine was found: ${why}`, FIX);
}

interface KubeletAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Where the kubelets of the control plane listen, by their Node objects. */
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
    throw new UsageError(`no way from the API server to this machine can be looked for: ${cause.message}`, FIX, {
      cause,
    });
  }
}

interface NodeStatus {
  readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
}

/** The address of this machine from which its system goes to another one. */
async function localAddress(
  address: KubeletAddress,
  { clock, signal, answerMsMax = ANSWER_MS_MAX }: HostGatewayOptions,
): Promise<string> {
  using abort = new LinkedAbort([signal]);
  const timer = clock.schedule(() => abort.abort(new TimeoutError("no answer")), answerMsMax);
  try {
    using connection = await Deno.connect({ ...address, signal: abort.signal });
    return (connection.localAddr as Deno.NetAddr).hostname;
  } finally {
    clock.clear(timer);
  }
}
