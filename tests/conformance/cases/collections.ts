import { type Area, create, get, patch, remove, type RequestOptions, type Script, type Step } from "../script.ts";
import { podSpec } from "./pods.ts";

const META = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const META_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const map = (name: string, labels: Record<string, string> = {}, rest: Record<string, unknown> = {}) =>
  create("v1/configmaps", { metadata: { name, labels }, ...rest }, { codeOnly: true });
/** Leaves out the ConfigMap that every namespace gets at a time of its own. */
const MINE = "fieldSelector=metadata.name!%3Dkube-root-ca.crt";
const q = (text: string) => encodeURIComponent(text);

const LABELED: readonly Step[] = [
  map("a", { app: "x", tier: "1" }),
  map("b", { app: "y" }),
  map("c", { tier: "2", "example.com/long": "" }),
];

function named(name: string, steps: readonly Step[]): Script {
  return { name, steps };
}

const names = {
  only: [
    "kind",
    "reason",
    "message",
    "code",
    "items.0.metadata.name",
    "items.1.metadata.name",
    "items.2.metadata.name",
  ],
};

const selected = (selector: string): Script =>
  named(`labels ${selector}`, [...LABELED, get(`v1/configmaps?${MINE}&labelSelector=${q(selector)}`, names)]);

const LABEL_SELECTORS = [
  "app",
  "!app",
  "app=x",
  "app==x",
  "app!=x",
  "app in (x,y)",
  "app in (x, y), tier",
  "app notin (x)",
  "app notin (x),tier=2",
  "tier>1",
  "tier<2",
  "tier>x",
  "app=",
  "example.com/long=",
  "app in ()",
  "app in (",
  "app=x,",
  ",",
  "=x",
  "app=x=y",
  "app x",
  "a b=c",
  "app=-x",
  "app in (x,,y)",
  "app=x,app=y",
  " app = x ",
  "in in (in)",
  "app exists",
  "!app=x",
  "!!app",
  "app=" + "x".repeat(64),
  "a/b/c=d",
  "_app",
];

const FIELD_SELECTORS = [
  "metadata.name=a",
  "metadata.name==a",
  "metadata.name!=a,metadata.name!=kube-root-ca.crt",
  "metadata.name=a,metadata.name=b",
  "metadata.name",
  "metadata.name>a",
  "metadata.namespace=$ns,metadata.name!=kube-root-ca.crt",
  "metadata.namespace=other",
  "metadata.labels=a",
  "metadata.uid=a",
  "spec.nodeName=a",
  "name=a",
  "data=a",
  "=a",
  "metadata.name in (a)",
  "metadata.name=a\\,b",
  "metadata.name=a\\b",
];

const fields = (selector: string): Script =>
  named(`fields ${selector}`, [map("a"), map("b"), get(`v1/configmaps?fieldSelector=${q(selector)}`, names)]);

interface Selectable {
  readonly path: string;
  readonly objects: readonly Record<string, unknown>[];
  readonly selectors: readonly string[];
}

