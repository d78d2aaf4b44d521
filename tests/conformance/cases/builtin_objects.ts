import type { Area, Script } from "../script.ts";
import { ABSENT, changedTo, createdWith } from "./changed.ts";
import { SERVICE, type Target, target } from "./targets.ts";

/** A kind of the cluster. */
function clusterKind(groupVersion: string, kind: string, plural: string): Target {
  const root = groupVersion.includes("/") ? "/apis" : "/api";
  return { apiVersion: groupVersion, kind, path: `${root}/${groupVersion}/${plural}` };
}

const named = { metadata: { name: "$ns" } };

const service = { spec: { selector: { app: "a" }, ports: [{ port: 80 }] } };
const services: Script[] = [
  ...createdWith(SERVICE, service, {
    "metadata.name": ["1a", "A", "a.b", "x".repeat(64)],
    "spec.ports": [
      [],
      ABSENT,
      [{ port: 80 }, { port: 81 }],
      [{ port: 80, name: "a" }, { port: 81, name: "a" }],
      [{ port: 80, name: "a" }, { port: 80, name: "b" }],
      [{ port: 0 }],
      [{ port: 65536 }],
      [{ port: 80, protocol: "HTTP" }],
      [{ port: 80, name: "A_" }],
      [{ port: 80, targetPort: "HTTP_" }],
      [{ port: 80, targetPort: 0 }],
      [{ port: 80, targetPort: "http" }],
      [{ port: 80, nodePort: 30000 }],
      [{ port: 80, appProtocol: "a b" }],
      [{ port: 80, protocol: "UDP" }],
    ],
    "spec.type": ["Wrong", "NodePort", "LoadBalancer", "ExternalName"],
    "spec.clusterIP": ["x", "None", "1.2.3.4"],
    "spec.clusterIPs": [["None", "None"]],
    "spec.externalName": ["a.example.com"],
    "spec.sessionAffinity": ["Wrong", "ClientIP"],
    "spec.sessionAffinityConfig": [{ clientIP: { timeoutSeconds: 0 } }],
    "spec.externalTrafficPolicy": ["Local", "Wrong"],
    "spec.internalTrafficPolicy": ["Wrong", "Local"],
    "spec.ipFamilyPolicy": ["Wrong", "PreferDualStack"],
    "spec.ipFamilies": [["IPv6"], ["Wrong"], ["IPv4", "IPv4"]],
    "spec.externalIPs": [["x"], ["127.0.0.1"], ["8.8.8.8"]],
    "spec.loadBalancerSourceRanges": [["10.0.0.0/8"], ["x"]],
    "spec.loadBalancerClass": ["a"],
    "spec.selector": [{ "a b": "c" }, ABSENT],
    "spec.trafficDistribution": ["Wrong", "PreferClose"],
    "spec.publishNotReadyAddresses": [true],
  }),
  ...createdWith(SERVICE, { spec: { type: "ExternalName", externalName: "a.example.com" } }, {
    "spec.externalName": [ABSENT, "", "A_", "1.2.3.4"],
    "spec.ports": [[{ port: 80 }]],
    "spec.clusterIP": ["None"],
  }, "ExternalName Service"),
  ...changedTo(SERVICE, service, {
    "spec.clusterIP": ["None", "", "1.2.3.4"],
    "spec.type": ["NodePort", "LoadBalancer", "ExternalName"],
    "spec.ports": [[{ port: 81 }], []],
    "spec.selector": [{ b: "c" }, null],
  }),
];

