import { NotFoundError } from "../../../lib/client/mod.ts";
import type { KubeObject } from "../../../lib/apimachinery/mod.ts";
import { sleep } from "../../../lib/base/mod.ts";
import { webhookServiceName } from "../../../lib/admission/webhook_configuration.ts";
import { builtinKind, Secret } from "../../../lib/operator/mod.ts";
import { installNamespace } from "../../../lib/operator/installation.ts";
import type { Fault, FaultContext } from "../fault.ts";
import { GadgetSite } from "../gadget_site.ts";
import { OperatorProcess } from "../operator_process.ts";
import { gadgets } from "../operators/gadgets.ts";
import { scaled } from "../options.ts";
import { checkIdle, countRequests, recover, underLoad } from "../quiesce.ts";

const ENDPOINT_SLICES = builtinKind<KubeObject>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  namespaced: true,
});
const SERVICE = { namespace: installNamespace("gadgets"), name: webhookServiceName("gadgets") };
const SERVED = /webhooks are served .*port=(\d+)/;
/**
 * Of the full run: for how long certificates are rotated and nothing else happens, and how many replicas are killed
 * after that.
 */
const ROTATING_MS = 60_000, KILLS = 12;
/** Until the Service names a dead replica no more, and until the next kill, at most. */
const NOTICED_MS_MAX = 500, PAUSE_MS_MAX = 3_000;
/**
 * Writes of a rotation, which goes on while nothing else is to do: two steps follow each other at once, and each is the
 * Secret and two configurations.
 */
const ROTATION_WRITES_MAX = 6;
/** The certificates are deleted with one of so many kills. */
const DELETE_EVERY = 4;

/**
 * Admission under load: at first certificates are rotated, and no call may be refused; then replicas are killed and the
 * Secret of the certificates is deleted, and calls that are refused are counted. Nothing may ever be stored that was
 * not admitted.
 */
export const webhooks: Fault = {
  name: "webhooks",
  what: "webhooks under load while certificates are rotated and deleted, and replicas killed",
  run: async (context) => {
    const { figures, clock, random, signal, minutes, cluster, client } = context, operator = gadgets();
    await using stack = new AsyncDisposableStack();
    const processes: OperatorProcess[] = [], main = "tests/chaos/operators/gadgets.ts";
    for (const nth of [0, 1]) {
      const host = `${context.prefix}-gadgets-${nth}`, options = { cluster, clock, operator, main, host, signal };
      processes.push(stack.use(await OperatorProcess.open({ ...options, ready: SERVED })));
    }
    const site = await new GadgetSite(context).open(), sites = [site];
    stack.defer(() => countRequests(context, processes.map(({ gate }) => gate)));
    stack.defer(() => signal.aborted ? undefined : site.remove());
    for (const each of processes) await each.start();
    for (const each of processes) await putBehindService(context, each);
    await untilCalled(context, site);
    const before = site.uncalled;
    await underLoad(context, sites, () => sleep(clock, Math.max(25_000, ROTATING_MS * minutes / 20), signal));
    if (site.uncalled > before) {
      figures.violation(`${site.uncalled - before} calls failed while certificates were rotated`);
    }
    await recover(context, sites);
    const kills = scaled(KILLS, minutes);
    await underLoad(context, sites, async () => {
      for (let nth = 1; nth <= kills; nth++) {
        await sleep(clock, PAUSE_MS_MAX * random.next(), signal);
        if (nth % DELETE_EVERY === 0) await client.delete(Secret, SERVICE).catch(unlessNotFound);
        await replace(context, processes[random.next() < 0.5 ? 0 : 1]!);
      }
    });
    await untilCalled(context, site);
    await recover(context, sites);
    figures.note("writes denied", site.denied);
    figures.note("writes refused as no webhook was reached", site.uncalled);
    await checkIdle(context, sites, processes, ROTATION_WRITES_MAX);
  },
};

/** Kills a replica, takes it out of the Service as soon as a kubelet would notice, and starts it again. */
async function replace(context: FaultContext, process: OperatorProcess): Promise<void> {
  const { figures, clock, random, signal } = context;
  await process.kill();
  figures.faults++;
  await sleep(clock, NOTICED_MS_MAX * random.next(), signal);
  await setEndpoint(context, process.host, undefined);
  await process.start();
  await putBehindService(context, process);
}

async function putBehindService(context: FaultContext, process: OperatorProcess): Promise<void> {
  await process.ready();
  const [, port] = await process.until(SERVED);
  await setEndpoint(context, process.host, Number(port));
}

/** Says of a replica at which port of this machine it serves, or that it does not. */
async function setEndpoint({ client }: FaultContext, host: string, port: number | undefined): Promise<void> {
  // The API server takes no loopback address for an endpoint.
  const address = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  if (!address) throw new Error("this machine has no address but loopback, so no API server can call webhooks here");
  const labels = { "kubernetes.io/service-name": SERVICE.name };
  await client.apply<KubeObject>(ENDPOINT_SLICES, {
    metadata: { namespace: SERVICE.namespace, name: host, labels },
    addressType: "IPv4",
    endpoints: port === undefined ? [] : [{ addresses: [address.address], conditions: { ready: true } }],
    ports: [{ name: "webhooks", port: port ?? 1, protocol: "TCP" }],
  } as KubeObject, { force: true });
}

/** API servers take a moment until they know a Service's endpoints, and the authorities of a configuration. */
async function untilCalled({ clock, signal }: FaultContext, site: GadgetSite): Promise<void> {
  for (let called = 0, before = site.uncalled; called < 20; called++) {
    await site.step();
    if (site.uncalled > before) {
      before = site.uncalled;
      called = 0;
      await sleep(clock, 200, signal);
    }
  }
}

function unlessNotFound(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
