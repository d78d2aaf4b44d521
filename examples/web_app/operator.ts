import { type Duration, Operator } from "@pintle/pintle";
import { type Ask, watchAnswers } from "./answers.ts";
import { type Dns, keepDnsRecords } from "./dns.ts";
import { reconcileWebApps } from "./reconcile.ts";
import { admitWebApps } from "./webhooks.ts";

/** What the operator calls outside of the cluster, and how long it waits between two calls. */
export interface Outside {
  readonly dns?: Dns;
  readonly ask?: Ask;
  readonly pause?: Duration;
}

/** A new operator. */
export function operator({ dns, ask, pause = "30s" }: Outside = {}): Operator {
  const made = new Operator("web-app");
  reconcileWebApps(made);
  admitWebApps(made);
  if (dns) keepDnsRecords(made, dns, pause);
  if (ask) watchAnswers(made, ask, pause);
  return made;
}
