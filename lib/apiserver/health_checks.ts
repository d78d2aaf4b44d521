const FIRST = ["ping", "log"], LIVE = ["loopback-serving-certificate", "etcd"];
const READY = ["etcd", "etcd-readiness", "informer-sync"];

/** The hooks of kube-apiserver: probes and dashboards ask for some of them by name. */
const HOOKS = [
  "start-apiserver-admission-initializer",
  "generic-apiserver-start-informers",
  "priority-and-fairness-config-consumer",
  "priority-and-fairness-filter",
  "storage-object-count-tracker-hook",
  "start-apiextensions-informers",
  "start-apiextensions-controllers",
  "crd-informer-synced",
  "start-system-namespaces-controller",
  "peer-endpoint-reconciler-controller",
  "start-cluster-authentication-info-controller",
  "start-kube-apiserver-identity-lease-controller",
  "start-kube-apiserver-identity-lease-garbage-collector",
  "storage-readiness",
  "start-legacy-token-tracking-controller",
  "start-service-ip-repair-controllers",
  "rbac/bootstrap-roles",
  "scheduling/bootstrap-system-priority-classes",
  "priority-and-fairness-config-producer",
  "bootstrap-controller",
  "start-kubernetes-service-cidr-controller",
  "start-kube-aggregator-informers",
  "apiservice-status-local-available-controller",
  "apiservice-status-remote-available-controller",
  "apiservice-registration-controller",
  "apiservice-discovery-controller",
  "kube-apiserver-autoregistration",
].map((hook) => `poststarthook/${hook}`);
const LAST = [
  "autoregister-completion",
  "poststarthook/apiservice-openapi-controller",
  "poststarthook/apiservice-openapiv3-controller",
];

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  healthz: [...FIRST, ...LIVE, ...HOOKS, ...LAST],
  livez: [...FIRST, ...LIVE, ...HOOKS, ...LAST],
  readyz: [...FIRST, ...READY, ...HOOKS, ...LAST, "shutdown"],
};

/** The paths of every endpoint and check. */
export function healthPaths(): string[] {
  return Object.entries(CHECKS).flatMap((
    [name, checks],
  ) => [`/${name}`, ...checks.map((check) => `/${name}/${check}`)]);
}

/** What `/healthz`, `/livez`, `/readyz` or one of their checks answers; undefined where there is no such check. */
export function healthText(path: string, query: URLSearchParams): string | undefined {
  const [, endpoint = "", check] = /^\/([a-z]+)(?:\/(.*))?$/.exec(path) ?? [];
  if (!Object.hasOwn(CHECKS, endpoint)) return undefined;
  const checks = CHECKS[endpoint]!;
  if (check !== undefined) return checks.includes(check) ? "ok" : undefined;
  if (!query.has("verbose")) return "ok";
  const excluded = query.getAll("exclude"), unknown = excluded.filter((name) => !checks.includes(name));
  const lines = checks.map((name) => (excluded.includes(name) ? `[+]${name} excluded: ok` : `[+]${name} ok`));
  if (unknown.length > 0) {
    const names = unknown.map((name) => `"${name}"`).join(", ");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  return `${lines.join("\n")}\n${endpoint} check passed\n`;
}
