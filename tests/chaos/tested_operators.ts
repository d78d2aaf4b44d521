import { replicator } from "../../lib/replicator/mod.ts";
import { CrateSite } from "./crate_site.ts";
import type { FaultContext } from "./fault.ts";
import type { GateObserver } from "./gate.ts";
import { OperatorProcess } from "./operator_process.ts";
import { crates } from "./operators/crates.ts";
import { countRequests } from "./quiesce.ts";
import { ReplicationSite } from "./replication_site.ts";
import type { Site } from "./site.ts";

/** What differs between faults. */
export interface ProcessOptions {
  readonly args?: readonly string[];
  readonly stepped?: boolean;
  /** Follows the requests of the process of this host. */
  readonly observe?: (host: string) => GateObserver;
  /** Processes of one operator; one where absent. */
  readonly replicas?: number;
}

/** An operator's processes and its site. Disposing removes what is in the site, with their help, and then ends them. */
export interface TestedOperator extends AsyncDisposable {
  readonly site: Site;
  readonly processes: readonly OperatorProcess[];
}

/** The shipped operator. */
export async function openReplicator(context: FaultContext, options: ProcessOptions = {}): Promise<TestedOperator> {
  const site = new ReplicationSite(context);
  return await open(context, site, "replicator", {
    ...options,
    operator: replicator(),
    args: [...site.args, ...options.args ?? []],
  });
}

/** The operator whose children have generated names. */
export async function openCrates(context: FaultContext, options: ProcessOptions = {}): Promise<TestedOperator> {
  return await open(context, new CrateSite(context), "crates", {
    ...options,
    operator: crates(),
    main: "tests/chaos/operators/crates.ts",
  });
}

async function open(
  context: FaultContext,
  site: ReplicationSite | CrateSite,
  name: string,
  { replicas = 1, observe, ...options }:
    & ProcessOptions
    & Pick<Parameters<typeof OperatorProcess.open>[0], "operator" | "main">,
): Promise<TestedOperator> {
  await using stack = new AsyncDisposableStack();
  const { cluster, clock, signal, figures } = context, processes: OperatorProcess[] = [];
  for (let nth = 0; nth < replicas; nth++) {
    const host = `${context.prefix}-${name}-${nth}`;
    processes.push(
      stack.use(await OperatorProcess.open({ ...options, ...observe?.(host), cluster, clock, host, signal })),
    );
  }
  await site.open();
  for (const each of processes) await each.start();
  stack.defer(async () => {
    countRequests(context, processes.map(({ gate }) => gate));
    for (const { exits } of processes) figures.note("exits that were restarted", exits);
    if (!signal.aborted) await site.remove();
  });
  const moved = stack.move();
  return { site, processes, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}
