import { isObject, jsonEqual } from "../../base/mod.ts";

type Fields = Record<string, unknown>;

/**
 * Defaults that OpenAPI lacks, by definition (kubernetes pkg/apis/…/v1 defaults.go). Runs before the children, so that
 * added structs get defaults.
 */
export function builtinDefaults(definition: string, value: Fields): void {
  if (Object.hasOwn(RULES, definition)) RULES[definition]!(value);
}

const CORE = "io.k8s.api.core.v1", APPS = "io.k8s.api.apps.v1", BATCH = "io.k8s.api.batch.v1";
const RBAC = "io.k8s.api.rbac.v1", ADMISSION = "io.k8s.api.admissionregistration.v1";
const EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"];

const RULES: Readonly<Record<string, (value: Fields) => void>> = {
  [`${CORE}.Secret`]: secret,
  [`${CORE}.Service`]: (value) => inside(value, "spec", service),
  [`${CORE}.PodSpec`]: podSpec,
  [`${CORE}.Container`]: container,
  [`${CORE}.EphemeralContainer`]: container,
  [`${CORE}.Probe`]: (value) =>
    fill(value, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  [`${CORE}.EndpointPort`]: (value) => fill(value, { protocol: "TCP" }),
  [`${CORE}.HTTPGetAction`]: (value) => fill(value, { path: "/", scheme: "HTTP" }),
  [`${CORE}.ObjectFieldSelector`]: (value) => fill(value, { apiVersion: "v1" }),
  [`${CORE}.SecretVolumeSource`]: (value) => fill(value, { defaultMode: 420 }),
  [`${CORE}.ConfigMapVolumeSource`]: (value) => fill(value, { defaultMode: 420 }),
  [`${CORE}.DownwardAPIVolumeSource`]: (value) => fill(value, { defaultMode: 420 }),
  [`${CORE}.ProjectedVolumeSource`]: (value) => fill(value, { defaultMode: 420 }),
  [`${CORE}.ServiceAccountTokenProjection`]: (value) => fill(value, { expirationSeconds: 3600 }),
  [`${CORE}.HostPathVolumeSource`]: (value) => fill(value, { type: "" }),
  [`${CORE}.PersistentVolume`]: (value) => {
    fillAlways(value, "status", { phase: "Pending" });
    fillInside(value, "spec", { volumeMode: "Filesystem", persistentVolumeReclaimPolicy: "Retain" });
  },
  [`${CORE}.ReplicationController`]: replicationController,
  [`${CORE}.Namespace`]: namespace,
  [`${CORE}.Pod`]: pod,
  [`${CORE}.PersistentVolumeClaim`]: (value) => fillAlways(value, "status", { phase: "Pending" }),
  [`${APPS}.Deployment`]: (value) => {
    inside(value, "spec", (spec) => {
      fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {} });
      const strategy = spec.strategy;
      if (!isObject(strategy)) return;
      fill(strategy, { type: "RollingUpdate" });
      if (strategy.type === "RollingUpdate") {
        fillAlways(strategy, "rollingUpdate", { maxUnavailable: "25%", maxSurge: "25%" });
      }
    });
  },
  [`${APPS}.ReplicaSet`]: (value) => fillInside(value, "spec", { replicas: 1 }),
  [`${APPS}.StatefulSet`]: (value) => inside(value, "spec", statefulSet),
  [`${APPS}.DaemonSet`]: (value) => {
    inside(value, "spec", daemonSet);
    inside(value, "metadata", (metadata) => fillAlways(metadata, "annotations", { [TEMPLATE_GENERATION]: "1" }));
  },
  [`${BATCH}.Job`]: job,
  [`${BATCH}.CronJobSpec`]: (value) =>
    fill(value, {
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    }),
  [`${RBAC}.RoleRef`]: (value) => fill(value, { apiGroup: "rbac.authorization.k8s.io" }),
  [`${RBAC}.Subject`]: (value) => {
    if (value.kind === "User" || value.kind === "Group") fill(value, { apiGroup: "rbac.authorization.k8s.io" });
  },
  [`${ADMISSION}.ValidatingWebhook`]: webhook,
  [`${ADMISSION}.MutatingWebhook`]: (value) => {
    webhook(value);
    fill(value, { reinvocationPolicy: "Never" });
  },
  [`${ADMISSION}.ValidatingAdmissionPolicySpec`]: (value) => fill(value, { failurePolicy: "Fail" }),
  [`${ADMISSION}.MutatingAdmissionPolicySpec`]: (value) => fill(value, { failurePolicy: "Fail" }),
  [`${ADMISSION}.MatchResources`]: (value) => {
    fill(value, { matchPolicy: "Equivalent" });
    fillAlways(value, "namespaceSelector", {});
    fillAlways(value, "objectSelector", {});
  },
  [`${ADMISSION}.NamedRuleWithOperations`]: (value) => fill(value, { scope: "*" }),
  [`${ADMISSION}.RuleWithOperations`]: (value) => fill(value, { scope: "*" }),
  [`${ADMISSION}.ServiceReference`]: (value) => fill(value, { port: 443 }),
  [`${EXTENSIONS}.ServiceReference`]: (value) => fill(value, { port: 443 }),
  [`${EXTENSIONS}.CustomResourceDefinitionSpec`]: customResourceDefinition,
  "io.k8s.api.networking.v1.NetworkPolicySpec": networkPolicy,
  "io.k8s.api.networking.v1.NetworkPolicyPort": (value) => fill(value, { protocol: "TCP" }),
  "io.k8s.api.networking.v1.IngressClassParametersReference": (value) => fill(value, { scope: "Cluster" }),
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec": (value) =>
    fill(value, { minReplicas: 1, targetCPUUtilizationPercentage: UTILIZATION }),
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec": autoscaler,
  "io.k8s.api.discovery.v1.EndpointPort": (value) => fill(value, { name: "", protocol: "TCP" }),
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": (value) => fill(value, { port: 443 }),
  "io.k8s.api.flowcontrol.v1.FlowSchemaSpec": (value) => fill(value, { matchingPrecedence: 1_000 }),
  "io.k8s.api.storage.v1.CSIDriverSpec": csiDriver,
  [`${CORE}.LimitRangeItem`]: limitRangeItem,
  [`${CORE}.PersistentVolumeClaimSpec`]: (value) => fill(value, { volumeMode: "Filesystem" }),
  "io.k8s.api.storage.v1.StorageClass": (value) =>
    fill(value, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
  "io.k8s.api.scheduling.v1.PriorityClass": (value) => fill(value, { preemptionPolicy: "PreemptLowerPriority" }),
};

