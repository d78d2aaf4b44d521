import type { Area, Script } from "../script.ts";
import { ABSENT, changedTo, createdWith } from "./changed.ts";
import { POD, target } from "./targets.ts";

const pod = {
  spec: { containers: [{ name: "a", image: "registry.example/a:1", ports: [{ containerPort: 80 }] }] },
};
const template = { metadata: { labels: { app: "a" } }, spec: pod.spec };
const selector = { matchLabels: { app: "a" } };
const workload = { spec: { selector, template } };
const jobSpec = { template: { spec: { ...pod.spec, restartPolicy: "Never" } } };

const CONTAINER = "spec.containers.0";

const pods: Script[] = [
  ...createdWith(POD, pod, {
    "spec.containers": [[], ABSENT, null, [{ name: "a", image: "i" }, { name: "a", image: "j" }]],
    [`${CONTAINER}.name`]: ["", ABSENT, "A_b", "x".repeat(64)],
    [`${CONTAINER}.image`]: ["", ABSENT, " a", "a "],
    [`${CONTAINER}.imagePullPolicy`]: ["Sometimes", "Never"],
    [`${CONTAINER}.ports.0.containerPort`]: [0, 65536, -1, "80"],
    [`${CONTAINER}.ports.0.hostPort`]: [65536, 80],
    [`${CONTAINER}.ports.0.protocol`]: ["HTTP", "SCTP", "udp"],
    [`${CONTAINER}.ports.0.name`]: ["http", "HTTP", "x".repeat(16), "1"],
    [`${CONTAINER}.ports`]: [[{ containerPort: 80, name: "a" }, { containerPort: 81, name: "a" }]],
    [`${CONTAINER}.env`]: [
      [{ name: "", value: "a" }],
      [{ name: "A=B", value: "a" }],
      [{ name: "1A", value: "a" }],
      [{ name: "A", value: "a" }, { name: "A", value: "b" }],
      [{ name: "A", valueFrom: {} }],
      [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
      [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.nothing" } } }],
      [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
      [{ name: "A", valueFrom: { secretKeyRef: { name: "s" } } }],
      [{ name: "A", valueFrom: { secretKeyRef: { name: "S_", key: "k" } } }],
      [{ name: "A", valueFrom: { configMapKeyRef: { name: "s", key: "a b" } } }],
      [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } }],
      [{ name: "A", valueFrom: { resourceFieldRef: { resource: "nothing" } } }],
    ],
    [`${CONTAINER}.envFrom`]: [
      [{}],
      [{ configMapRef: { name: "a" }, secretRef: { name: "b" } }],
      [{ prefix: "a=", configMapRef: { name: "a" } }],
      [{ configMapRef: { name: "" } }],
    ],
    [`${CONTAINER}.resources`]: [
      { requests: { cpu: "2" }, limits: { cpu: "1" } },
      { requests: { cpu: "-1" } },
      { requests: { cpu: "abc" } },
      { limits: { memory: "64Mi" } },
      { limits: { memory: "1.5" } },
      { requests: { "example.com/gpu": "1" } },
      { limits: { "example.com/gpu": "1" } },
      { limits: { "example.com/gpu": "1500m" } },
      { limits: { gpu: "1" } },
      { limits: { "hugepages-2Mi": "2Mi" } },
      { requests: { cpu: "0.0001" } },
      { claims: [{ name: "x" }] },
    ],
    [`${CONTAINER}.volumeMounts`]: [
      [{ name: "v", mountPath: "/v" }],
      [{ name: "", mountPath: "/v" }],
      [{ name: "v", mountPath: "" }],
    ],
    [`${CONTAINER}.livenessProbe`]: [
      {},
      { httpGet: { port: 80 }, tcpSocket: { port: 80 } },
      { httpGet: { port: 0 } },
      { httpGet: { port: "http" } },
      { httpGet: { port: "HTTP_" } },
      { httpGet: { port: 80, scheme: "FTP" } },
      { httpGet: { port: 80, path: "" } },
      { exec: { command: [] } },
      { grpc: { port: 0 } },
      { tcpSocket: { port: 80 }, successThreshold: 2 },
      { tcpSocket: { port: 80 }, periodSeconds: -1 },
      { tcpSocket: { port: 80 }, timeoutSeconds: 0 },
      { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 0 },
    ],
    [`${CONTAINER}.readinessProbe`]: [
      { tcpSocket: { port: 80 }, successThreshold: 2 },
      { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 1 },
    ],
    [`${CONTAINER}.lifecycle`]: [{ preStop: {} }, { postStart: { sleep: { seconds: 0 } } }, {
      preStop: { sleep: { seconds: 60 } },
    }],
    [`${CONTAINER}.securityContext`]: [
      { privileged: true, allowPrivilegeEscalation: false },
      { runAsUser: -1 },
      { capabilities: { add: ["NET_ADMIN"] } },
      { procMount: "Wrong" },
      { seccompProfile: { type: "Localhost" } },
      { seccompProfile: { type: "Wrong" } },
    ],
    [`${CONTAINER}.terminationMessagePolicy`]: ["Wrong", "FallbackToLogsOnError"],
    [`${CONTAINER}.resizePolicy`]: [[{ resourceName: "cpu", restartPolicy: "Wrong" }]],
    [`${CONTAINER}.restartPolicy`]: ["Always", "Wrong"],
    [`${CONTAINER}.stdin`]: [true, "yes"],
    "spec.initContainers": [
      [{ name: "a", image: "i" }],
      [{ name: "i", image: "i", livenessProbe: { tcpSocket: { port: 80 } } }],
      [{ name: "i", image: "i", restartPolicy: "Always", livenessProbe: { tcpSocket: { port: 80 } } }],
      [{ name: "i", image: "i", lifecycle: { preStop: { exec: { command: ["a"] } } } }],
    ],
    "spec.ephemeralContainers": [[{ name: "e", image: "i" }]],
    "spec.restartPolicy": ["Sometimes", "Never", ""],
    "spec.dnsPolicy": ["Wrong", "None", "Default"],
    "spec.dnsConfig": [{ nameservers: ["nothing"] }, { nameservers: ["1.1.1.1"], searches: ["a..b"] }],
    "spec.nodeName": ["A_", "node"],
    "spec.nodeSelector": [{ "a b": "c" }, { a: "b" }],
    "spec.serviceAccountName": ["A_", "sa"],
    "spec.hostname": ["A_", "h"],
    "spec.subdomain": ["A_"],
    "spec.activeDeadlineSeconds": [0, -1, 10],
    "spec.terminationGracePeriodSeconds": [-1, 0],
    "spec.priorityClassName": ["nothing", "system-cluster-critical"],
    "spec.priority": [5],
    "spec.schedulerName": ["", "A_"],
    "spec.schedulingGates": [[{ name: "a" }], [{ name: "a b" }], [{ name: "x.example/a" }, { name: "x.example/a" }]],
    "spec.readinessGates": [[{ conditionType: "a b" }], [{ conditionType: "a.example/b" }]],
    "spec.imagePullSecrets": [[{ name: "" }], [{}], [{ name: "a" }]],
    "spec.hostAliases": [[{ ip: "x" }], [{ ip: "1.2.3.4", hostnames: ["a_"] }], [{ hostnames: ["a"] }]],
    "spec.hostNetwork": [true],
    "spec.securityContext": [
      { runAsUser: -1 },
      { fsGroup: 5, supplementalGroups: [-1] },
      { sysctls: [{ name: "a b", value: "1" }] },
      { sysctls: [{ name: "kernel.a", value: "1" }, { name: "kernel.a", value: "2" }] },
      { fsGroupChangePolicy: "Wrong" },
      { runAsNonRoot: true, runAsUser: 0 },
    ],
    "spec.tolerations": [
      [{ operator: "Exists" }],
      [{ key: "a", operator: "Wrong" }],
      [{ key: "a", operator: "Exists", value: "b" }],
      [{ operator: "Equal", value: "b" }],
      [{ key: "a", effect: "Wrong" }],
      [{ key: "a", effect: "NoSchedule", tolerationSeconds: 5 }],
      [{ key: "a b" }],
    ],
    "spec.affinity": [
      { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
      {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "Wrong" }] }],
          },
        },
      },
      {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In" }] }],
          },
        },
      },
      {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }],
        },
      },
      { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: selector }] } },
      {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{
            weight: 101,
            podAffinityTerm: { topologyKey: "a", labelSelector: selector },
          }],
        },
      },
    ],
    "spec.topologySpreadConstraints": [
      [{ maxSkew: 0, topologyKey: "a", whenUnsatisfiable: "DoNotSchedule" }],
      [{ maxSkew: 1, topologyKey: "", whenUnsatisfiable: "DoNotSchedule" }],
      [{ maxSkew: 1, topologyKey: "a", whenUnsatisfiable: "Wrong" }],
      [{ maxSkew: 1, topologyKey: "a", whenUnsatisfiable: "ScheduleAnyway", minDomains: 2 }],
      [
        { maxSkew: 1, topologyKey: "a", whenUnsatisfiable: "DoNotSchedule" },
        { maxSkew: 2, topologyKey: "a", whenUnsatisfiable: "DoNotSchedule" },
      ],
    ],
    "spec.preemptionPolicy": ["Wrong"],
    "spec.os": [{ name: "linux" }, { name: "plan9" }],
    "spec.volumes": [
      [{ name: "v" }],
      [{ name: "V_" }],
      [{ name: "v", emptyDir: {} }, { name: "v", emptyDir: {} }],
      [{ name: "v", emptyDir: {}, configMap: { name: "c" } }],
      [{ name: "v", emptyDir: { sizeLimit: "-1" } }],
      [{ name: "v", emptyDir: { medium: "Wrong" } }],
      [{ name: "v", secret: {} }],
      [{ name: "v", secret: { secretName: "s", defaultMode: 1000 } }],
      [{ name: "v", secret: { secretName: "s", items: [{ key: "a" }] } }],
      [{ name: "v", secret: { secretName: "s", items: [{ key: "a", path: "../a" }] } }],
      [{ name: "v", configMap: {} }],
      [{ name: "v", configMap: { name: "c", items: [{ key: "", path: "a" }] } }],
      [{ name: "v", hostPath: { path: "" } }],
      [{ name: "v", hostPath: { path: "/a/../b" } }],
      [{ name: "v", hostPath: { path: "/a", type: "Wrong" } }],
      [{ name: "v", persistentVolumeClaim: { claimName: "" } }],
      [{ name: "v", nfs: { server: "", path: "a" } }],
      [{ name: "v", csi: { driver: "" } }],
      [{ name: "v", downwardAPI: { items: [{ path: "a", fieldRef: { fieldPath: "spec.nodeName" } }] } }],
      [{ name: "v", projected: { sources: [{}] } }],
      [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 5 } }] } }],
      [{
        name: "v",
        projected: {
          sources: [{ secret: { name: "a", items: [{ key: "a", path: "p" }] } }, {
            configMap: { name: "b", items: [{ key: "a", path: "p" }] },
          }],
        },
      }],
      [{ name: "v", ephemeral: {} }],
      [{ name: "v", image: { reference: "" } }],
    ],
  }),
  ...createdWith(POD, { spec: { ...pod.spec, volumes: [{ name: "v", emptyDir: {} }] } }, {
    [`${CONTAINER}.volumeMounts`]: [
      [{ name: "v", mountPath: "/v" }],
      [{ name: "v", mountPath: "/v" }, { name: "v", mountPath: "/v" }],
      [{ name: "v", mountPath: "/v", subPath: "../a" }],
      [{ name: "v", mountPath: "/v", subPath: "a", subPathExpr: "b" }],
      [{ name: "v", mountPath: "/a:b" }],
      [{ name: "v", mountPath: "/v", mountPropagation: "Bidirectional" }],
      [{ name: "v", mountPath: "/v", mountPropagation: "Wrong" }],
    ],
    [`${CONTAINER}.volumeDevices`]: [[{ name: "v", devicePath: "/d" }]],
  }, "Pod of a volume"),
  ...changedTo(POD, pod, {
    "spec.containers": [
      [{ name: "a", image: "registry.example/a:2" }],
      [{ name: "a", image: "registry.example/a:1", ports: [{ containerPort: 80 }], env: [{ name: "A", value: "b" }] }],
      [],
    ],
    "spec.nodeName": ["n"],
    "spec.activeDeadlineSeconds": [10],
    "spec.terminationGracePeriodSeconds": [1],
    "spec.tolerations": [[{ operator: "Exists" }], []],
    "spec.restartPolicy": ["Never"],
    "spec.serviceAccountName": ["b"],
    "spec.nodeSelector": [{ a: "b" }],
    "spec.hostname": ["b"],
    "metadata.labels": [{ a: "b" }, { "a b": "c" }],
  }),
];