const SELECTABLE: Readonly<Record<string, Selectable>> = {
  Pod: {
    path: "v1/pods",
    objects: [{ spec: podSpec }, { spec: { ...podSpec, nodeName: "n", hostNetwork: true, restartPolicy: "Never" } }],
    selectors: [
      "spec.nodeName=n",
      "spec.nodeName=",
      "spec.nodeName!=n",
      "spec.hostNetwork=false",
      "spec.hostNetwork=true",
      "spec.restartPolicy=Never",
      "spec.schedulerName=default-scheduler",
      "spec.serviceAccountName=",
      "spec.serviceAccountName=default",
      "status.phase=Pending",
      "status.podIP=",
      "status.podIPs=",
      "status.nominatedNodeName=",
      "spec.host=n",
      "spec.containers=a",
    ],
  },
  Secret: {
    path: "v1/secrets",
    objects: [{}, { type: "example.com/a" }],
    selectors: ["type=Opaque", "type=example.com/a", "type!=Opaque", "data=a"],
  },
  Service: {
    path: "v1/services",
    objects: [
      { spec: { clusterIP: "None", ports: [{ port: 80 }] } },
      { spec: { type: "ExternalName", externalName: "a.example.com" } },
    ],
    selectors: ["spec.clusterIP=None", "spec.clusterIP=", "spec.type=ExternalName", "spec.type!=ExternalName"],
  },
  Event: {
    path: "v1/events",
    objects: [
      { involvedObject: { namespace: "$ns", kind: "Pod", name: "x" }, reason: "R", type: "Normal" },
      { involvedObject: { namespace: "$ns", kind: "Node", name: "y" }, source: { component: "c" }, type: "Warning" },
    ],
    selectors: [
      "involvedObject.kind=Pod",
      "involvedObject.name=y",
      "involvedObject.uid=",
      "involvedObject.fieldPath=",
      "reason=R",
      "reason=",
      "type=Warning",
      "source=c",
      "reportingComponent=",
      "reportingController=",
      "regarding.kind=Pod",
    ],
  },
  ReplicaSet: {
    path: "apps/v1/replicasets",
    objects: [{
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: podSpec },
      },
    }],
    selectors: ["status.replicas=0", "status.replicas=1", "spec.replicas=1"],
  },
  Job: {
    path: "batch/v1/jobs",
    objects: [{ spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: "Never" } } } }],
    selectors: ["status.successful=0", "status.successful=1", "status.succeeded=0"],
  },
  ReplicationController: {
    path: "v1/replicationcontrollers",
    objects: [{ spec: { selector: { a: "b" }, template: { metadata: { labels: { a: "b" } }, spec: podSpec } } }],
    selectors: ["status.replicas=0", "status.replicas=2"],
  },
  Deployment: { path: "apps/v1/deployments", objects: [], selectors: ["spec.replicas=1", "metadata.name=a"] },
  Lease: { path: "coordination.k8s.io/v1/leases", objects: [{}], selectors: ["spec.holderIdentity=a"] },
};

const selectable = Object.entries(SELECTABLE).flatMap(([kind, { path, objects, selectors }]) =>
  selectors.map((selector) =>
    named(`${kind} by ${selector}`, [
      ...objects.map((object, index) =>
        create(path, { metadata: { name: `o${index}` }, ...object }, { codeOnly: true })
      ),
      get(`${path}?fieldSelector=${q(selector)}`, names),
    ])
  )
);

const LIST_QUERIES = [
  "limit=1",
  "limit=0",
  "limit=-1",
  "limit=x",
  "limit=9999999999999999999",
  "limit=1&limit=2",
  "resourceVersion=0",
  "resourceVersion=x",
  "resourceVersion=-1",
  "resourceVersion=1&resourceVersionMatch=Exact",
  "resourceVersion=0&resourceVersionMatch=Exact",
  "resourceVersion=0&resourceVersionMatch=NotOlderThan",
  "resourceVersion=1&resourceVersionMatch=NotOlderThan",
  "resourceVersion=1&resourceVersionMatch=Wrong",
  "resourceVersionMatch=Exact",
  "resourceVersionMatch=Wrong",
  "resourceVersionMatch=NotOlderThan&continue=x",
  "resourceVersion=999999999",
  "resourceVersion=999999999&resourceVersionMatch=Exact",
  "continue=x",
  "continue=",
  "continue=e30",
  "continue=x&resourceVersion=1",
  "continue=x&resourceVersion=0",
  "sendInitialEvents=true",
  "sendInitialEvents=x",
  "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=1",
  "allowWatchBookmarks=true",
  "allowWatchBookmarks=x",
  "timeoutSeconds=x",
  "timeoutSeconds=-1",
  "timeoutSeconds=5",
  "watch=false",
  "watch=0",
  "watch=x&timeoutSeconds=1",
  "nothing=1",
  "labelSelector=",
  "fieldSelector=",
  "includeObject=Wrong",
  "labelSelector=app%zz",
  "limit=1;resourceVersion=0",
  "labelSelector=app%3Dx&labelSelector=app%3Dy",
  "shardSelector=x",
];

const listQuery = (query: string): Script =>
  named(`list with ${query}`, [
    map("a"),
    map("b"),
    get(`v1/configmaps?labelSelector=!nothing&${query}`, {
      only: [
        "kind",
        "metadata.continue",
        "metadata.remainingItemCount",
        "status",
        "reason",
        "message",
        "details",
        "code",
      ],
    }),
  ]);

const WRITE_QUERIES = [
  "dryRun=All",
  "dryRun=all",
  "dryRun=",
  "dryRun=All&dryRun=All",
  "fieldManager=" + "x".repeat(129),
  "fieldManager=a%0Ab",
  "fieldManager=",
  "fieldManager=%C3%A4",
  "fieldValidation=Strict",
  "fieldValidation=strict",
  "fieldValidation=",
  "force=true",
  "pretty=true",
  "pretty=x",
  "nothing=1",
  "gracePeriodSeconds=1",
];

