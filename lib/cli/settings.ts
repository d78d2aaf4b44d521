import { LOG_LEVELS } from "../base/log.ts";
import { choice, duration, integer, type Setting, type SettingValues, text } from "./setting.ts";

/** The settings of every operator's binary. An operator may add its own to the table. */
export const SETTINGS = {
  logLevel: choice({
    env: "PINTLE_LOG_LEVEL",
    flag: "log-level",
    fallback: "info",
    description: "Lowest level that is logged",
  }, LOG_LEVELS),
  logFormat: choice({
    env: "PINTLE_LOG_FORMAT",
    flag: "log-format",
    fallback: "text",
    description: "One line per record, for people (text) or machines (json)",
  }, ["text", "json"]),
  cluster: choice({
    env: "PINTLE_CLUSTER",
    flag: "cluster",
    fallback: "auto",
    description: "Which cluster: auto (in-cluster, else kubeconfig) or embedded (an API server in this process)",
  }, ["auto", "embedded"]),
  kubeconfig: text({
    env: "PINTLE_KUBECONFIG",
    flag: "kubeconfig",
    fallback: "",
    description: "Kubeconfig file; KUBECONFIG, the pod's service account, then ~/.kube/config where empty",
  }, "FILE"),
  context: text({
    env: "PINTLE_CONTEXT",
    flag: "context",
    fallback: "",
    description: "Context of the kubeconfig; its current one where empty",
  }, "NAME"),
  httpHost: text({
    env: "PINTLE_HTTP_HOST",
    flag: "http-host",
    fallback: "127.0.0.1",
    description: "Address of /livez, /readyz and /metrics",
  }, "ADDRESS"),
  httpPort: integer(
    {
      env: "PINTLE_HTTP_PORT",
      flag: "http-port",
      fallback: "8080",
      description: "Port of /livez, /readyz and /metrics; 0 takes any free one",
    },
    0,
    65_535,
  ),
  leaderElection: choice({
    env: "PINTLE_LEADER_ELECTION",
    flag: "leader-election",
    fallback: "off",
    description: "Whether replicas elect one that works, while the others stand by with their stores filled",
  }, ["off", "on"]),
  gracePeriodMs: duration({
    env: "PINTLE_GRACE_PERIOD",
    flag: "grace-period",
    fallback: "25s",
    description: "How long work under way may take to finish after SIGTERM",
  }),
  workersMax: integer(
    {
      env: "PINTLE_WORKERS_MAX",
      flag: "workers-max",
      fallback: "16",
      description: "Objects of one kind that are reconciled at the same time",
    },
    1,
    1_000,
  ),
  handlerTimeoutMs: duration({
    env: "PINTLE_HANDLER_TIMEOUT",
    flag: "handler-timeout",
    fallback: "5m",
    description: "Longest run of a handler that names no timeout of its own",
  }),
  backoffInitialMs: duration({
    env: "PINTLE_BACKOFF_INITIAL",
    flag: "backoff-initial",
    fallback: "500ms",
    description: "Delay after an object's first failure; it doubles with each further one",
  }),
  backoffMaxMs: duration({
    env: "PINTLE_BACKOFF_MAX",
    flag: "backoff-max",
    fallback: "5m",
    description: "Longest delay after failures",
  }),
  stalenessMaxMs: duration({
    env: "PINTLE_STALENESS_MAX",
    flag: "staleness-max",
    fallback: "5m",
    description: "How long a watch may be silent before /readyz fails",
  }),
} satisfies Record<string, Setting<unknown>>;

/** The values of the common settings. */
export type Settings = SettingValues<typeof SETTINGS>;