const DEPLOYMENT = target("apps/v1", "Deployment", "deployments");
const deployments: Script[] = [
  ...createdWith(DEPLOYMENT, workload, {
    "spec.replicas": [-1, 0, "1", 1.5],
    "spec.selector": [
      ABSENT,
      {},
      { matchLabels: { app: "b" } },
      {
        matchExpressions: [{ key: "app", operator: "Wrong", values: ["a"] }],
      },
      { matchExpressions: [{ key: "app", operator: "In" }] },
      {
        matchExpressions: [{ key: "app", operator: "Exists", values: ["a"] }],
      },
      { matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] },
      { matchLabels: { "a b": "c" } },
    ],
    "spec.template": [ABSENT, {}],
    "spec.template.metadata.labels": [ABSENT, { app: "b" }, { "a b": "c" }],
    "spec.template.spec.restartPolicy": ["Never", "OnFailure"],
    "spec.template.spec.activeDeadlineSeconds": [5],
    "spec.template.spec.containers.0.image": [ABSENT],
    "spec.strategy": [
      { type: "Wrong" },
      { type: "Recreate", rollingUpdate: {} },
      { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
      { rollingUpdate: { maxUnavailable: "101%" } },
      { rollingUpdate: { maxUnavailable: "x" } },
      { rollingUpdate: { maxSurge: -1 } },
      { type: "Recreate" },
    ],
    "spec.minReadySeconds": [-1, 700],
    "spec.progressDeadlineSeconds": [-1, 0],
    "spec.revisionHistoryLimit": [-1],
    "spec.paused": [true],
  }),
  ...changedTo(DEPLOYMENT, workload, {
    "spec.selector": [{ matchLabels: { app: "b" } }, ABSENT],
    "spec.replicas": [3, ABSENT],
    "spec.template.metadata.labels": [{ app: "b" }, { app: "a", more: "b" }],
    "spec.strategy": [{ type: "Recreate" }, { type: "Recreate", rollingUpdate: null }],
  }),
];