const writeQuery = (query: string): Script =>
  named(`create with ${query}`, [
    create(`v1/configmaps?${query}`, { metadata: { name: "a" } }),
    get("v1/configmaps/a"),
  ]);

const DELETE_COLLECTIONS: Readonly<Record<string, readonly [string, unknown?]>> = {
  "all": [""],
  "a label": ["labelSelector=app%3Dx"],
  "a field": ["fieldSelector=metadata.name%3Db"],
  "a bad label": ["labelSelector=a b"],
  "a bad field": ["fieldSelector=data%3Db"],
  "dry run in the query": ["dryRun=All"],
  "dry run in the body": ["", { dryRun: ["All"] }],
  "a wrong dry run": ["", { dryRun: ["all"] }],
  "a limit": ["limit=1"],
  "preconditions": ["", { preconditions: { uid: "x" } }],
  "a wrong policy": ["propagationPolicy=Wrong"],
  "a resource version": ["resourceVersion=1"],
  "a body that is no options": ["", { kind: "ConfigMap", apiVersion: "v1" }],
  "a text": ["", "x"],
  "an unknown field": ["", { nothing: 1 }],
};

const deletesCollection = ([name, [query, body]]: [string, readonly [string, unknown?]]): Script =>
  named(`deletecollection with ${name}`, [
    ...LABELED,
    remove(`v1/configmaps?${query.includes("fieldSelector") ? "" : `${MINE}&`}${query}`, body, {
      only: ["kind", "status", "reason", "message", "details", "items.0.metadata.name", "items.1.metadata.name"],
    }),
    get(`v1/configmaps?${MINE}`, { only: ["items.0.metadata.name", "items.1.metadata.name", "items.2.metadata.name"] }),
  ]);

const METADATA_PATHS: Readonly<Record<string, RequestOptions>> = {
  "v1/configmaps/a": { accept: META },
  [`v1/configmaps?${MINE}`]: { accept: META_LIST },
};

