import type { Transport, TransportRequest } from "../base/mod.ts";
import { LeaseLostError } from "./lease_lost_error.ts";

/**
 * A transport through which only the leader can write: reads pass, and so do access reviews, which write nothing; any
 * other request fails before it is sent. A request that was sent just before the lease was lost may still arrive: for
 * that, the lease expires `leaseMs - renewMsMax` after its holder has stopped writing.
 */
export function fencedTransport(inner: Transport, isLeader: () => boolean): Transport {
  return {
    server: inner.server,
    fetch: (path: string, request: TransportRequest = {}) => {
      const { method = "GET" } = request;
      if (method === "GET" || path.startsWith("/apis/authorization.k8s.io/") || isLeader()) {
        return inner.fetch(path, request);
      }
      return Promise.reject(new LeaseLostError(`${method} ${path} is not sent: this replica does not lead`));
    },
    close: () => inner.close(),
  };
}