const STATEFUL_SET = target("apps/v1", "StatefulSet", "statefulsets");
const stateful = { spec: { ...workload.spec, serviceName: "s" } };
const claim = {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};
const statefulSets: Script[] = [
  ...createdWith(STATEFUL_SET, stateful, {
    "spec.serviceName": [ABSENT, "A_"],
    "spec.replicas": [-1],
    "spec.podManagementPolicy": ["Wrong", "Parallel"],
    "spec.updateStrategy": [
      { type: "Wrong" },
      { type: "OnDelete" },
      { type: "OnDelete", rollingUpdate: { partition: 1 } },
      { type: "RollingUpdate", rollingUpdate: { partition: -1 } },
    ],
    "spec.persistentVolumeClaimRetentionPolicy": [{ whenDeleted: "Wrong" }, { whenDeleted: "Delete" }],
    "spec.volumeClaimTemplates": [[claim], [{ metadata: { name: "data" } }]],
    "spec.ordinals": [{ start: -1 }, { start: 2 }],
    "spec.minReadySeconds": [-1],
    "spec.template.spec.restartPolicy": ["Never"],
    "spec.selector": [{ matchLabels: { app: "b" } }],
  }),
  ...changedTo(STATEFUL_SET, { spec: { ...stateful.spec, volumeClaimTemplates: [claim] } }, {
    "spec.replicas": [5],
    "spec.serviceName": ["other"],
    "spec.podManagementPolicy": ["Parallel"],
    "spec.selector": [{ matchLabels: { app: "a", b: "c" } }],
    "spec.volumeClaimTemplates": [[]],
    "spec.template.spec.terminationGracePeriodSeconds": [3],
    "spec.minReadySeconds": [3],
    "spec.revisionHistoryLimit": [3],
    "spec.updateStrategy": [{ type: "OnDelete", rollingUpdate: null }],
  }),
];