function fill(value: Fields, defaults: Fields): void {
  for (const [field, content] of Object.entries(defaults)) {
    if (value[field] === undefined || value[field] === null) value[field] = structuredClone(content);
  }
}

function inside(value: Fields, field: string, then: (child: Fields) => void): void {
  const child = value[field];
  if (isObject(child)) then(child);
}

function fillInside(value: Fields, field: string, defaults: Fields): void {
  inside(value, field, (child) => fill(child, defaults));
}

function fillAlways(value: Fields, field: string, defaults: Fields): void {
  fill(value, { [field]: {} });
  fillInside(value, field, defaults);
}

function secret(value: Fields): void {
  fill(value, { type: "Opaque" });
}

function service(spec: Fields): void {
  fill(spec, { sessionAffinity: "None", type: "ClusterIP" });
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") {
    fillAlways(spec, "sessionAffinityConfig", {});
    inside(spec, "sessionAffinityConfig", (config) => fillAlways(config, "clientIP", { timeoutSeconds: 10_800 }));
  }
  if (spec.type !== "ExternalName") fill(spec, { internalTrafficPolicy: "Cluster" });
  const isReached = Array.isArray(spec.externalIPs) && spec.externalIPs.length > 0;
  if (spec.type === "NodePort" || spec.type === "LoadBalancer" || isReached) {
    fill(spec, { externalTrafficPolicy: "Cluster" });
  }
  if (spec.type === "LoadBalancer") fill(spec, { allocateLoadBalancerNodePorts: true });
  for (const port of Array.isArray(spec.ports) ? spec.ports : []) {
    if (isObject(port)) fill(port, { targetPort: port.port, protocol: "TCP" });
  }
}

