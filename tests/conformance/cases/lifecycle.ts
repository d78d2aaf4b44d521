import {
  type Area,
  crdOf,
  create,
  define,
  get,
  gone,
  patch,
  remove,
  type Script,
  type Step,
  until,
  update,
} from "../script.ts";
import { container, deployment, podSpec } from "./pods.ts";

const named = (name: string, ...steps: readonly Step[]): Script => ({ name, steps });
const map = (name: string, metadata: Record<string, unknown> = {}, keep?: Record<string, string>) =>
  create("v1/configmaps", { metadata: { name, ...metadata } }, { codeOnly: true, ...keep && { keep } });
const owner = (name: string, rest: Record<string, unknown> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name,
  uid: `\${${name}}`,
  ...rest,
});
const keeps = (name: string) => ({ [name]: "metadata.uid" });
const owned = (name: string, ...owners: readonly unknown[]) => map(name, { ownerReferences: owners }, keeps(name));
const STATUS = ["kind", "status", "reason", "message", "details", "code"];
const del = (name: string, options?: unknown, query = "") => remove(`v1/configmaps/${name}${query}`, options);
const read = (name: string) => get(`v1/configmaps/${name}`);
const settled = (name: string) => until(`v1/configmaps/${name}`, gone);
const release = (name: string) =>
  patch("merge", `v1/configmaps/${name}`, { metadata: { finalizers: null } }, { codeOnly: true });
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const OPTIONS: Readonly<Record<string, readonly [unknown, string?]>> = {
  "no options": [undefined],
  "empty options": [{}],
  "their kind": [{ kind: "DeleteOptions", apiVersion: "v1" }],
  "the kind of meta.k8s.io": [{ kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1" }],
  "another kind": [{ kind: "Status", apiVersion: "v1" }],
  "another version": [{ kind: "DeleteOptions", apiVersion: "v9" }],
  "background": [{ propagationPolicy: "Background" }],
  "foreground": [{ propagationPolicy: "Foreground" }],
  "orphan": [{ propagationPolicy: "Orphan" }],
  "a wrong policy": [{ propagationPolicy: "Wrong" }],
  "an empty policy": [{ propagationPolicy: "" }],
  "a policy in the query": [undefined, "?propagationPolicy=Foreground"],
  "a wrong policy in the query": [undefined, "?propagationPolicy=Wrong"],
  "both policies": [{ propagationPolicy: "Orphan", orphanDependents: true }],
  "orphanDependents": [{ orphanDependents: true }],
  "orphanDependents false": [{ orphanDependents: false }],
  "orphanDependents in the query": [undefined, "?orphanDependents=true"],
  "orphanDependents that is no boolean": [undefined, "?orphanDependents=x"],
  "grace": [{ gracePeriodSeconds: 5 }],
  "no grace": [{ gracePeriodSeconds: 0 }],
  "negative grace": [{ gracePeriodSeconds: -1 }],
  "grace in the query": [undefined, "?gracePeriodSeconds=5"],
  "grace that is no number": [undefined, "?gracePeriodSeconds=x"],
  "grace as a text": [{ gracePeriodSeconds: "5" }],
  "dry run": [{ dryRun: ["All"] }],
  "dry run in the query": [undefined, "?dryRun=All"],
  "a wrong dry run": [{ dryRun: ["None"] }],
  "a dry run that is no list": [{ dryRun: "All" }],
  "the uid": [{ preconditions: { uid: "${a}" } }],
  "another uid": [{ preconditions: { uid: "00000000-0000-0000-0000-000000000000" } }],
  "another version of the object": [{ preconditions: { resourceVersion: "1" } }],
  "empty preconditions": [{ preconditions: {} }],
  "preconditions that are no object": [{ preconditions: "x" }],
  "an unknown field": [{ nothing: 1 }],
  "a list": [[]],
  "a text": ["x"],
  "null": ["null"],
  "truncated options": ["{"],
  "YAML that is not": [undefined, "?ignoreStoreReadErrorWithClusterBreakingPotential=true"],
  "unknown parameters": [undefined, "?nothing=1"],
};

/** What the garbage collector finishes at a time of its own. */
const COLLECTED = [
  "foreground",
  "orphan",
  "a policy in the query",
  "orphanDependents",
  "orphanDependents in the query",
  "orphanDependents that is no boolean",
];

const withOptions = ([name, [body, query]]: [string, readonly [unknown, string?]]): Script =>
  named(
    `deleted with ${name}`,
    map("a", {}, keeps("a")),
    del("a", body, query),
    COLLECTED.includes(name) ? settled("a") : get("v1/configmaps/a", { only: STATUS }),
  );

const heldWith = ([name, [body, query]]: [string, readonly [unknown, string?]]): Script =>
  named(
    `with a finalizer, deleted with ${name}`,
    map("a", { finalizers: ["example.com/f"] }, keeps("a")),
    del("a", body, query),
    read("a"),
    release("a"),
  );

const HELD = [
  "no options",
  "background",
  "orphanDependents false",
  "grace",
  "no grace",
  "dry run",
  "the uid",
  "another uid",
];

/** How objects end: options of a deletion, finalizers, owners, namespaces. */
export const lifecycle: Area = {
  name: "lifecycle",
  setup: define(crdOf("Held", "held.example.com", { spec: { type: "object" } }, { scope: "Cluster" })),
  scripts: [
    ...Object.entries(OPTIONS).map(withOptions),
    ...Object.entries(OPTIONS).filter(([name]) => HELD.includes(name)).map(heldWith),
    named("deleted twice", map("a"), del("a"), del("a")),
    named("an object that is not there", del("a")),
    named("an object that is not there, with a precondition", del("a", { preconditions: { uid: "x" } })),
    named(
      "deleted again while a finalizer holds it",
      map("a", { finalizers: ["example.com/f"] }),
      del("a"),
      del("a"),
      del("a", { propagationPolicy: "Foreground" }),
      release("a"),
    ),
    named(
      "finalizers are taken away one by one",
      map("a", { finalizers: ["example.com/f", "example.com/g"] }),
      del("a"),
      patch("merge", "v1/configmaps/a", { metadata: { finalizers: ["example.com/g"] } }),
      patch("merge", "v1/configmaps/a", { metadata: { finalizers: [] } }),
      get("v1/configmaps/a", { only: STATUS }),
    ),
    named(
      "no finalizer is added to a deleted object",
      map("a", { finalizers: ["example.com/f"] }),
      del("a"),
      patch("merge", "v1/configmaps/a", { metadata: { finalizers: ["example.com/f", "example.com/new"] } }),
      patch("merge", "v1/configmaps/a", { data: { k: "v" } }),
      release("a"),
    ),
    named(
      "a deletionTimestamp is not the client's",
      map("a", { deletionTimestamp: "2020-01-01T00:00:00Z", finalizers: ["example.com/f"] }),
      read("a"),
      patch("merge", "v1/configmaps/a", { metadata: { deletionTimestamp: "2020-01-01T00:00:00Z" } }),
      release("a"),
    ),
    named(
      "a deletionTimestamp cannot be taken back",
      map("a", { finalizers: ["example.com/f"] }),
      del("a"),
      patch("merge", "v1/configmaps/a", { metadata: { deletionTimestamp: null } }),
      release("a"),
    ),
    named("a name is free at once", map("a"), del("a"), map("a"), read("a")),
    named(
      "a name is not free while a finalizer holds it",
      map("a", { finalizers: ["example.com/f"] }),
      del("a"),
      create("v1/configmaps", { metadata: { name: "a" } }),
      release("a"),
    ),
    named(
      "owners end, dependents follow",
      map("a", {}, keeps("a")),
      owned("b", owner("a")),
      owned("c", owner("b")),
      del("a"),
      settled("b"),
      settled("c"),
    ),
    named(
      "foreground: the owner waits for a blocking dependent",
      map("a", {}, keeps("a")),
      map("b", { finalizers: ["example.com/f"], ownerReferences: [owner("a", { blockOwnerDeletion: true })] }),
      del("a", { propagationPolicy: "Foreground" }),
      until("v1/configmaps/b", { metadata: { finalizers: ["example.com/f"], deletionGracePeriodSeconds: 0 } }),
      read("a"),
      release("b"),
      settled("a"),
    ),
    named(
      "foreground: the owner does not wait for other dependents",
      map("a", {}, keeps("a")),
      map("b", { finalizers: ["example.com/f"], ownerReferences: [owner("a")] }),
      del("a", { propagationPolicy: "Foreground" }),
      settled("a"),
      until("v1/configmaps/b", { metadata: { deletionGracePeriodSeconds: 0 } }),
      read("b"),
      release("b"),
    ),
    named(
      "foreground through two steps",
      map("a", {}, keeps("a")),
      owned("b", owner("a", { blockOwnerDeletion: true })),
      map("c", { finalizers: ["example.com/f"], ownerReferences: [owner("b", { blockOwnerDeletion: true })] }),
      del("a", { propagationPolicy: "Foreground" }),
      until("v1/configmaps/c", { metadata: { deletionGracePeriodSeconds: 0 } }),
      read("b"),
      read("a"),
      release("c"),
      settled("a"),
    ),
    named(
      "foreground becomes background",
      map("a", {}, keeps("a")),
      map("b", { finalizers: ["example.com/f"], ownerReferences: [owner("a", { blockOwnerDeletion: true })] }),
      del("a", { propagationPolicy: "Foreground" }),
      until("v1/configmaps/b", { metadata: { deletionGracePeriodSeconds: 0 } }),
      del("a", { propagationPolicy: "Background" }),
      get("v1/configmaps/a", { only: STATUS }),
      release("b"),
    ),
    named(
      "orphans lose their owner",
      map("a", {}, keeps("a")),
      owned("b", owner("a")),
      del("a", { propagationPolicy: "Orphan" }),
      settled("a"),
      read("b"),
    ),
    named(
      "orphans keep their other owners",
      map("a", {}, keeps("a")),
      map("z", {}, keeps("z")),
      owned("b", owner("a"), owner("z")),
      del("a", { propagationPolicy: "Orphan" }),
      settled("a"),
      read("b"),
    ),
    named(
      "one of two owners ends",
      map("a", {}, keeps("a")),
      map("z", {}, keeps("z")),
      owned("b", owner("a"), owner("z")),
      del("a"),
      get("v1/configmaps/a", { only: STATUS }),
      get("v1/configmaps/b", { codeOnly: true }),
      del("z"),
      settled("b"),
    ),
    named(
      "a cycle of owners ends in the foreground",
      map("a", {}, keeps("a")),
      owned("b", owner("a", { blockOwnerDeletion: true })),
      owned("c", owner("b", { blockOwnerDeletion: true })),
      patch("merge", "v1/configmaps/a", { metadata: { ownerReferences: [owner("c", { blockOwnerDeletion: true })] } }, {
        codeOnly: true,
      }),
      del("a", { propagationPolicy: "Foreground" }),
      settled("a"),
      settled("b"),
      settled("c"),
    ),
    named(
      "a cycle of owners ends in the background",
      map("a", {}, keeps("a")),
      owned("b", owner("a")),
      patch("merge", "v1/configmaps/a", { metadata: { ownerReferences: [owner("b")] } }, { codeOnly: true }),
      del("a"),
      settled("a"),
      settled("b"),
    ),
    named(
      "an owner with another uid is not there",
      map("a"),
      map("b", { ownerReferences: [{ ...owner("a"), uid: "00000000-0000-0000-0000-000000000001" }] }),
      settled("b"),
    ),
    named(
      "an owner that is not there",
      map("b", { ownerReferences: [{ ...owner("a"), uid: "00000000-0000-0000-0000-000000000001" }] }),
      settled("b"),
    ),
    named(
      "an owner of an unknown kind keeps its dependents",
      map("b", {
        ownerReferences: [{
          apiVersion: "nothing.example.com/v1",
          kind: "Nothing",
          name: "a",
          uid: "00000000-0000-0000-0000-000000000001",
        }],
      }),
      map("a", {}, keeps("a")),
      owned("c", owner("a")),
      del("a"),
      settled("c"),
      get("v1/configmaps/b", { codeOnly: true }),
    ),
    named(
      "an owner of another namespace is not there",
      create("/api/v1/namespaces", { metadata: { name: "$ns-b" } }, { codeOnly: true }),
      create("/api/v1/namespaces/$ns-b/configmaps", { metadata: { name: "a" } }, { codeOnly: true, keep: keeps("a") }),
      owned("b", owner("a")),
      settled("b"),
      remove("/api/v1/namespaces/$ns-b", undefined, { codeOnly: true }),
    ),
    named(
      "an owner of the cluster",
      create("/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "$ns" }, value: 1 }, {
        codeOnly: true,
        keep: keeps("a"),
      }),
      map("b", {
        ownerReferences: [{ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", name: "$ns", uid: "${a}" }],
      }),
      remove("/apis/scheduling.k8s.io/v1/priorityclasses/$ns", undefined, { codeOnly: true }),
      settled("b"),
    ),
    named(
      "a custom resource in the foreground",
      create("/apis/held.example.com/v1/helds", {
        apiVersion: "held.example.com/v1",
        kind: "Held",
        metadata: { name: "$ns" },
      }, {
        codeOnly: true,
      }),
      remove("/apis/held.example.com/v1/helds/$ns", { propagationPolicy: "Foreground" }),
      until("/apis/held.example.com/v1/helds/$ns", gone),
    ),
    named(
      "default policies",
      create("apps/v1/deployments", { ...deployment(1, container), metadata: { name: "a" } }, { codeOnly: true }),
      remove("apps/v1/deployments/a"),
      create("batch/v1/jobs", {
        metadata: { name: "a" },
        spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: "Never" } } },
      }, { codeOnly: true }),
      remove("batch/v1/jobs/a"),
      create("v1/replicationcontrollers", {
        metadata: { name: "a" },
        spec: { replicas: 0, selector: { a: "b" }, template: { metadata: { labels: { a: "b" } }, spec: podSpec } },
      }, { codeOnly: true }),
      remove("v1/replicationcontrollers/a"),
    ),
    ...[undefined, { gracePeriodSeconds: 0 }, { gracePeriodSeconds: 7 }, { gracePeriodSeconds: -1 }, {
      dryRun: ["All"],
    }]
      .flatMap((options) =>
        [{}, { nodeName: "n" }, { terminationGracePeriodSeconds: 3, nodeName: "n" }].map((spec) =>
          named(
            `a Pod with ${JSON.stringify(spec)} deleted with ${JSON.stringify(options ?? "nothing")}`,
            create("v1/pods", { metadata: { name: "a" }, spec: { ...podSpec, ...spec } }, { codeOnly: true }),
            remove("v1/pods/a", options),
            get("v1/pods/a", {
              only: ["kind", "reason", "metadata.deletionGracePeriodSeconds", "metadata.deletionTimestamp"],
            }),
            remove("v1/pods/a", { gracePeriodSeconds: 0 }, { codeOnly: true }),
          )
        )
      ),
    named(
      "a finished Pod has no grace",
      create("v1/pods", { metadata: { name: "a" }, spec: { ...podSpec, nodeName: "n" } }, { codeOnly: true }),
      patch("merge", "v1/pods/a/status", { status: { phase: "Succeeded" } }, { codeOnly: true }),
      remove("v1/pods/a"),
      get("v1/pods/a", { only: STATUS }),
    ),
    named(
      "grace is only shortened",
      create("v1/pods", { metadata: { name: "a" }, spec: { ...podSpec, nodeName: "n" } }, { codeOnly: true }),
      remove("v1/pods/a"),
      remove("v1/pods/a", { gracePeriodSeconds: 60 }),
      remove("v1/pods/a", { gracePeriodSeconds: 5 }),
      remove("v1/pods/a", { gracePeriodSeconds: 0 }),
      get("v1/pods/a", { only: STATUS }),
    ),
    named(
      "a namespace ends with its content",
      create("/api/v1/namespaces", { metadata: { name: "$ns-b" } }),
      create("/api/v1/namespaces/$ns-b/configmaps", { metadata: { name: "a" } }, { codeOnly: true }),
      remove("/api/v1/namespaces/$ns-b"),
      until("/api/v1/namespaces/$ns-b", gone),
      get("/api/v1/namespaces/$ns-b/configmaps/a"),
    ),
    named(
      "a namespace waits for finalizers and says so",
      create("/api/v1/namespaces", { metadata: { name: "$ns-b" } }, { codeOnly: true }),
      create("/api/v1/namespaces/$ns-b/configmaps", { metadata: { name: "a", finalizers: ["example.com/f"] } }, {
        codeOnly: true,
      }),
      remove("/api/v1/namespaces/$ns-b", undefined, { codeOnly: true }),
      until("/api/v1/namespaces/$ns-b", {
        status: { conditions: [{ type: "NamespaceFinalizersRemaining", status: "True" }] },
      }),
      until("/api/v1/namespaces/$ns-b", {
        status: {
          conditions: [{
            type: "NamespaceContentRemaining",
            message: "Some resources are remaining: configmaps. has 1 resource instances",
          }],
        },
      }),
      get("/api/v1/namespaces/$ns-b"),
      create("/api/v1/namespaces/$ns-b/configmaps", { metadata: { name: "b" } }),
      create("/api/v1/namespaces", { metadata: { name: "$ns-b" } }),
      remove("/api/v1/namespaces/$ns-b"),
      patch("merge", "/api/v1/namespaces/$ns-b/configmaps/a", { metadata: { finalizers: null } }, { codeOnly: true }),
      until("/api/v1/namespaces/$ns-b", gone),
    ),
    named(
      "a namespace with a finalizer of its own",
      create("/api/v1/namespaces", { metadata: { name: "$ns-b", finalizers: ["example.com/f"] } }, { codeOnly: true }),
      remove("/api/v1/namespaces/$ns-b", undefined, { codeOnly: true }),
      until("/api/v1/namespaces/$ns-b", { status: { phase: "Terminating" }, spec: {} }),
      patch("merge", "/api/v1/namespaces/$ns-b", { metadata: { finalizers: null } }, { codeOnly: true }),
      until("/api/v1/namespaces/$ns-b", gone),
    ),
    named(
      "a namespace with a finalizer in its spec",
      create("/api/v1/namespaces", { metadata: { name: "$ns-b" }, spec: { finalizers: ["example.com/f"] } }),
      remove("/api/v1/namespaces/$ns-b", undefined, { codeOnly: true }),
      until("/api/v1/namespaces/$ns-b", { spec: { finalizers: ["example.com/f"] }, status: { phase: "Terminating" } }),
      update("/api/v1/namespaces/$ns-b/finalize", { metadata: { name: "$ns-b" }, spec: { finalizers: [] } }, {
        codeOnly: true,
      }),
      until("/api/v1/namespaces/$ns-b", gone),
    ),
    ...["default", "kube-system", "kube-public", "kube-node-lease"].map((name) =>
      named(`the namespace ${name}`, remove(`/api/v1/namespaces/${name}?dryRun=All`, undefined, { only: STATUS }))
    ),
    named("every namespace has an account", until("v1/serviceaccounts/default", {}), get("v1/serviceaccounts/default")),
    named(
      "the account of a namespace comes back",
      until("v1/serviceaccounts/default", {}),
      remove("v1/serviceaccounts/default", undefined, { codeOnly: true }),
      until("v1/serviceaccounts/default", { metadata: { name: "default" } }),
    ),
    named(
      "the Service of the server",
      get("/api/v1/namespaces/default/services/kubernetes", {
        only: ["metadata.labels", "spec.clusterIP", "spec.type", "spec.ports.0.name", "spec.ports.0.port", "status"],
      }),
    ),
    named(
      "the EndpointSlice of the server",
      get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes", {
        only: [
          "metadata.name",
          "metadata.labels",
          "addressType",
          "ports.0.name",
          "ports.0.protocol",
          "endpoints.0.conditions",
        ],
      }),
    ),
    named(
      "the Endpoints of the server",
      get("/api/v1/namespaces/default/endpoints/kubernetes", {
        only: ["metadata.name", "metadata.labels", "subsets.0.ports.0.name", "subsets.0.ports.0.protocol"],
      }),
    ),
    ...["default", "kube-system", "kube-public", "kube-node-lease"].map((name) =>
      named(
        `what the namespace ${name} is`,
        get(`/api/v1/namespaces/${name}`, { only: ["metadata.labels", "spec", "status"] }),
      )
    ),
    ...["system-node-critical", "system-cluster-critical"].map((name) =>
      named(
        `the PriorityClass ${name}`,
        get(`/apis/scheduling.k8s.io/v1/priorityclasses/${name}`, {
          only: ["metadata.name", "metadata.generation", "value", "preemptionPolicy", "globalDefault"],
        }),
      )
    ),
    named(
      "the ServiceCIDR of the server",
      get("/apis/networking.k8s.io/v1/servicecidrs/kubernetes", { only: ["kind", "metadata.name"] }),
    ),
    named(
      "an APIService of the server",
      get("/apis/apiregistration.k8s.io/v1/apiservices/v1.apps", {
        only: ["metadata.name", "metadata.labels", "spec", "status"],
      }),
    ),
    named(
      "the authentication of the server",
      get("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication", { only: ["metadata.name"] }),
    ),
    named(
      "a CRD ends with its objects",
      ...define(crdOf("Gone", "$ns.example.com", { spec: { type: "object" } })),
      create("$ns.example.com/v1/gones", { apiVersion: "$ns.example.com/v1", kind: "Gone", metadata: { name: "a" } }, {
        codeOnly: true,
      }),
      remove(`${CRDS}/gones.$ns.example.com`, undefined, { codeOnly: true }),
      until(`${CRDS}/gones.$ns.example.com`, gone),
      get("$ns.example.com/v1/gones"),
    ),
    named(
      "a Pod under a LimitRange",
      create("v1/limitranges", {
        metadata: { name: "l" },
        spec: {
          limits: [{
            type: "Container",
            max: { cpu: "1" },
            min: { cpu: "100m" },
            default: { cpu: "500m" },
            defaultRequest: { cpu: "200m" },
          }],
        },
      }, { codeOnly: true }),
      create("v1/pods", { metadata: { name: "a" }, spec: podSpec }),
      create("v1/pods", {
        metadata: { name: "b" },
        spec: { containers: [{ name: "a", image: "a", resources: { limits: { cpu: "2" } } }] },
      }),
      create("v1/pods", {
        metadata: { name: "c" },
        spec: { containers: [{ name: "a", image: "a", resources: { requests: { cpu: "50m" } } }] },
      }),
    ),
    named(
      "an object over a ResourceQuota",
      create("v1/resourcequotas", { metadata: { name: "q" }, spec: { hard: { "count/secrets": "1", "pods": "0" } } }, {
        codeOnly: true,
      }),
      patch("merge", "v1/resourcequotas/q/status", {
        status: { hard: { "count/secrets": "1", "pods": "0" }, used: { "count/secrets": "0", "pods": "0" } },
      }, { codeOnly: true }),
      create("v1/secrets", { metadata: { name: "a" } }, { codeOnly: true }),
      create("v1/secrets", { metadata: { name: "b" } }),
      create("v1/pods", { metadata: { name: "a" }, spec: podSpec }),
      get("v1/resourcequotas/q", { only: ["status"] }),
    ),
    named(
      "a Pod without requests under a ResourceQuota of cpu",
      create("v1/resourcequotas", { metadata: { name: "q" }, spec: { hard: { "requests.cpu": "1" } } }, {
        codeOnly: true,
      }),
      patch("merge", "v1/resourcequotas/q/status", {
        status: { hard: { "requests.cpu": "1" }, used: { "requests.cpu": "0" } },
      }, {
        codeOnly: true,
      }),
      create("v1/pods", { metadata: { name: "a" }, spec: podSpec }),
      create("v1/pods", {
        metadata: { name: "b" },
        spec: { containers: [{ name: "a", image: "a", resources: { requests: { cpu: "2" } } }] },
      }),
      create("v1/pods", {
        metadata: { name: "c" },
        spec: { containers: [{ name: "a", image: "a", resources: { requests: { cpu: "500m" } } }] },
      }, { codeOnly: true }),
      get("v1/resourcequotas/q", { only: ["status"] }),
    ),
  ],
};
