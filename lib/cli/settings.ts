import { LOG_LEVELS, type LogLevel } from "../base/mod.ts";
import { WEBHOOK_PORT } from "../admission/mod.ts";
import {
  choice,
  duration,
  globs,
  host,
  integer,
  labels,
  optionalInteger,
  type Setting,
  text,
  webhookAddress,
} from "./setting.ts";

/** The values of the common settings. */
export interface Settings {
  /** Lowest logged level. */
  readonly logLevel: LogLevel;
  /** One line per record, for people or machines. */
  readonly logFormat: "text" | "json";
  /** `auto`: in-cluster, else kubeconfig. */
  readonly cluster: "auto" | "embedded";
  /** Path; the usual places if empty. */
  readonly kubeconfig: string;
  /** Kubeconfig context; the current one if empty. */
  readonly context: string;
  /** Globs of namespaces to work in, separated by commas; all if empty. */
  readonly namespaces: readonly string[];
  /** Address of probes and metrics. */
  readonly httpHost: string;
  /** Port of probes and metrics; 0 takes a free one. */
  readonly httpPort: number;
  /** Whether replicas elect a leader, or share the namespaces. */
  readonly leaderElection: "off" | "on" | "shards";
  /** Milliseconds that replicas or peers wait for a Lease that is not renewed. */
  readonly leaseDurationMs: number;
  /** Milliseconds after its last renewal in which a holder still relies on its Lease. */
  readonly leaseRenewDeadlineMs: number;
  /** Milliseconds between renewals. */
  readonly leaseRetryPeriodMs: number;
  /** `NAME` or `NAMESPACE/NAME`; none if empty. */
  readonly peering: string;
  /** Among peers; undefined if unset. */
  readonly priority: number | undefined;
  /** Milliseconds in which running work may finish. */
  readonly gracePeriodMs: number;
  /** Concurrent reconciles of one kind. */
  readonly workersMax: number;
  /** Longest run of a handler, in milliseconds. */
  readonly handlerTimeoutMs: number;
  /** Milliseconds after a first failure. */
  readonly backoffInitialMs: number;
  /** Longest delay after failures, in milliseconds. */
  readonly backoffMaxMs: number;
  /** Longest silence of a watch, in milliseconds. */
  readonly stalenessMaxMs: number;
  /** Milliseconds of silence after which a watch's connection is treated as dead. */
  readonly watchIdleMaxMs: number;
  /** Objects per page of a list. */
  readonly pageLimit: number;
  /** Milliseconds per attempt of a request. */
  readonly requestTimeoutMs: number;
  /** Attempts after the first. */
  readonly requestRetriesMax: number;
  /** Milliseconds to wait until a store shows what a pass wrote. */
  readonly ownWriteWaitMaxMs: number;
  /** Address that serves webhooks. */
  readonly webhookHost: string;
  /** Port of webhooks; 0 takes a free one. */
  readonly webhookPort: number;
  /** Where the API server reaches webhooks from outside. */
  readonly webhookUrl: string;
}