function podSpec(spec: Fields): void {
  fill(spec, {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
  });
  if (typeof spec.serviceAccountName === "string") fill(spec, { serviceAccount: spec.serviceAccountName });
  else if (typeof spec.serviceAccount === "string") fill(spec, { serviceAccountName: spec.serviceAccount });
  for (const volume of Array.isArray(spec.volumes) ? spec.volumes : []) {
    if (isObject(volume) && Object.keys(volume).every((field) => field === "name")) fill(volume, { emptyDir: {} });
  }
}

/** Only pods turn limits into requests, templates do not. */
function pod(value: Fields): void {
  fillAlways(value, "status", { phase: "Pending" });
  inside(value, "spec", (spec) => {
    fill(spec, { enableServiceLinks: true });
    if (spec.hostNetwork === true) hostPorts(spec);
    for (const list of [spec.containers, spec.initContainers]) {
      for (const item of Array.isArray(list) ? list : []) {
        if (!isObject(item)) continue;
        inside(item, "resources", (resources) => {
          if (isObject(resources.limits)) fillAlways(resources, "requests", resources.limits);
        });
      }
    }
  });
}

/** Pods in the node's network have its ports. */
function hostPorts(spec: Fields): void {
  for (const item of [spec.containers, spec.initContainers].flatMap((list) => Array.isArray(list) ? list : [])) {
    const ports = isObject(item) && Array.isArray(item.ports) ? item.ports : [];
    for (const port of ports) if (isObject(port)) fill(port, { hostPort: port.containerPort });
  }
}

function container(value: Fields): void {
  const image = typeof value.image === "string" ? value.image : "";
  const tag = /:([^/@]+)(@|$)/.exec(image)?.[1];
  // What is no image's name has no default tag.
  const isName = /^[a-z0-9][\w./:@-]*$/.test(image);
  const latest = tag === "latest" || (tag === undefined && !image.includes("@") && isName);
  fill(value, {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: latest ? "Always" : "IfNotPresent",
  });
  for (const probe of PROBES) {
    inside(value, probe, (child) => inside(child, "grpc", (grpc) => fill(grpc, { service: "" })));
  }
}

function namespace(value: Fields): void {
  fillAlways(value, "status", { phase: "Active" });
  inside(value, "metadata", (metadata) => {
    if (typeof metadata.name === "string") {
      fillAlways(metadata, "labels", { "kubernetes.io/metadata.name": metadata.name });
    }
  });
}

function statefulSet(spec: Fields): void {
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: "OrderedReady" });
  fillAlways(spec, "updateStrategy", { type: "RollingUpdate" });
  inside(spec, "updateStrategy", (strategy) => {
    if (strategy.type === "RollingUpdate") fillAlways(strategy, "rollingUpdate", { partition: 0, maxUnavailable: 1 });
  });
  for (const claim of Array.isArray(spec.volumeClaimTemplates) ? spec.volumeClaimTemplates : []) {
    if (isObject(claim)) fill(claim, { apiVersion: "v1", kind: "PersistentVolumeClaim" });
  }
  fillAlways(spec, "persistentVolumeClaimRetentionPolicy", { whenDeleted: "Retain", whenScaled: "Retain" });
}

function daemonSet(spec: Fields): void {
  fill(spec, { revisionHistoryLimit: 10 });
  fillAlways(spec, "updateStrategy", { type: "RollingUpdate" });
  inside(spec, "updateStrategy", (strategy) => {
    if (strategy.type === "RollingUpdate") fillAlways(strategy, "rollingUpdate", { maxUnavailable: 1, maxSurge: 0 });
  });
}