const DAEMON_SET = target("apps/v1", "DaemonSet", "daemonsets");
const REPLICA_SET = target("apps/v1", "ReplicaSet", "replicasets");
const sets: Script[] = [
  ...createdWith(DAEMON_SET, workload, {
    "spec.updateStrategy": [
      { type: "Wrong" },
      { type: "OnDelete" },
      { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
    ],
    "spec.selector": [{ matchLabels: { app: "b" } }],
    "spec.template.spec.restartPolicy": ["Never"],
    "spec.minReadySeconds": [-1],
  }),
  ...changedTo(DAEMON_SET, workload, {
    "spec.selector": [{ matchLabels: { app: "a", b: "c" } }],
    "spec.template.spec.terminationGracePeriodSeconds": [3],
  }),
  ...createdWith(REPLICA_SET, workload, {
    "spec.replicas": [-1, 2],
    "spec.selector": [ABSENT, { matchLabels: { app: "b" } }],
    "spec.template": [ABSENT],
    "spec.minReadySeconds": [-1],
  }),
  ...changedTo(REPLICA_SET, workload, {
    "spec.selector": [{ matchLabels: { app: "a", b: "c" } }],
    "spec.replicas": [2, -2],
  }),
];

const JOB = target("batch/v1", "Job", "jobs"), CRON_JOB = target("batch/v1", "CronJob", "cronjobs");
const suspended = { spec: { ...jobSpec, suspend: true } };
const jobs: Script[] = [
  ...createdWith(JOB, { spec: jobSpec }, {
    "spec.template.spec.restartPolicy": [ABSENT, "Always", "OnFailure"],
    "spec.parallelism": [-1, 0],
    "spec.completions": [-1, 3],
    "spec.backoffLimit": [-1],
    "spec.activeDeadlineSeconds": [-1],
    "spec.ttlSecondsAfterFinished": [-1, 0],
    "spec.completionMode": ["Wrong", "Indexed"],
    "spec.manualSelector": [true],
    "spec.selector": [{ matchLabels: { a: "b" } }],
    "spec.suspend": [true],
    "spec.backoffLimitPerIndex": [1],
    "spec.maxFailedIndexes": [1],
    "spec.podReplacementPolicy": ["Failed", "Wrong"],
    "spec.managedBy": ["a", "example.com/a"],
    "spec.podFailurePolicy": [
      { rules: [] },
      { rules: [{ action: "Wrong", onExitCodes: { operator: "In", values: [1] } }] },
      { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [0] } }] },
      { rules: [{ action: "FailJob", onExitCodes: { operator: "NotIn", values: [2, 1] } }] },
      { rules: [{ action: "FailJob" }] },
      { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] },
    ],
  }),
  ...changedTo(JOB, { spec: jobSpec }, {
    "spec.completions": [5],
    "spec.parallelism": [5],
    "spec.selector": [{ matchLabels: { a: "b" } }],
    "spec.template.spec.terminationGracePeriodSeconds": [3],
    "spec.completionMode": ["Indexed"],
    "spec.backoffLimit": [3],
    "spec.suspend": [true],
    "spec.ttlSecondsAfterFinished": [5],
  }),
  ...changedTo(JOB, suspended, { "spec.template.spec.nodeSelector": [{ a: "b" }], "spec.suspend": [false] }),
  ...createdWith(CRON_JOB, { spec: { schedule: "*/5 * * * *", jobTemplate: { spec: jobSpec } } }, {
    "spec.schedule": [
      "",
      "x",
      "* * * *",
      "60 * * * *",
      "@hourly",
      "@every 5m",
      "TZ=UTC * * * * *",
      "0 0 31 2 *",
      "1-5/2,7 * * JAN MON",
    ],
    "spec.timeZone": ["Europe/Berlin", "Nowhere/Never", "", "Local", " UTC"],
    "spec.concurrencyPolicy": ["Wrong", "Forbid"],
    "spec.startingDeadlineSeconds": [-1, 5],
    "spec.successfulJobsHistoryLimit": [-1],
    "spec.failedJobsHistoryLimit": [-1],
    "spec.jobTemplate.spec.template.spec.restartPolicy": [ABSENT],
    "spec.jobTemplate.spec.manualSelector": [true],
    "spec.jobTemplate.spec.selector": [{ matchLabels: { a: "b" } }],
    "metadata.name": ["x".repeat(53)],
  }),
];

/** Rules of pods and of what makes them. */
export const builtinWorkloads: Area = {
  name: "builtin_workloads",
  scripts: [...pods, ...deployments, ...statefulSets, ...sets, ...jobs],
};
