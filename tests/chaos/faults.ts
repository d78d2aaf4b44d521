import type { Fault } from "./fault.ts";
import { clockSteps } from "./faults/clock_steps.ts";
import { compactions } from "./faults/compactions.ts";
import { childrenKills, replicatorKills } from "./faults/kills.ts";
import { leaders } from "./faults/leaders.ts";
import { network } from "./faults/network.ts";
import { serverKills } from "./faults/server_kills.ts";
import { webhooks } from "./faults/webhooks.ts";

/** Every fault, in the order in which a run has them. */
export const FAULTS: readonly Fault[] = [
  replicatorKills,
  childrenKills,
  serverKills,
  compactions,
  network,
  clockSteps,
  leaders,
  webhooks,
];
