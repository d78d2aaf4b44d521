import { type Area, create, type Script } from "../script.ts";
import { container, deployment, podSpec } from "./pods.ts";
import { CONFIG_MAP, DEPLOYMENT, type Target, target } from "./targets.ts";

function created(
  name: string,
  { path, ...kind }: Target,
  fields: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
): Script {
  return { name, steps: [create(path, { ...kind, metadata: { name: "$ns", ...metadata }, ...fields })] };
}

const jobTemplate = { template: { spec: { ...podSpec, restartPolicy: "Never" } } };
const webhook = {
  name: "a.example.com",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  clientConfig: { service: { name: "s", namespace: "n" } },
  rules: [{ operations: ["CREATE"], apiGroups: ["nothing.example.com"], apiVersions: ["v1"], resources: ["nothing"] }],
};

/** What a server adds to objects of built-in kinds. */
export const builtinDefaults: Area = {
  name: "builtin_defaults",
  scripts: [
    created("deployment", DEPLOYMENT, deployment(undefined, container)),
    created("stateful set", target("apps/v1", "StatefulSet", "statefulsets"), {
      spec: {
        serviceName: "s",
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: podSpec },
      },
    }),
    created("daemon set", target("apps/v1", "DaemonSet", "daemonsets"), {
      spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: podSpec } },
    }),
    created("replica set", target("apps/v1", "ReplicaSet", "replicasets"), {
      spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: podSpec } },
    }),
    created("pod", target("v1", "Pod", "pods"), {
      spec: {
        containers: [{
          name: "a",
          image: "a",
          resources: { limits: { cpu: "1000m", memory: "1024Mi" } },
          livenessProbe: { httpGet: { port: 80 } },
          env: [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
          volumeMounts: [],
        }],
        volumes: [
          { name: "s", secret: { secretName: "s" } },
          { name: "e" },
          { name: "c", configMap: { name: "c" } },
          { name: "p", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
        ],
        serviceAccountName: "x",
      },
    }),
    created("job", target("batch/v1", "Job", "jobs"), {
      spec: {
        ...jobTemplate,
        manualSelector: true,
        selector: { matchLabels: { a: "b" } },
        template: { ...jobTemplate.template, metadata: { labels: { a: "b" } } },
      },
    }),
    created("cron job", target("batch/v1", "CronJob", "cronjobs"), {
      spec: { schedule: "* * * * *", jobTemplate: { spec: jobTemplate } },
    }),
    created("secret", target("v1", "Secret", "secrets"), { data: { a: "Yg==" } }),
    created("config map with empties", CONFIG_MAP, { data: {}, binaryData: null }, { labels: {}, finalizers: [] }),
    created("service", target("v1", "Service", "services"), {
      spec: { clusterIP: "None", ports: [{ port: 80 }], selector: { a: "b" } },
    }),

    created("role binding", target("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"), {
      roleRef: { kind: "Role", name: "r", apiGroup: "rbac.authorization.k8s.io" },
      subjects: [{ kind: "User", name: "u" }, { kind: "ServiceAccount", name: "s", namespace: "$ns" }],
    }),
    created("role", target("rbac.authorization.k8s.io/v1", "Role", "roles"), { rules: [] }),
    created(
      "validating webhook",
      {
        ...target("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", ""),
        path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
      },
      { webhooks: [webhook] },
    ),
    created(
      "mutating webhook",
      {
        ...target("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", ""),
        path: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
      },
      { webhooks: [webhook] },
    ),
    created("network policy", target("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"), {
      spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] },
    }),
    created("lease", target("coordination.k8s.io/v1", "Lease", "leases"), {
      spec: { holderIdentity: "me", leaseDurationSeconds: 15 },
    }),
    created("disruption budget", target("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"), {
      spec: { minAvailable: 1, selector: {} },
    }),
    created("ingress", target("networking.k8s.io/v1", "Ingress", "ingresses"), {
      spec: {
        rules: [{
          host: "a.example.com",
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "s", port: { number: 80 } } } }],
          },
        }],
      },
    }),
  ],
};