const INGRESS = target("networking.k8s.io/v1", "Ingress", "ingresses");
const backend = { service: { name: "s", port: { number: 80 } } };
const ingress = {
  spec: { rules: [{ host: "a.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] },
};
const PATH = "spec.rules.0.http.paths.0";
const POLICY = target("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies");
const INGRESS_CLASS = clusterKind("networking.k8s.io/v1", "IngressClass", "ingressclasses");
const networking: Script[] = [
  ...createdWith(INGRESS, ingress, {
    "spec.rules": [ABSENT, []],
    "spec.rules.0.host": ["1.2.3.4", "*.example.com", "*", "A_", "a.*.com"],
    "spec.rules.0.http.paths": [[], ABSENT],
    [`${PATH}.path`]: ["a", "", ABSENT, "/a//b", "/a/../b", "/%2f"],
    [`${PATH}.pathType`]: [ABSENT, "Wrong", "Exact", "ImplementationSpecific"],
    [`${PATH}.backend`]: [
      ABSENT,
      {},
      { service: { name: "s" } },
      { service: { name: "", port: { number: 80 } } },
      { service: { name: "s", port: { number: 0 } } },
      { service: { name: "s", port: { number: 80, name: "http" } } },
      { service: { name: "s", port: { name: "http" } } },
      { service: { name: "s", port: { number: 80 } }, resource: { kind: "A", name: "a" } },
      { resource: { kind: "A", name: "a", apiGroup: "example.com" } },
    ],
    "spec.tls": [[{ hosts: ["a.example.com"], secretName: "s" }], [{ hosts: ["A_"] }], [{ secretName: "A_" }]],
    "spec.ingressClassName": ["nginx", "A_"],
    "spec.defaultBackend": [backend, {}],
  }),
  ...createdWith(
    INGRESS,
    { spec: { defaultBackend: backend } },
    { "spec.rules": [ABSENT] },
    "Ingress of a default backend",
  ),
  ...createdWith(INGRESS_CLASS, { ...named, spec: { controller: "example.com/a" } }, {
    "spec.controller": [ABSENT, "a", "a b"],
    "spec.parameters": [{ kind: "A", name: "a" }, { kind: "A", name: "a", scope: "Wrong" }, {
      kind: "A",
      name: "a",
      scope: "Namespace",
    }],
  }),
  ...createdWith(POLICY, { spec: { podSelector: {} } }, {
    "spec.podSelector": [{ matchLabels: { "a b": "c" } }, ABSENT],
    "spec.policyTypes": [["Wrong"], ["Ingress", "Egress"], ["Ingress", "Ingress"]],
    "spec.ingress": [
      [{ from: [{}] }],
      [{ from: [{ ipBlock: { cidr: "x" } }] }],
      [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] }],
      [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }],
      [{ from: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }],
      [{ ports: [{ port: 0 }] }],
      [{ ports: [{ port: "HTTP_" }] }],
      [{ ports: [{ protocol: "HTTP" }] }],
      [{ ports: [{ port: 80, endPort: 79 }] }],
      [{ ports: [{ port: 80, endPort: 90 }] }],
      [{ ports: [{ port: "http", endPort: 90 }] }],
    ],
  }),
];

