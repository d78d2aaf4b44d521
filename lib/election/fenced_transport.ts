import type { Transport, TransportRequest } from "../base/mod.ts";
import { LeaseLostError } from "./lease_lost_error.ts";

/**
 * Reads and access reviews, which write nothing, pass; other requests fail unsent without leadership. One sent just
 * before the loss may still arrive: so the lease expires `leaseDurationMs - renewDeadlineMs` after its holder stopped
 * writing.
 */
export function fencedTransport(inner: Transport, isLeader: () => boolean): Transport {
  return {
    server: inner.server,
    fetch: (path: string, request: TransportRequest = {}) => {
      const { method = "GET" } = request;
      if (method === "GET" || path.startsWith("/apis/authorization.k8s.io/") || isLeader()) {
        return inner.fetch(path, request);
      }
      return Promise.reject(new LeaseLostError(`${method} ${path} is not sent: this replica is not the leader`));
    },
    close: () => inner.close(),
  };
}
