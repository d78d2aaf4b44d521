import { type Duration, type Operator, TemporaryError } from "@pintle/pintle";
import { WebApp } from "./web_app.ts";

/** A registry of host names. Each call may be repeated, and rejects where the registry does not do what it should. */
export interface Dns {
  put(host: string, target: string, signal: AbortSignal): Promise<void>;
  remove(host: string, signal: AbortSignal): Promise<void>;
}

/** Records expire an hour after they were written. */
const RENEWAL = "10m";

export function keepDnsRecords(operator: Operator, dns: Dns, retryDelay: Duration): void {
  const retried = (call: Promise<void>) =>
    call.catch((cause) => {
      throw new TemporaryError("the DNS registry does not answer", { delay: retryDelay, reason: "DnsFailed", cause });
    });
  const put = async (host: string | undefined, name: string, namespace: string, signal: AbortSignal) => {
    if (host !== undefined) await retried(dns.put(host, `${name}.${namespace}`, signal));
  };
  operator.on(WebApp)
    .create(({ spec, name, namespace, signal }) => put(spec.host, name, namespace, signal), { id: "put-host" })
    .timer(({ spec, name, namespace, signal, dryRun }) => {
      if (!dryRun) return put(spec.host, name, namespace, signal);
    }, { id: "renew-host", initialDelay: RENEWAL, interval: RENEWAL })
    .delete(async ({ spec, signal }) => {
      if (spec.host !== undefined) await retried(dns.remove(spec.host, signal));
    }, { id: "remove-host" });
}

/** A registry that is asked over HTTP: PUT and DELETE of `/records/HOST`. */
export function httpDns(url: string): Dns {
  const request = async (method: string, host: string, signal: AbortSignal, body?: object) => {
    const init = { method, body: body && JSON.stringify(body) };
    const response = await fetch(`${url}/records/${encodeURIComponent(host)}`, {
      ...init,
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    await response.body?.cancel();
    // A record that is gone already is what a deletion is for.
    if (!response.ok && !(method === "DELETE" && response.status === 404)) {
      throw new Error(`${method} ${host}: ${response.status}`);
    }
  };
  return {
    put: (host, target, signal) => request("PUT", host, signal, { target }),
    remove: (host, signal) => request("DELETE", host, signal),
  };
}