const HPA = target("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
const autoscaler = {
  spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" }, maxReplicas: 3 },
};
const metric = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } };
const PDB = target("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets");
const scaling: Script[] = [
  ...createdWith(HPA, autoscaler, {
    "spec.minReplicas": [0, -1, 4, 2],
    "spec.maxReplicas": [0, ABSENT, -1],
    "spec.scaleTargetRef": [ABSENT, { kind: "Deployment" }, { kind: "", name: "a" }, { kind: "a/b", name: "a" }],
    "spec.metrics": [
      [metric],
      [{ type: "Wrong" }],
      [{ type: "Resource" }],
      [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } }],
      [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 0 } } }],
      [{ type: "Resource", resource: { name: "", target: { type: "Utilization", averageUtilization: 1 } } }],
      [{ type: "Resource", resource: { name: "cpu", target: { type: "AverageValue", averageValue: "-1" } } }],
      [{ type: "Pods", pods: { metric: { name: "" }, target: { type: "AverageValue", averageValue: "1" } } }],
      [{ type: "External", external: { metric: { name: "m" }, target: { type: "Value", value: "1" } } }],
      [{ ...metric, pods: { metric: { name: "m" }, target: { type: "AverageValue", averageValue: "1" } } }],
    ],
    "spec.behavior": [
      { scaleUp: { stabilizationWindowSeconds: -1 } },
      { scaleUp: { policies: [] } },
      { scaleUp: { selectPolicy: "Wrong" } },
      { scaleDown: { policies: [{ type: "Pods", value: 0, periodSeconds: 1 }] } },
      { scaleDown: { policies: [{ type: "Wrong", value: 1, periodSeconds: 1 }] } },
      { scaleDown: { policies: [{ type: "Pods", value: 1, periodSeconds: 1801 }] } },
      { scaleDown: { policies: [{ type: "Pods", value: 1, periodSeconds: 60 }] } },
    ],
  }),
  ...createdWith(PDB, { spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } } }, {
    "spec.minAvailable": [-1, "50%", "101%", "5", "x", 0],
    "spec.maxUnavailable": [1],
    "spec.selector": [ABSENT, {}, { matchLabels: { "a b": "c" } }],
    "spec.unhealthyPodEvictionPolicy": ["Wrong", "AlwaysAllow"],
  }),
  ...changedTo(PDB, { spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } } }, {
    "spec.minAvailable": [2, -1],
    "spec.selector": [{ matchLabels: { app: "b" } }],
    "spec.maxUnavailable": [1],
  }),
];

const RBAC = "rbac.authorization.k8s.io/v1";
const ROLE = target(RBAC, "Role", "roles"), BINDING = target(RBAC, "RoleBinding", "rolebindings");
const CLUSTER_ROLE = clusterKind(RBAC, "ClusterRole", "clusterroles");
const CLUSTER_BINDING = clusterKind(RBAC, "ClusterRoleBinding", "clusterrolebindings");
const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" };
const subject = { kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" };
const access: Script[] = [
  ...createdWith(ROLE, { rules: [rule] }, {
    "rules": [[], ABSENT],
    "rules.0.verbs": [[], ABSENT],
    "rules.0.apiGroups": [[], ABSENT],
    "rules.0.resources": [[], ABSENT],
    "rules.0.nonResourceURLs": [["/healthz"]],
    "metadata.name": ["a/b", "a:b", "..", "a%b", "A"],
  }),
  ...createdWith(CLUSTER_ROLE, { ...named, rules: [rule] }, {
    "rules.0": [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }, { ...rule, nonResourceURLs: ["/healthz"] }, {
      verbs: ["get"],
    }],
    "aggregationRule": [{ clusterRoleSelectors: [] }, { clusterRoleSelectors: [{ matchLabels: { "a b": "c" } }] }],
  }),
  ...createdWith(BINDING, { roleRef, subjects: [subject] }, {
    "roleRef": [ABSENT, { kind: "Role", name: "r" }, { ...roleRef, kind: "Wrong" }, { ...roleRef, name: "" }, {
      ...roleRef,
      apiGroup: "wrong",
    }],
    "subjects.0": [
      { kind: "Wrong", name: "a" },
      { kind: "User", name: "" },
      { kind: "ServiceAccount", name: "a" },
      { kind: "ServiceAccount", name: "A_", namespace: "b" },
      { kind: "ServiceAccount", name: "a", namespace: "b" },
      { kind: "ServiceAccount", name: "a", namespace: "b", apiGroup: "wrong" },
      { kind: "Group", name: "g", namespace: "b" },
    ],
    "subjects": [ABSENT, []],
  }),
  ...createdWith(CLUSTER_BINDING, { ...named, roleRef: { ...roleRef, kind: "ClusterRole" }, subjects: [subject] }, {
    "roleRef.kind": ["Role"],
    "subjects.0": [{ kind: "ServiceAccount", name: "a" }],
  }),
  ...changedTo(BINDING, { roleRef, subjects: [subject] }, {
    "roleRef.name": ["other"],
    "subjects": [[], [{ kind: "User", name: "" }]],
  }),
];