/** The settings of every operator's binary. An operator may add its own. */
export const SETTINGS: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  logLevel: choice({
    env: "PINTLE_LOG_LEVEL",
    flag: "log-level",
    default: "info",
    description: "Lowest level that is logged",
  }, LOG_LEVELS),
  logFormat: choice({
    env: "PINTLE_LOG_FORMAT",
    flag: "log-format",
    default: "text",
    description: "One line per record, for people (text) or machines (json)",
  }, ["text", "json"]),
  cluster: choice({
    env: "PINTLE_CLUSTER",
    flag: "cluster",
    default: "auto",
    description: "Which cluster: auto (in-cluster, else kubeconfig) or embedded (an API server in this process)",
  }, ["auto", "embedded"]),
  kubeconfig: text({
    env: "PINTLE_KUBECONFIG",
    flag: "kubeconfig",
    default: "",
    description: "Kubeconfig file; if empty KUBECONFIG, then the pod's service account, then ~/.kube/config",
  }, "FILE"),
  context: text({
    env: "PINTLE_CONTEXT",
    flag: "context",
    default: "",
    description: "Context of the kubeconfig; the current context if empty",
  }, "NAME"),
  namespaces: globs({
    env: "PINTLE_NAMESPACES",
    flag: "namespaces",
    default: "",
    description: "Namespaces to reconcile, such as team-*,!team-legacy; all if empty",
  }),
  httpHost: host({
    env: "PINTLE_HTTP_HOST",
    flag: "http-host",
    default: "127.0.0.1",
    description: "Address of /livez, /readyz and /metrics",
  }),
  httpPort: integer({
    env: "PINTLE_HTTP_PORT",
    flag: "http-port",
    default: "8080",
    description: "Port of /livez, /readyz and /metrics; 0 picks a free one",
  }, { min: 0, max: 65_535 }),
  leaderElection: choice({
    env: "PINTLE_LEADER_ELECTION",
    flag: "leader-election",
    default: "off",
    description: "on: replicas elect a leader; shards: they divide the namespaces. Every replica fills its stores",
  }, ["off", "on", "shards"]),
  leaseDurationMs: duration({
    env: "PINTLE_LEASE_DURATION",
    flag: "lease-duration",
    default: "15s",
    description: "Time without a renewal after which other replicas or peers take over a Lease",
  }),
  leaseRenewDeadlineMs: duration({
    env: "PINTLE_LEASE_RENEW_DEADLINE",
    flag: "lease-renew-deadline",
    default: "10s",
    description: "Time without a renewal after which the holder of a Lease stops; shorter than the lease duration",
  }),
  leaseRetryPeriodMs: duration({
    env: "PINTLE_LEASE_RETRY_PERIOD",
    flag: "lease-retry-period",
    default: "2s",
    description: "Time between two renewals; less than a third of the renew deadline",
  }),
  peering: labels({
    env: "PINTLE_PEERING",
    flag: "peering",
    default: "",
    description: "Name of the peering; only its operators of the highest priority work; no peering if empty",
  }, ["NAMESPACE", "NAME"]),
  priority: optionalInteger(
    {
      env: "PINTLE_PRIORITY",
      flag: "priority",
      default: "",
      description: "Priority among peers: 0 for run, 100 for freeze if empty; joins the peering of the operator's name",
    },
    0,
    1_000_000,
  ),
  gracePeriodMs: duration({
    env: "PINTLE_GRACE_PERIOD",
    flag: "grace-period",
    default: "25s",
    description:
      "Time for running handlers to finish after SIGTERM or Ctrl-C; a second signal ends the process at once",
  }, { zero: true }),
  workersMax: integer({
    env: "PINTLE_WORKERS_MAX",
    flag: "workers-max",
    default: "16",
    description: "Maximum of concurrent reconciles per kind",
  }, { min: 1, max: 1_000 }),
  handlerTimeoutMs: duration({
    env: "PINTLE_HANDLER_TIMEOUT",
    flag: "handler-timeout",
    default: "5m",
    description: "Timeout of a handler that sets none of its own",
  }),
  backoffInitialMs: duration({
    env: "PINTLE_BACKOFF_INITIAL",
    flag: "backoff-initial",
    default: "500ms",
    description: "Delay after an object's first failure; each further failure doubles it",
  }),
  backoffMaxMs: duration({
    env: "PINTLE_BACKOFF_MAX",
    flag: "backoff-max",
    default: "5m",
    description: "Longest delay after failures",
  }),
  stalenessMaxMs: duration({
    env: "PINTLE_STALENESS_MAX",
    flag: "staleness-max",
    default: "5m",
    description: "How long a watch may be silent before /readyz fails",
  }),
  watchIdleMaxMs: duration({
    env: "PINTLE_WATCH_IDLE_MAX",
    flag: "watch-idle-max",
    default: "70s",
    description: "How long a watch may be silent, without even a bookmark, before it is reopened",
  }),
  pageLimit: integer({
    env: "PINTLE_PAGE_LIMIT",
    flag: "page-limit",
    default: "500",
    description: "Objects per page of a list, where the server has no streaming lists",
  }, { min: 1, max: 10_000 }),
  requestTimeoutMs: duration({
    env: "PINTLE_REQUEST_TIMEOUT",
    flag: "request-timeout",
    default: "60s",
    description: "Timeout of one attempt of a request",
  }),
  requestRetriesMax: integer({
    env: "PINTLE_REQUEST_RETRIES_MAX",
    flag: "request-retries-max",
    default: "4",
    description: "Maximum of retries of a request that is safe to repeat",
  }, { min: 0, max: 100 }),
  ownWriteWaitMaxMs: duration({
    env: "PINTLE_OWN_WRITE_WAIT_MAX",
    flag: "own-write-wait-max",
    default: "5s",
    description: "Longest time that a reconcile waits until the store shows the writes of the last one",
  }, { zero: true }),
  webhookHost: host({
    env: "PINTLE_WEBHOOK_HOST",
    flag: "webhook-host",
    default: "0.0.0.0",
    description:
      "Address to serve admission and conversion webhooks on; with an automatic URL the default is the address of that URL",
  }),
  webhookPort: integer({
    env: "PINTLE_WEBHOOK_PORT",
    flag: "webhook-port",
    default: String(WEBHOOK_PORT),
    description: "Port of webhooks; 0 picks a free one",
  }, { min: 0, max: 65_535 }),
  webhookUrl: webhookAddress({
    env: "PINTLE_WEBHOOK_URL",
    flag: "webhook-url",
    default: "",
    description:
      "Outside of the cluster: https address at which the API server calls webhooks; auto finds it for kind and similar clusters",
  }),
};