/** Lists: selectors, pages, versions, formats, and what deletes them. */
export const collections: Area = {
  name: "collections",
  scripts: [
    ...LABEL_SELECTORS.map(selected),
    ...FIELD_SELECTORS.map(fields),
    ...selectable,
    ...LIST_QUERIES.map(listQuery),
    ...WRITE_QUERIES.map(writeQuery),
    ...Object.entries(DELETE_COLLECTIONS).map(deletesCollection),
    ...Object.entries(METADATA_PATHS).flatMap(([path, options]) => [
      named(`metadata of ${path}`, [map("a", { app: "x" }), get(path, options)]),
      named(`metadata v1beta1 of ${path}`, [
        map("a"),
        get(path, { accept: options.accept!.replace("v=v1", "v=v1beta1") }),
      ]),
    ]),
    named("the other metadata kind for one object", [map("a"), get("v1/configmaps/a", { accept: META_LIST })]),
    named("the other metadata kind for a list", [map("a"), get(`v1/configmaps?${MINE}`, { accept: META })]),
    named("metadata of a create", [create("v1/configmaps", { metadata: { name: "a" } }, { accept: META })]),
    named("metadata of a patch", [
      map("a"),
      patch("merge", "v1/configmaps/a", { data: { a: "b" } }, { accept: META }),
    ]),
    named("metadata of a delete", [map("a"), remove("v1/configmaps/a", undefined, { accept: META })]),
    named("metadata of an error", [get("v1/configmaps/a", { accept: META })]),
    named("a Table of an error", [
      get("v1/configmaps/a", { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" }),
    ]),
    ...["", "?pretty", "?pretty=true", "?pretty=1", "?pretty=false", "?pretty=0", "?pretty=x"].map((query) =>
      named(`the text of an object with "${query}"`, [map("a"), get(`v1/configmaps/a${query}`, { asText: true })])
    ),
    named("the text of a list", [map("a"), get(`v1/configmaps?${MINE}`, { asText: true })]),
    named("the text of a pretty list", [map("a"), get(`v1/configmaps?${MINE}&pretty=true`, { asText: true })]),
    named("the text of an error", [get("v1/configmaps/a", { asText: true })]),
    named("the text of a pretty error", [get("v1/configmaps/a?pretty=true", { asText: true })]),
    named("the text for a browser", [
      map("a"),
      get("v1/configmaps/a", { asText: true, headers: { "user-agent": "Mozilla/5.0" } }),
    ]),
    named("the text for curl", [
      map("a"),
      get("v1/configmaps/a", { asText: true, headers: { "user-agent": "curl/8" } }),
    ]),
    named("an object as YAML", [
      map("a", { app: "x" }, { data: { yes: "yes", n: "1", long: "a\nb\n", empty: "" } }),
      get("v1/configmaps/a", { accept: "application/yaml" }),
    ]),
    named("a list as YAML", [map("a"), get(`v1/configmaps?${MINE}`, { accept: "application/yaml" })]),
    named("an empty list", [get("v1/secrets")]),
    named("an empty list as YAML", [get("v1/secrets", { accept: "application/yaml" })]),
    named("a list of a namespace that is not there", [get("/api/v1/namespaces/nothing-$ns/configmaps")]),
    named("a list of all namespaces", [
      map("a", { only: "$ns" }),
      get("/api/v1/configmaps?labelSelector=only%3D$ns"),
    ]),
    named("all namespaces by a namespace", [
      map("a"),
      get(`/api/v1/configmaps?fieldSelector=${q("metadata.namespace=$ns,metadata.name=a")}`),
    ]),
    named("namespaces by phase", [
      get(`/api/v1/namespaces?fieldSelector=${q("metadata.name=$ns,status.phase=Active")}`, names),
      get(`/api/v1/namespaces?fieldSelector=${q("metadata.name=$ns,status.phase=Terminating")}`, names),
    ]),
    named("nodes by a boolean that is absent", [
      create("/api/v1/nodes", { metadata: { name: "$ns" } }, { codeOnly: true }),
      get(`/api/v1/nodes?fieldSelector=${q("metadata.name=$ns,spec.unschedulable=false")}`, names),
      get(`/api/v1/nodes?fieldSelector=${q("metadata.name=$ns,spec.unschedulable=true")}`, names),
      get(`/api/v1/nodes?fieldSelector=${q("metadata.name=$ns,spec.unschedulable!=true")}`, names),
      remove("/api/v1/nodes/$ns", undefined, { codeOnly: true }),
    ]),
    named("pages of a list", [
      ...LABELED,
      get("v1/configmaps?limit=1&labelSelector=!nothing&" + MINE, { ...names, keep: { next: "metadata.continue" } }),
      get("v1/configmaps?limit=1&labelSelector=!nothing&" + MINE + "&continue=${next}", names),
    ]),
    named("the rest of a page is counted", [
      ...[1, 2, 3].map((nth) => create("v1/secrets", { metadata: { name: `s${nth}` } }, { codeOnly: true })),
      get("v1/secrets?limit=1", { only: ["metadata.remainingItemCount"], keep: { next: "metadata.continue" } }),
      get("v1/secrets?limit=1&continue=${next}", { only: ["items.0.metadata.name", "metadata"] }),
      get("v1/secrets?limit=1&labelSelector=a", { only: ["metadata"] }),
      get("v1/secrets?limit=1&resourceVersion=0", { only: ["metadata", "items.0.metadata.name"] }),
    ]),
    named("pages do not show what comes later", [
      ...[1, 3].map((nth) => create("v1/secrets", { metadata: { name: `s${nth}` } }, { codeOnly: true })),
      get("v1/secrets?limit=1", { only: ["items.0.metadata.name"], keep: { next: "metadata.continue" } }),
      create("v1/secrets", { metadata: { name: "s2" } }, { codeOnly: true }),
      get("v1/secrets?limit=5&continue=${next}", names),
      get("v1/secrets?continue=${next}&resourceVersion=1", names),
      get("v1/secrets?continue=${next}&resourceVersionMatch=Exact", names),
    ]),
    named("a list at an exact version", [
      create("v1/secrets", { metadata: { name: "s1" } }, { codeOnly: true, keep: { rv: "metadata.resourceVersion" } }),
      create("v1/secrets", { metadata: { name: "s2" } }, { codeOnly: true }),
      get("v1/secrets?resourceVersion=${rv}&resourceVersionMatch=Exact", names),
      get("v1/secrets?resourceVersion=${rv}&resourceVersionMatch=NotOlderThan", names),
      get("v1/secrets?resourceVersion=${rv}&limit=1", names),
    ]),
    named("an object at a version", [
      map("a"),
      get("v1/configmaps/a?resourceVersion=0", { codeOnly: true }),
      get("v1/configmaps/a?resourceVersion=1", { codeOnly: true }),
      get("v1/configmaps/a?resourceVersion=999999999"),
      get("v1/configmaps/a?resourceVersion=x"),
    ]),
  ],
};