const PVC = target("v1", "PersistentVolumeClaim", "persistentvolumeclaims");
const PV = clusterKind("v1", "PersistentVolume", "persistentvolumes");
const STORAGE_CLASS = clusterKind("storage.k8s.io/v1", "StorageClass", "storageclasses");
const claim = { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };
const volume = {
  ...named,
  spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/tmp/a" } },
};
const storage: Script[] = [
  ...createdWith(PVC, claim, {
    "spec.accessModes": [[], ABSENT, ["Wrong"], ["ReadWriteOncePod", "ReadWriteOnce"]],
    "spec.resources": [ABSENT, {}, { requests: { storage: "0" } }, { requests: { storage: "-1" } }, {
      requests: { storage: "x" },
    }, { requests: { cpu: "1" } }],
    "spec.storageClassName": ["", "A_", "fast"],
    "spec.volumeMode": ["Wrong", "Block"],
    "spec.selector": [{ matchLabels: { "a b": "c" } }],
    "spec.dataSource": [{ kind: "", name: "a" }, { kind: "PersistentVolumeClaim", name: "a" }, {
      kind: "Wrong",
      name: "a",
    }],
    "spec.volumeName": ["v"],
  }),
  ...changedTo(PVC, claim, {
    "spec.resources.requests.storage": ["2Gi", "500Mi"],
    "spec.accessModes": [["ReadWriteMany"]],
    "spec.volumeMode": ["Block"],
    "spec.storageClassName": ["fast"],
  }),
  ...createdWith(PV, volume, {
    "spec.capacity": [ABSENT, { storage: "0" }, { cpu: "1" }],
    "spec.accessModes": [[], ["Wrong"]],
    "spec.hostPath": [ABSENT, { path: "" }, { path: "/a/../b" }],
    "spec.nfs": [{ server: "a", path: "/" }],
    "spec.persistentVolumeReclaimPolicy": ["Wrong", "Delete"],
    "spec.volumeMode": ["Wrong", "Block"],
    "spec.storageClassName": ["A_"],
    "spec.nodeAffinity": [{ required: { nodeSelectorTerms: [] } }],
  }),
  ...changedTo(PV, volume, { "spec.hostPath.path": ["/tmp/b"], "spec.capacity.storage": ["2Gi"] }),
  ...createdWith(STORAGE_CLASS, { ...named, provisioner: "example.com/a" }, {
    "provisioner": [ABSENT, "a b", ""],
    "reclaimPolicy": ["Wrong", "Retain"],
    "volumeBindingMode": ["Wrong", "WaitForFirstConsumer"],
    "parameters": [{ "": "a" }, { a: "b" }],
    "allowVolumeExpansion": [true],
    "allowedTopologies": [[{ matchLabelExpressions: [{ key: "a", values: [] }] }]],
  }),
  ...changedTo(STORAGE_CLASS, { ...named, provisioner: "example.com/a" }, {
    "provisioner": ["example.com/b"],
    "parameters": [{ a: "b" }],
    "reclaimPolicy": ["Retain"],
    "allowVolumeExpansion": [true],
  }),
];