function replicationController(value: Fields): void {
  inside(value, "spec", (spec) => {
    fill(spec, { replicas: 1 });
    const labels = isObject(spec.template) && isObject(spec.template.metadata)
      ? spec.template.metadata.labels
      : undefined;
    if (!isObject(labels)) return;
    fill(spec, { selector: labels });
    if (isObject(value.metadata)) fill(value.metadata, { labels });
  });
}

function job(value: Fields): void {
  inside(value, "spec", jobSpec);
  // The template's labels are the default.
  const labels = isObject(value.spec) && isObject(value.spec.template) && isObject(value.spec.template.metadata)
    ? value.spec.template.metadata.labels
    : undefined;
  if (isObject(labels) && isObject(value.metadata)) fill(value.metadata, { labels });
}

function jobSpec(spec: Fields): void {
  if (spec.completions === undefined && spec.parallelism === undefined) fill(spec, { completions: 1 });
  fill(spec, { parallelism: 1, completionMode: "NonIndexed", suspend: false, manualSelector: false });
  if (spec.podFailurePolicy === undefined) fill(spec, { podReplacementPolicy: "TerminatingOrFailed" });
  else fill(spec, { podReplacementPolicy: "Failed" });
  fill(spec, { backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1 });
}

function webhook(value: Fields): void {
  fill(value, {
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
}

function customResourceDefinition(spec: Fields): void {
  fill(spec, { conversion: { strategy: "None" } });
  inside(spec, "names", (names) => {
    if (typeof names.kind !== "string") return;
    fill(names, { singular: names.kind.toLowerCase(), listKind: `${names.kind}List` });
  });
}

const UTILIZATION = 80;

function autoscaler(spec: Fields): void {
  const target = { type: "Utilization", averageUtilization: UTILIZATION };
  fill(spec, { minReplicas: 1 });
  if (!Array.isArray(spec.metrics) || spec.metrics.length === 0) {
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  const percent = { type: "Percent", value: 100, periodSeconds: 15 };
  inside(spec, "behavior", (behavior) => {
    fill(behavior, { scaleUp: {}, scaleDown: {} });
    const up = [{ type: "Pods", value: 4, periodSeconds: 15 }, percent];
    fillInside(behavior, "scaleUp", { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: up });
    fillInside(behavior, "scaleDown", { selectPolicy: "Max", policies: [percent] });
  });
}

function csiDriver(spec: Fields): void {
  fill(spec, {
    attachRequired: true,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    podInfoOnMount: false,
    preventPodSchedulingIfMissing: false,
    requiresRepublish: false,
    seLinuxMount: false,
    storageCapacity: false,
    volumeLifecycleModes: ["Persistent"],
  });
}

/** Limits of containers: the default is the most, the default request the default or the least. */
function limitRangeItem(limit: Fields): void {
  if (limit.type !== "Container") return;
  const of = (field: string): Fields => (isObject(limit[field]) ? limit[field] : {});
  const defaults = { ...of("max"), ...of("default") };
  const requests = { ...of("max"), ...of("min"), ...defaults, ...of("defaultRequest") };
  for (const [name, value] of Object.entries(of("min"))) {
    if (!Object.hasOwn(of("default"), name) && !Object.hasOwn(of("max"), name)) requests[name] = value;
  }
  if (Object.keys(defaults).length > 0) limit.default = defaults;
  if (Object.keys(requests).length > 0) limit.defaultRequest = requests;
}

function networkPolicy(spec: Fields): void {
  if (Array.isArray(spec.policyTypes) && spec.policyTypes.length > 0) return;
  const egress = Array.isArray(spec.egress) && !jsonEqual(spec.egress, []);
  spec.policyTypes = egress ? ["Ingress", "Egress"] : ["Ingress"];
}
