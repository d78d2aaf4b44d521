import { type Area, crdOf, create, define, get, patch, remove, type Script, type Step } from "../script.ts";
import { podSpec } from "./pods.ts";

const TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1";
const selector = { matchLabels: { a: "b", c: "d" } };
const template = { metadata: { labels: { a: "b", c: "d" } }, spec: podSpec };
const jobTemplate = { spec: { ...podSpec, restartPolicy: "Never" } };
const RBAC = "rbac.authorization.k8s.io/v1";

interface Printed {
  /** Of its collection; absolute for a kind of the cluster. */
  readonly path: string;
  readonly object: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}

const webhooks = (name: string) => [{
  name,
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { service: { name: "s", namespace: "n" } },
}];

const PRINTED: Readonly<Record<string, Printed>> = {
  "ConfigMap": { path: "v1/configmaps", object: { data: { a: "b" }, binaryData: { c: "ZA==" } } },
  "Secret": { path: "v1/secrets", object: { data: { a: "Yg==" }, type: "example.com/t" } },
  "ServiceAccount": { path: "v1/serviceaccounts", object: { secrets: [{ name: "a" }] } },
  "Endpoints": {
    path: "v1/endpoints",
    object: {
      subsets: [{
        addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }],
        ports: [{ name: "a", port: 1 }, { name: "b", port: 2 }],
      }],
    },
  },
  "Endpoints without subsets": { path: "v1/endpoints", object: {} },
  "EndpointSlice": {
    path: "discovery.k8s.io/v1/endpointslices",
    object: {
      addressType: "IPv4",
      endpoints: [{ addresses: ["192.0.2.1"] }, { addresses: ["192.0.2.2"] }],
      ports: [{ name: "a", port: 1 }, { port: 2 }].slice(0, 1),
    },
  },
  "EndpointSlice without ports": {
    path: "discovery.k8s.io/v1/endpointslices",
    object: { addressType: "IPv4", endpoints: [] },
  },
  "Event": {
    path: "v1/events",
    object: {
      involvedObject: { kind: "Pod", name: "p", namespace: "$ns", fieldPath: "spec.x" },
      reason: "R",
      message: " m ",
      type: "Normal",
      source: { component: "c", host: "h" },
      count: 3,
      firstTimestamp: "2020-01-01T00:00:00Z",
      lastTimestamp: "2020-01-02T00:00:00Z",
    },
  },
  "Event without times": {
    path: "v1/events",
    object: { involvedObject: { kind: "Pod", name: "p", namespace: "$ns" } },
  },
  "Event of events.k8s.io": {
    path: "events.k8s.io/v1/events",
    object: {
      eventTime: "2020-01-01T00:00:00.000000Z",
      regarding: { kind: "Pod", name: "p", namespace: "$ns" },
      reportingController: "example.com/c",
      reportingInstance: "i",
      action: "A",
      reason: "R",
      note: "n",
      type: "Warning",
    },
  },
  "LimitRange": { path: "v1/limitranges", object: { spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } } },
  "ResourceQuota": {
    path: "v1/resourcequotas",
    object: { spec: { hard: { "pods": "3", "requests.cpu": "1", "limits.memory": "1Gi" } } },
    status: {
      hard: { "pods": "3", "requests.cpu": "1", "limits.memory": "1Gi" },
      used: { "pods": "1", "requests.cpu": "0", "limits.memory": "0" },
    },
  },
  "ResourceQuota without status": { path: "v1/resourcequotas", object: { spec: { hard: {} } } },
  "PersistentVolumeClaim": {
    path: "v1/persistentvolumeclaims",
    object: {
      spec: {
        accessModes: ["ReadWriteOnce", "ReadOnlyMany"],
        resources: { requests: { storage: "1Gi" } },
        storageClassName: "s",
      },
    },
  },
  "bound PersistentVolumeClaim": {
    path: "v1/persistentvolumeclaims",
    object: {
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        storageClassName: "s",
        volumeName: "v",
        volumeMode: "Block",
      },
    },
    status: { phase: "Bound", capacity: { storage: "2Gi" }, accessModes: ["ReadWriteOnce", "ReadWriteMany"] },
  },
  "PersistentVolume": {
    path: "/api/v1/persistentvolumes",
    object: {
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        hostPath: { path: "/a" },
        storageClassName: "s",
        claimRef: { namespace: "n", name: "c" },
        volumeAttributesClassName: "",
      },
    },
    status: { phase: "Bound", reason: "R" },
  },
  "Pod": { path: "v1/pods", object: { spec: podSpec } },
  "Pod on a node": {
    path: "v1/pods",
    object: {
      spec: {
        ...podSpec,
        nodeName: "n",
        readinessGates: [{ conditionType: "example.com/a" }, { conditionType: "example.com/b" }],
        initContainers: [{ name: "i", image: "i" }, { name: "s", image: "s", restartPolicy: "Always" }],
      },
    },
    status: {
      phase: "Running",
      podIP: "192.0.2.1",
      podIPs: [{ ip: "192.0.2.1" }],
      nominatedNodeName: "m",
      conditions: [{ type: "example.com/a", status: "True" }, { type: "Ready", status: "True" }],
      containerStatuses: [{
        name: "a",
        ready: true,
        started: true,
        restartCount: 2,
        image: "a",
        imageID: "",
        state: { running: { startedAt: "2020-01-01T00:00:00Z" } },
        lastState: { terminated: { exitCode: 1, finishedAt: "2020-01-01T00:00:00Z" } },
      }],
      initContainerStatuses: [
        { name: "i", ready: true, restartCount: 0, image: "i", imageID: "", state: { terminated: { exitCode: 0 } } },
        { name: "s", ready: true, started: true, restartCount: 1, image: "s", imageID: "", state: { running: {} } },
      ],
    },
  },
  "waiting Pod": {
    path: "v1/pods",
    object: { spec: podSpec },
    status: {
      phase: "Pending",
      containerStatuses: [
        {
          name: "a",
          ready: false,
          restartCount: 0,
          image: "a",
          imageID: "",
          state: { waiting: { reason: "ErrImagePull" } },
        },
      ],
    },
  },
  "failed Pod": {
    path: "v1/pods",
    object: { spec: { ...podSpec, restartPolicy: "Never" } },
    status: {
      phase: "Failed",
      containerStatuses: [{
        name: "a",
        ready: false,
        restartCount: 0,
        image: "a",
        imageID: "",
        state: { terminated: { exitCode: 3, signal: 9 } },
      }],
    },
  },
  "evicted Pod": { path: "v1/pods", object: { spec: podSpec }, status: { phase: "Failed", reason: "Evicted" } },
  "completed Pod": {
    path: "v1/pods",
    object: { spec: podSpec },
    status: {
      phase: "Succeeded",
      containerStatuses: [
        {
          name: "a",
          ready: false,
          restartCount: 0,
          image: "a",
          imageID: "",
          state: { terminated: { exitCode: 0, reason: "Completed" } },
        },
      ],
    },
  },
  "initializing Pod": {
    path: "v1/pods",
    object: { spec: { ...podSpec, initContainers: [{ name: "i", image: "i" }, { name: "j", image: "j" }] } },
    status: {
      phase: "Pending",
      initContainerStatuses: [
        { name: "i", ready: false, restartCount: 0, image: "i", imageID: "", state: { running: {} } },
      ],
    },
  },
  "failed initializing Pod": {
    path: "v1/pods",
    object: { spec: { ...podSpec, initContainers: [{ name: "i", image: "i" }] } },
    status: {
      phase: "Pending",
      initContainerStatuses: [
        { name: "i", ready: false, restartCount: 0, image: "i", imageID: "", state: { terminated: { exitCode: 1 } } },
      ],
    },
  },
  "Pod with scheduling gates": {
    path: "v1/pods",
    object: { spec: { ...podSpec, schedulingGates: [{ name: "example.com/a" }] } },
  },
  "PodTemplate": { path: "v1/podtemplates", object: { template } },
  "ReplicationController": {
    path: "v1/replicationcontrollers",
    object: { spec: { replicas: 2, selector: { a: "b" }, template } },
    status: { replicas: 2, readyReplicas: 1 },
  },
  "Service": {
    path: "v1/services",
    object: {
      spec: {
        clusterIP: "None",
        ports: [{ name: "a", port: 80 }, { name: "b", port: 81, protocol: "UDP" }],
        selector: { a: "b" },
      },
    },
  },
  "Service of an external name": {
    path: "v1/services",
    object: { spec: { type: "ExternalName", externalName: "a.example.com" } },
  },
  "Service with external addresses": {
    path: "v1/services",
    object: { spec: { clusterIP: "None", externalIPs: ["192.0.2.1", "192.0.2.2"], ports: [{ port: 80 }] } },
  },
  "DaemonSet": {
    path: "apps/v1/daemonsets",
    object: { spec: { selector, template: { ...template, spec: { ...podSpec, nodeSelector: { x: "y" } } } } },
    status: { currentNumberScheduled: 1, numberMisscheduled: 0, desiredNumberScheduled: 2, numberReady: 1 },
  },
  "Deployment": {
    path: "apps/v1/deployments",
    object: { spec: { replicas: 3, selector, template } },
    status: { replicas: 3, readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
  },
  "ReplicaSet": {
    path: "apps/v1/replicasets",
    object: { spec: { replicas: 3, selector, template } },
    status: { replicas: 3, readyReplicas: 2 },
  },
  "StatefulSet": {
    path: "apps/v1/statefulsets",
    object: { spec: { replicas: 3, selector, template, serviceName: "s" } },
    status: { replicas: 3, readyReplicas: 2 },
  },
  "ControllerRevision": {
    path: "apps/v1/controllerrevisions",
    object: {
      revision: 3,
      data: { a: "b" },
      metadata: {
        ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "o", uid: "u", controller: true }],
      },
    },
  },
  "CronJob": {
    path: "batch/v1/cronjobs",
    object: {
      spec: {
        schedule: "1 * * * *",
        timeZone: "Etc/UTC",
        suspend: true,
        jobTemplate: { spec: { template: jobTemplate } },
      },
    },
  },
  "Job": { path: "batch/v1/jobs", object: { spec: { suspend: true, template: jobTemplate } } },
  "Job with completions": {
    path: "batch/v1/jobs",
    object: { spec: { suspend: true, completions: 3, parallelism: 2, template: jobTemplate } },
  },
  "Job of a work queue": {
    path: "batch/v1/jobs",
    object: { spec: { suspend: true, parallelism: 2, template: jobTemplate } },
  },
  "HorizontalPodAutoscaler": {
    path: "autoscaling/v2/horizontalpodautoscalers",
    object: {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
        minReplicas: 2,
        maxReplicas: 3,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
          { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
          { type: "Pods", pods: { metric: { name: "m" }, target: { type: "AverageValue", averageValue: "3" } } },
        ],
      },
    },
  },
  "HorizontalPodAutoscaler v1": {
    path: "autoscaling/v1/horizontalpodautoscalers",
    object: {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 70,
      },
    },
    status: { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 10 },
  },
  "Lease": { path: "coordination.k8s.io/v1/leases", object: { spec: { holderIdentity: "h" } } },
  "Lease without holder": { path: "coordination.k8s.io/v1/leases", object: {} },
  "Ingress": {
    path: "networking.k8s.io/v1/ingresses",
    object: {
      spec: {
        ingressClassName: "c",
        rules: [{ host: "a.example.com" }, { host: "b.example.com" }],
        tls: [{ hosts: ["a.example.com"] }],
      },
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { hostname: "lb.example.com" }] } },
  },
  "Ingress without hosts": {
    path: "networking.k8s.io/v1/ingresses",
    object: { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
  },
  "NetworkPolicy": { path: "networking.k8s.io/v1/networkpolicies", object: { spec: { podSelector: selector } } },
  "NetworkPolicy of all Pods": { path: "networking.k8s.io/v1/networkpolicies", object: { spec: { podSelector: {} } } },
  "IngressClass": {
    path: "/apis/networking.k8s.io/v1/ingressclasses",
    object: { spec: { controller: "example.com/c", parameters: { apiGroup: "example.com", kind: "K", name: "p" } } },
  },
  "IngressClass without parameters": {
    path: "/apis/networking.k8s.io/v1/ingressclasses",
    object: { spec: { controller: "example.com/c" } },
  },
  "PodDisruptionBudget": {
    path: "policy/v1/poddisruptionbudgets",
    object: { spec: { minAvailable: "50%", selector } },
  },
  "Role": { path: `${RBAC}/roles`, object: { rules: [] } },
  "RoleBinding": {
    path: `${RBAC}/rolebindings`,
    object: {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
      subjects: [
        { kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" },
        { kind: "Group", name: "g", apiGroup: "rbac.authorization.k8s.io" },
        { kind: "ServiceAccount", name: "s", namespace: "n" },
      ],
    },
  },
  "ClusterRole": { path: `/apis/${RBAC}/clusterroles`, object: { rules: [] } },
  "ClusterRoleBinding": {
    path: `/apis/${RBAC}/clusterrolebindings`,
    object: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" }, subjects: [] },
  },
  "Namespace": { path: "/api/v1/namespaces", object: { metadata: { name: "$ns-b" } } },
  "Node": { path: "/api/v1/nodes", object: { metadata: { labels: { "node-role.kubernetes.io/a": "" } } } },
  "Node with status": {
    path: "/api/v1/nodes",
    object: { metadata: { labels: { "kubernetes.io/role": "b" } }, spec: { unschedulable: true } },
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      addresses: [{ type: "InternalIP", address: "192.0.2.1" }, { type: "ExternalIP", address: "192.0.2.2" }],
      nodeInfo: {
        kubeletVersion: "v1",
        osImage: "o",
        kernelVersion: "k",
        containerRuntimeVersion: "r",
        machineID: "",
        systemUUID: "",
        bootID: "",
        kubeProxyVersion: "",
        operatingSystem: "",
        architecture: "",
      },
    },
  },
  "StorageClass": {
    path: "/apis/storage.k8s.io/v1/storageclasses",
    object: { provisioner: "example.com/p", allowVolumeExpansion: true },
  },
  "default StorageClass": {
    path: "/apis/storage.k8s.io/v1/storageclasses",
    object: {
      provisioner: "example.com/p",
      reclaimPolicy: "Retain",
      volumeBindingMode: "WaitForFirstConsumer",
      metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    },
  },
  "CSIDriver": {
    path: "/apis/storage.k8s.io/v1/csidrivers",
    object: { spec: { tokenRequests: [{ audience: "a" }, { audience: "b" }], podInfoOnMount: true } },
  },
  "CSINode": {
    path: "/apis/storage.k8s.io/v1/csinodes",
    object: { spec: { drivers: [{ name: "d", nodeID: "n", topologyKeys: [] }] } },
  },
  "CSIStorageCapacity": {
    path: "storage.k8s.io/v1/csistoragecapacities",
    object: { storageClassName: "s", capacity: "1Gi" },
  },
  "VolumeAttachment": {
    path: "/apis/storage.k8s.io/v1/volumeattachments",
    object: { spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "p" } } },
  },
  "VolumeAttributesClass": {
    path: "/apis/storage.k8s.io/v1/volumeattributesclasses",
    object: { driverName: "d", parameters: { a: "b" } },
  },
  "PriorityClass": {
    path: "/apis/scheduling.k8s.io/v1/priorityclasses",
    object: { value: 7, globalDefault: false, preemptionPolicy: "Never" },
  },
  "RuntimeClass": { path: "/apis/node.k8s.io/v1/runtimeclasses", object: { handler: "h" } },
  "ValidatingWebhookConfiguration": {
    path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    object: { webhooks: webhooks("a.example.com") },
  },
  "MutatingWebhookConfiguration": {
    path: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    object: { webhooks: webhooks("a.example.com") },
  },
  "ValidatingAdmissionPolicyBinding": {
    path: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    object: {
      spec: { policyName: "p", paramRef: { name: "a", parameterNotFoundAction: "Deny" }, validationActions: ["Deny"] },
    },
  },
  "ValidatingAdmissionPolicy": {
    path: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    object: {
      spec: {
        paramKind: { apiVersion: "v1", kind: "ConfigMap" },
        matchConstraints: {
          resourceRules: [{
            apiGroups: ["nothing.example.com"],
            apiVersions: ["v1"],
            operations: ["CREATE"],
            resources: ["nothing"],
          }],
        },
        validations: [{ expression: "true" }],
      },
    },
  },
  "FlowSchema": {
    path: "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
    object: {
      spec: {
        priorityLevelConfiguration: { name: "exempt" },
        matchingPrecedence: 9000,
        distinguisherMethod: { type: "ByUser" },
      },
    },
  },
  "PriorityLevelConfiguration": {
    path: "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
    object: {
      spec: {
        type: "Limited",
        limited: {
          nominalConcurrencyShares: 1,
          limitResponse: { type: "Queue", queuing: { queues: 8, handSize: 2, queueLengthLimit: 5 } },
        },
      },
    },
  },
  "APIService": {
    path: "/apis/apiregistration.k8s.io/v1/apiservices",
    object: {
      metadata: { name: "v1.$ns.example.org" },
      spec: {
        group: "$ns.example.org",
        version: "v1",
        groupPriorityMinimum: 100,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { name: "s", namespace: "$ns" },
      },
    },
  },
  "IPAddress": {
    path: "/apis/networking.k8s.io/v1/ipaddresses",
    object: {
      metadata: { name: "192.0.2.77" },
      spec: { parentRef: { group: "", resource: "services", namespace: "n", name: "s" } },
    },
  },
  "ServiceCIDR": { path: "/apis/networking.k8s.io/v1/servicecidrs", object: { spec: { cidrs: ["198.51.100.0/24"] } } },
  "DeviceClass": { path: "/apis/resource.k8s.io/v1/deviceclasses", object: { spec: {} } },
  "ResourceClaim": {
    path: "resource.k8s.io/v1/resourceclaims",
    object: { spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c" } }] } } },
  },
  "ResourceClaimTemplate": {
    path: "resource.k8s.io/v1/resourceclaimtemplates",
    object: { spec: { spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c" } }] } } } },
  },
};

function withName({ path, object }: Printed): Record<string, unknown> & { metadata: { name: string } } {
  const name = path.startsWith("/") ? "$ns" : "a";
  return { ...object, metadata: { name, ...object.metadata as object | undefined } };
}

/** Creates the object, reads it as a Table, and leaves the cluster without it. */
function printed([kind, one]: [string, Printed]): Script {
  const object = withName(one), at = `${one.path}/${object.metadata.name}`;
  const steps: Step[] = [create(one.path, object, { codeOnly: true })];
  if (one.status) steps.push(patch("merge", `${at}/status`, { status: one.status }, { codeOnly: true }));
  steps.push(get(`${at}?includeObject=None`, { accept: TABLE }));
  if (one.path.startsWith("/")) steps.push(remove(at, undefined, { codeOnly: true }));
  return { name: kind, steps };
}

const COLUMNS = [
  { name: "Size", type: "integer", jsonPath: ".spec.size" },
  { name: "Text", type: "string", jsonPath: ".spec.text", description: "A text", priority: 1 },
  { name: "Flag", type: "boolean", jsonPath: ".spec.flag" },
  { name: "Number", type: "number", format: "double", jsonPath: ".spec.number" },
  { name: "When", type: "date", jsonPath: ".spec.when" },
  { name: "All", type: "string", jsonPath: ".spec.items[*].name" },
  { name: "One", type: "string", jsonPath: '.spec.items[?(@.name=="b")].value' },
  { name: "Object", type: "string", jsonPath: ".spec.object" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

const GROUP = "print.example.com", PRINTS = `${GROUP}/v1/prints`, PLAINS = `${GROUP}/v1/plains`;
const open = { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
const resource = (kind: string, spec: unknown) => ({ apiVersion: `${GROUP}/v1`, kind, metadata: { name: "a" }, spec });

const SPECS: Readonly<Record<string, unknown>> = {
  "all fields": {
    size: 3,
    text: "t",
    flag: true,
    number: 1.5,
    when: "2020-01-01T00:00:00Z",
    items: [{ name: "a", value: "1" }, { name: "b", value: "2" }],
    object: { a: [1, "x"] },
  },
  "no fields": {},
  "other types": { size: "7", text: 7, flag: "true", number: "x", when: "x", items: [], object: [1] },
  "numbers of another type": { size: 1.7, number: 3, text: 1.5 },
  "big numbers": { size: 9007199254740993, number: 1e30 },
  "null": { size: null, text: null, flag: null },
  "an empty text": { text: "", when: "", items: [{ name: "" }] },
  "a text with lines": { text: "a\nb\tc" },
};

/** Tables of every built-in kind, and of custom resources. */
export const tables: Area = {
  name: "tables",
  setup: [
    ...define(crdOf("Print", GROUP, open, { version: { additionalPrinterColumns: COLUMNS } })),
    ...define(crdOf("Plain", GROUP, open)),
  ],
  scripts: [
    ...Object.entries(PRINTED).map(printed),
    ...Object.entries(SPECS).map(([name, spec]): Script => ({
      name: `a custom resource with ${name}`,
      steps: [
        create(PRINTS, resource("Print", spec), { codeOnly: true }),
        get(`${PRINTS}?includeObject=None`, { accept: TABLE, only: ["rows"] }),
      ],
    })),
    {
      name: "columns of a custom resource",
      steps: [get(PRINTS, { accept: TABLE })],
    },
    {
      name: "a custom resource without columns",
      steps: [
        create(PLAINS, resource("Plain", {}), { codeOnly: true }),
        get(`${PLAINS}?includeObject=None`, { accept: TABLE }),
      ],
    },
    ...["", "?includeObject=Metadata", "?includeObject=Object", "?includeObject=None", "?includeObject=none"].map((
      query,
    ): Script => ({
      name: `a Table with "${query}"`,
      steps: [
        create("v1/secrets", { metadata: { name: "a", labels: { a: "b" } }, data: { a: "Yg==" } }, { codeOnly: true }),
        get(`v1/secrets/a${query}`, { accept: TABLE, only: ["kind", "apiVersion", "metadata", "rows"] }),
        get(`v1/secrets${query}`, { accept: TABLE, only: ["kind", "apiVersion", "metadata", "rows"] }),
      ],
    })),
    {
      name: "a Table of v1beta1",
      steps: [get("v1/secrets", { accept: TABLE.replace("v=v1", "v=v1beta1") })],
    },
    {
      name: "pages of a Table",
      steps: [
        ...[1, 2].map((nth) => create("v1/secrets", { metadata: { name: `s${nth}` } }, { codeOnly: true })),
        get("v1/secrets?limit=1&includeObject=None", { accept: TABLE }),
      ],
    },
    {
      name: "a Table of a write and of a deletion",
      steps: [
        create("v1/secrets?includeObject=None", { metadata: { name: "a" } }, { accept: TABLE }),
        patch("merge", "v1/secrets/a?includeObject=None", { data: { a: "Yg==" } }, { accept: TABLE }),
        remove("v1/secrets/a", undefined, { accept: TABLE }),
        get("v1/secrets/a", { accept: TABLE }),
      ],
    },
    {
      name: "a Table as YAML",
      steps: [get("v1/secrets", { accept: "application/yaml;as=Table;g=meta.k8s.io;v=v1" })],
    },
  ],
};