const SECRET = target("v1", "Secret", "secrets"), CONFIG_MAP = target("v1", "ConfigMap", "configmaps");
const ACCOUNT = target("v1", "ServiceAccount", "serviceaccounts");
const data: Script[] = [
  ...createdWith(SECRET, { data: { k: "dg==" } }, {
    "data": [{ "a b": "dg==" }, { k: "dg" }, { k: "%%" }, { k: "" }, { "..": "dg==" }, { k: null }, { k: 1 }],
    "stringData": [{ k: "v" }, { "a b": "v" }, { k: 1 }],
    "type": [
      "kubernetes.io/tls",
      "kubernetes.io/dockerconfigjson",
      "kubernetes.io/basic-auth",
      "kubernetes.io/ssh-auth",
      "kubernetes.io/service-account-token",
      "kubernetes.io/dockercfg",
      "bootstrap.kubernetes.io/token",
      "example.com/a",
    ],
    "immutable": [true, "yes"],
  }),
  ...createdWith(SECRET, { type: "kubernetes.io/tls", stringData: { "tls.crt": "a", "tls.key": "b" } }, {
    "stringData": [{ "tls.crt": "a", "tls.key": "b" }, { "tls.crt": "a" }, { "tls.crt": "", "tls.key": "" }],
  }),
  ...createdWith(SECRET, { type: "kubernetes.io/dockerconfigjson" }, {
    "stringData": [{ ".dockerconfigjson": "{}" }, { ".dockerconfigjson": "x" }],
  }),
  ...changedTo(SECRET, { data: { k: "dg==" }, immutable: true }, {
    "data": [{ k: "dw==" }],
    "immutable": [false],
    "metadata.labels": [{ a: "b" }],
    "stringData": [{ k: "w" }],
  }),
  ...changedTo(SECRET, { data: { k: "dg==" } }, {
    "type": ["other"],
    "data": [{ k: "dw==", l: null }, null],
    "stringData": [{ l: "w" }],
  }),
  ...createdWith(CONFIG_MAP, { data: { k: "v" } }, {
    "data": [{ "a b": "c" }, { "": "c" }, { "x": null }, { x: 1 }, { [".".repeat(2)]: "a" }, {
      ["x".repeat(254)]: "a",
    }],
    "binaryData": [{ k: "dg==" }, { b: "dg==" }, { b: "%" }],
    "immutable": [true],
  }),
  ...changedTo(CONFIG_MAP, { data: { k: "v" }, immutable: true }, {
    "data": [{ k: "w" }],
    "binaryData": [{ b: "dg==" }],
    "immutable": [null, false],
  }),
  ...createdWith(ACCOUNT, {}, {
    "metadata.name": ["A", "a.b"],
    "secrets": [[{ name: "a" }]],
    "imagePullSecrets": [[{ name: "a" }], [{ name: "a" }, { name: "a" }], [{}]],
    "automountServiceAccountToken": [false, "no"],
  }),
];

const QUOTA = target("v1", "ResourceQuota", "resourcequotas"), LIMITS = target("v1", "LimitRange", "limitranges");
const LEASE = target("coordination.k8s.io/v1", "Lease", "leases");
const SLICE = target("discovery.k8s.io/v1", "EndpointSlice", "endpointslices");
const ENDPOINTS = target("v1", "Endpoints", "endpoints");
const PRIORITY = clusterKind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses");
const RUNTIME = clusterKind("node.k8s.io/v1", "RuntimeClass", "runtimeclasses");
const NAMESPACE = clusterKind("v1", "Namespace", "namespaces");
const NODE = clusterKind("v1", "Node", "nodes");
const CSR = clusterKind("certificates.k8s.io/v1", "CertificateSigningRequest", "certificatesigningrequests");
const API_SERVICE = clusterKind("apiregistration.k8s.io/v1", "APIService", "apiservices");
const EVENT = target("v1", "Event", "events"), NEW_EVENT = target("events.k8s.io/v1", "Event", "events");
const TEMPLATE = target("v1", "PodTemplate", "podtemplates");
const CONTROLLER = target("v1", "ReplicationController", "replicationcontrollers");
const REVISION = target("apps/v1", "ControllerRevision", "controllerrevisions");
const FLOW = clusterKind("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "flowschemas");
const LEVEL = clusterKind(
  "flowcontrol.apiserver.k8s.io/v1",
  "PriorityLevelConfiguration",
  "prioritylevelconfigurations",
);
const OLD_HPA = target("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
const CSI_DRIVER = clusterKind("storage.k8s.io/v1", "CSIDriver", "csidrivers");
const involved = {
  involvedObject: { kind: "Pod", namespace: "$ns", name: "p" },
  reason: "r",
  message: "m",
  type: "Normal",
};
const endpoints = [{ addresses: ["10.1.2.3"] }];
const others: Script[] = [
  ...createdWith(QUOTA, { spec: { hard: { pods: "5" } } }, {
    "spec.hard": [{ pods: "-1" }, { pods: "x" }, { pods: "1.5" }, { nothing: "1" }, { "requests.cpu": "1" }, {
      "count/widgets.example.com": "3",
    }],
    "spec.scopes": [["Wrong"], ["BestEffort"], ["BestEffort", "NotBestEffort"]],
  }),
  ...createdWith(LIMITS, { spec: { limits: [{ type: "Container", max: { cpu: "2" } }] } }, {
    "spec.limits": [
      [],
      [{ type: "Container", min: { cpu: "3" }, max: { cpu: "2" } }],
      [{ type: "Container", default: { cpu: "3" }, max: { cpu: "2" } }],
      [{ type: "Pod", default: { cpu: "1" } }],
      [{ type: "Wrong" }],
      [{ type: "Container", max: { cpu: "2" } }, { type: "Container", max: { cpu: "3" } }],
      [{ type: "Container", maxLimitRequestRatio: { cpu: "0.5" } }],
    ],
  }),
  ...createdWith(LEASE, { spec: { holderIdentity: "a", leaseDurationSeconds: 15 } }, {
    "spec.leaseDurationSeconds": [0, -1],
    "spec.holderIdentity": ["", ABSENT],
    "spec.leaseTransitions": [-1, 2],
    "spec.renewTime": ["2024-01-01T00:00:00.000000Z", "2024-01-01T00:00:00Z", "x"],
    "spec.acquireTime": ["2024-01-01T00:00:00.5Z"],
    "spec.strategy": ["OldestEmulationVersion"],
  }),
  ...createdWith(SLICE, { addressType: "IPv4", endpoints, ports: [{ name: "", port: 80 }] }, {
    "addressType": [ABSENT, "Wrong", "IPv6", "FQDN"],
    "endpoints": [[], [{ addresses: [] }], [{ addresses: ["x"] }], [{ addresses: ["127.0.0.1"] }], [{
      addresses: ["10.1.2.3"],
      hostname: "A_",
    }]],
    "ports": [ABSENT, [{}], [{ port: 80 }, { port: 81 }], [{ port: 0 }], [{ port: 80, protocol: "Wrong" }], [{
      port: 80,
      name: "A_",
    }]],
  }),
  ...changedTo(SLICE, { addressType: "IPv4", endpoints, ports: [{ port: 80 }] }, { "addressType": ["IPv6"] }),
  ...createdWith(ENDPOINTS, { subsets: [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ port: 80 }] }] }, {
    "subsets": [[{}], [{ addresses: [{ ip: "x" }] }], [{ addresses: [{ ip: "127.0.0.1" }] }], [{
      addresses: [{ ip: "10.1.2.3" }],
      ports: [{ port: 0 }],
    }]],
  }),
  ...createdWith(PRIORITY, { ...named, value: 5 }, {
    "value": [ABSENT, 2_000_000_001, -5],
    "metadata.name": ["system-$ns"],
    "preemptionPolicy": ["Wrong", "Never"],
  }),
  ...changedTo(PRIORITY, { ...named, value: 5 }, { "value": [6], "description": ["d"], "preemptionPolicy": ["Never"] }),
  ...createdWith(RUNTIME, { ...named, handler: "a" }, {
    "handler": [ABSENT, "A_", "b"],
    "overhead": [{ podFixed: { cpu: "1" } }],
  }),
  ...changedTo(RUNTIME, { ...named, handler: "a" }, { "handler": ["b"] }),
  ...createdWith(NAMESPACE, { metadata: { name: "$ns-x" } }, {
    "metadata.name": ["A", "a.b", "$ns-x"],
    "metadata.labels": [{ "kubernetes.io/metadata.name": "other" }, { a: "b" }],
    "spec.finalizers": [["a"], ["example.com/a"]],
    "metadata.finalizers": [["a"], ["example.com/a"]],
  }),
  ...createdWith(NODE, named, {
    "spec": [{ unschedulable: true }, { taints: [{ key: "a", effect: "Wrong" }] }, { podCIDR: "x" }],
  }),
  ...createdWith(CSR, { ...named, spec: { request: "eA==", signerName: "example.com/a", usages: ["client auth"] } }, {
    "spec.request": ["eA==", ABSENT],
    "spec.signerName": ["a", ABSENT],
    "spec.usages": [["Wrong"], []],
  }),
  ...createdWith(API_SERVICE, {
    metadata: { name: "v1.$ns.example.com" },
    spec: {
      group: "$ns.example.com",
      version: "v1",
      groupPriorityMinimum: 100,
      versionPriority: 10,
      service: { name: "s", namespace: "$ns" },
      insecureSkipTLSVerify: true,
    },
  }, {
    "spec.group": ["other"],
    "spec.groupPriorityMinimum": [0, 20001],
    "spec.versionPriority": [0],
    "spec.service": [{ name: "s" }],
    "spec.insecureSkipTLSVerify": [true],
  }),
  ...createdWith(EVENT, involved, {
    "involvedObject": [{ kind: "Pod", namespace: "other", name: "p" }, {}],
    "type": ["Wrong", ABSENT],
    "reason": ["", "x".repeat(200)],
    "message": ["x".repeat(1025)],
    "count": [3],
    "source": [{ component: "c" }],
    "reportingComponent": ["a b"],
    "eventTime": ["2024-01-01T00:00:00.000000Z"],
  }),
  ...createdWith(NEW_EVENT, {
    eventTime: "2024-01-01T00:00:00.000000Z",
    reportingController: "example.com/c",
    reportingInstance: "i",
    action: "a",
    reason: "r",
    type: "Normal",
    regarding: { kind: "Pod", namespace: "$ns", name: "p" },
  }, {
    "eventTime": [ABSENT, "2024-01-01T00:00:00.000000Z"],
    "reportingController": [ABSENT, "a b"],
    "reportingInstance": [ABSENT],
    "action": [ABSENT, "x".repeat(129)],
    "reason": [ABSENT],
    "type": ["Wrong"],
    "note": ["x".repeat(1025)],
  }, "Event of events.k8s.io"),
  ...createdWith(TEMPLATE, { template: { spec: { containers: [{ name: "a", image: "i" }] } } }, {
    "template": [ABSENT, { spec: { containers: [] } }],
  }),
  ...createdWith(CONTROLLER, {
    spec: {
      selector: { a: "b" },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "a", image: "i" }] } },
    },
  }, {
    "spec.replicas": [-1, 2],
    "spec.selector": [{ a: "c" }, ABSENT],
  }),
  ...createdWith(REVISION, { data: { a: 1 }, revision: 1 }, { "revision": [-1, ABSENT], "data": [ABSENT, { b: [1] }] }),
  ...createdWith(FLOW, {
    ...named,
    spec: { priorityLevelConfiguration: { name: "global-default" }, matchingPrecedence: 500, rules: [] },
  }, {
    "spec.matchingPrecedence": [0, 10001],
    "spec.priorityLevelConfiguration": [ABSENT, { name: "" }],
    "spec.distinguisherMethod": [{ type: "Wrong" }, { type: "ByUser" }],
  }),
  ...createdWith(LEVEL, { ...named, spec: { type: "Limited", limited: { nominalConcurrencyShares: 5 } } }, {
    "spec.type": ["Wrong", "Exempt"],
    "spec.limited": [ABSENT, { nominalConcurrencyShares: -1 }],
  }),
  ...createdWith(
    OLD_HPA,
    autoscaler,
    { "spec.minReplicas": [0, 2], "spec.targetCPUUtilizationPercentage": [50, 0] },
    "HorizontalPodAutoscaler of autoscaling/v1",
  ),
  ...createdWith(CSI_DRIVER, named, { "spec": [{}, { attachRequired: false }, { fsGroupPolicy: "Wrong" }] }),
];

const HOOK = clusterKind(
  "admissionregistration.k8s.io/v1",
  "ValidatingWebhookConfiguration",
  "validatingwebhookconfigurations",
);
const MUTATING_HOOK = clusterKind(
  "admissionregistration.k8s.io/v1",
  "MutatingWebhookConfiguration",
  "mutatingwebhookconfigurations",
);
const hook = {
  name: "a.example.com",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { service: { name: "s", namespace: "n" } },
  rules: [{ operations: ["CREATE"], apiGroups: ["nothing.example.com"], apiVersions: ["v1"], resources: ["nothing"] }],
};
const webhooks: Script[] = [
  ...createdWith(HOOK, { ...named, webhooks: [hook] }, {
    "webhooks": [ABSENT, [], [hook, hook]],
    "webhooks.0.name": ["a", "a.b", ABSENT],
    "webhooks.0.sideEffects": [ABSENT, "Some", "NoneOnDryRun"],
    "webhooks.0.admissionReviewVersions": [[], ["v9"], ["v1", "v1"], ["v9", "v1beta1"]],
    "webhooks.0.failurePolicy": ["Wrong", "Ignore"],
    "webhooks.0.matchPolicy": ["Wrong", "Exact"],
    "webhooks.0.timeoutSeconds": [0, 31],
    "webhooks.0.clientConfig": [
      {},
      { url: "http://a" },
      { url: "https://a/b?c=d" },
      { url: "https://a", service: { name: "s", namespace: "n" } },
      { service: { name: "s", namespace: "n", port: 0 } },
      { service: { name: "", namespace: "n" } },
      { service: { name: "s", namespace: "n", path: "a//b" } },
      { service: { name: "s", namespace: "n" }, caBundle: "eA==" },
    ],
    "webhooks.0.namespaceSelector": [{ matchLabels: { "a b": "c" } }],
    "webhooks.0.objectSelector": [{ matchExpressions: [{ key: "a", operator: "Wrong" }] }],
    "webhooks.0.rules.0": [
      { operations: [], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] },
      { operations: ["WRONG"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] },
      { operations: ["*", "CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["nothing"] },
      { operations: ["CREATE"], apiGroups: ["*", ""], apiVersions: ["v1"], resources: ["nothing"] },
      { operations: ["CREATE"], apiGroups: [""], apiVersions: [], resources: ["nothing"] },
      { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: [] },
      { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["*", "pods"] },
      { operations: ["CREATE"], apiGroups: ["none"], apiVersions: ["v1"], resources: ["nothing"], scope: "Wrong" },
    ],
    "webhooks.0.matchConditions": [
      [{ name: "a", expression: "true" }],
      [{ name: "a", expression: "object." }],
      [{ name: "A_", expression: "true" }, { name: "A_", expression: "true" }],
      [{ name: "a", expression: "1" }],
      [{ name: "a", expression: "" }],
    ],
  }),
  ...createdWith(MUTATING_HOOK, { ...named, webhooks: [hook] }, {
    "webhooks.0.reinvocationPolicy": ["Wrong", "IfNeeded"],
  }),
];

/** Rules and defaults of the kinds that are no workloads. */
export const builtinObjects: Area = {
  name: "builtin_objects",
  scripts: [
    ...services,
    ...networking,
    ...scaling,
    ...access,
    ...storage,
    ...data,
    ...others,
    ...webhooks,
  ],
};
