import {
  type Area,
  crdOf,
  create,
  define,
  events,
  get,
  patch,
  remove,
  type Script,
  type Step,
  watch,
} from "../script.ts";

const TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1";
const META = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const secret = (name: string, labels: Record<string, string> = {}, keep?: Record<string, string>) =>
  create("v1/secrets", { metadata: { name, labels } }, { codeOnly: true, ...keep && { keep } });
const RV = { rv: "metadata.resourceVersion" };
const relabel = (name: string, labels: Record<string, string | null>) =>
  patch("merge", `v1/secrets/${name}`, { metadata: { labels } }, { codeOnly: true });
const gone = (name: string) => remove(`v1/secrets/${name}`, undefined, { codeOnly: true });
const q = encodeURIComponent;

function named(name: string, ...steps: readonly Step[]): Script {
  return { name, steps };
}

/** Opens it, and says what it begins with. */
const begins = (query: string, count: number, end = false): Script =>
  named(`a watch with ${query}`, secret("a"), secret("b"), watch("w", `v1/secrets?${query}`), events("w", count, end));

const REFUSED = [
  "resourceVersion=x",
  "resourceVersion=-1",
  "resourceVersionMatch=NotOlderThan",
  "resourceVersionMatch=Exact",
  "resourceVersion=1&resourceVersionMatch=NotOlderThan",
  "sendInitialEvents=true",
  "sendInitialEvents=false",
  "sendInitialEvents=x&resourceVersionMatch=NotOlderThan",
  "sendInitialEvents=true&resourceVersionMatch=Exact",
  "sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
  "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x",
  "continue=x",
  "limit=x",
  "labelSelector=a%20b",
  "fieldSelector=data%3Da",
  "fieldSelector=metadata.name",
  "timeoutSeconds=x",
];

const whole = (name: string, accept: string | undefined): Script =>
  named(
    name,
    secret("a"),
    watch("w", "v1/secrets?resourceVersion=0&labelSelector=!nothing", accept),
    events("w", 1),
    relabel("a", { x: "y" }),
    gone("a"),
    events("w", 2),
  );

/** Watches: what they begin with, what follows, how they end. */
export const watches: Area = {
  name: "watches",
  setup: define(
    crdOf("Watched", "watch.example.com", { spec: { type: "object", properties: { a: { type: "string" } } } }),
  ),
  scripts: [
    ...REFUSED.map((query) =>
      named(`a refused watch with ${query}`, watch("w", `v1/secrets?timeoutSeconds=1&${query}`), events("w", 1))
    ),
    begins("resourceVersion=0", 2),
    begins("resourceVersion=", 2),
    begins("limit=1", 2),
    begins("timeoutSeconds=1", 2, true),
    begins("timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=0", 2, true),
    begins("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", 3),
    begins("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0", 3),
    begins("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=a", 1),
    begins(
      "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1",
      0,
      false,
    ),
    begins(`fieldSelector=${q("metadata.name=b")}`, 1),
    begins(`labelSelector=${q("!x")}&fieldSelector=${q("metadata.name!=b")}`, 1),
    begins("resourceVersion=1&timeoutSeconds=1", 1),
    begins("resourceVersion=999999999&timeoutSeconds=1", 1),
    begins("pretty=true", 2),
    whole("objects as they change", undefined),
    whole("objects as they change, as Tables", TABLE),
    whole("objects as they change, as metadata", META),
    whole("objects as they change, as metadata of a list", META.replace("Metadata;", "MetadataList;")),
    whole("objects as they change, as metadata v1beta1", META.replace("v=v1", "v=v1beta1")),
    named("a watch as YAML", watch("w", "v1/secrets?timeoutSeconds=1", "application/yaml"), events("w", 1)),
    named("a watch in no media type that there is", watch("w", "v1/secrets?timeoutSeconds=1", "application/xml")),
    named(
      "objects that enter and leave a selector",
      secret("a", { app: "x" }),
      watch("w", "v1/secrets?labelSelector=app%3Dx"),
      events("w", 1),
      relabel("a", { app: "y" }),
      events("w", 1),
      relabel("a", { app: "x" }),
      events("w", 1),
      relabel("a", { b: "c" }),
      events("w", 1),
      relabel("a", { app: null }),
      relabel("a", { d: "e" }),
      gone("a"),
      secret("z", { app: "x" }),
      events("w", 2),
    ),
    named(
      "objects that enter and leave a Table",
      secret("a", { app: "x" }),
      watch("w", "v1/secrets?labelSelector=app%3Dx&includeObject=None", TABLE),
      events("w", 1),
      relabel("a", { app: "y" }),
      relabel("a", { app: "x" }),
      events("w", 2),
    ),
    named(
      "Pods by a field that changes",
      create("v1/pods", { metadata: { name: "a" }, spec: { containers: [{ name: "a", image: "a" }] } }, {
        codeOnly: true,
      }),
      watch("w", `v1/pods?fieldSelector=${q("status.phase=Running")}`, META),
      patch("merge", "v1/pods/a/status", { status: { phase: "Running" } }, { codeOnly: true }),
      events("w", 1),
      patch("merge", "v1/pods/a/status", { status: { phase: "Failed" } }, { codeOnly: true }),
      events("w", 1),
    ),
    named(
      "one object by its path",
      secret("a"),
      secret("b"),
      watch("w", "v1/secrets/a?timeoutSeconds=2"),
      relabel("b", { x: "y" }),
      relabel("a", { x: "y" }),
      events("w", 2),
      gone("a"),
      events("w", 1),
    ),
    named("one object that is not there", watch("w", "v1/secrets/a"), secret("a"), events("w", 1)),
    named(
      "one object by its name as a field",
      secret("a"),
      watch("w", `v1/secrets?fieldSelector=${q("metadata.name=a")}`),
      events("w", 1),
      gone("a"),
      events("w", 1),
    ),
    named(
      "from a version on",
      secret("a", {}, RV),
      secret("b"),
      watch("w", "v1/secrets?resourceVersion=${rv}"),
      events("w", 1),
      gone("a"),
      events("w", 1),
    ),
    named(
      "from a version on with a selector",
      secret("a", { app: "x" }, RV),
      relabel("a", { app: "y" }),
      watch("w", "v1/secrets?resourceVersion=${rv}&labelSelector=app%3Dx"),
      events("w", 1),
    ),
    named(
      "from the version of a list on",
      secret("a"),
      get("v1/secrets", { codeOnly: true, keep: RV }),
      secret("b"),
      watch("w", "v1/secrets?resourceVersion=${rv}"),
      events("w", 1),
    ),
    named(
      "of an object that is being deleted",
      create("v1/secrets", { metadata: { name: "a", finalizers: ["example.com/f"] } }, { codeOnly: true }),
      watch("w", "v1/secrets"),
      events("w", 1),
      gone("a"),
      events("w", 1),
      patch("merge", "v1/secrets/a", { metadata: { finalizers: null } }, { codeOnly: true }),
      events("w", 1),
    ),
    named(
      "a write that changes nothing is no event",
      secret("a", { app: "x" }),
      watch("w", "v1/secrets"),
      relabel("a", { app: "x" }),
      relabel("a", { app: "y" }),
      events("w", 2),
    ),
    named(
      "deletecollection is an event for each",
      secret("a"),
      secret("b"),
      watch("w", "v1/secrets", META),
      events("w", 2),
      remove("v1/secrets", undefined, { codeOnly: true }),
      events("w", 2),
    ),
    named("of an unknown resource", watch("w", "v1/nothing")),
    named(
      "of a namespace that is not there",
      watch("w", "/api/v1/namespaces/nothing-$ns/secrets?timeoutSeconds=1"),
      events("w", 1),
    ),
    named(
      "the deprecated path",
      secret("a"),
      watch("w", "/api/v1/watch/namespaces/$ns/secrets?timeoutSeconds=1"),
      events("w", 1),
    ),
    named(
      "the deprecated path of one object",
      secret("a"),
      watch("w", "/api/v1/watch/namespaces/$ns/secrets/a"),
      events("w", 1),
    ),
    ...["", "/a"].map((at) =>
      named(
        `custom resources${at}`,
        create("watch.example.com/v1/watcheds", {
          apiVersion: "watch.example.com/v1",
          kind: "Watched",
          metadata: { name: "a" },
          spec: {},
        }, { codeOnly: true }),
        watch("w", `watch.example.com/v1/watcheds${at}`),
        events("w", 1),
        patch("merge", "watch.example.com/v1/watcheds/a", { spec: { a: "b" } }, { codeOnly: true }),
        remove("watch.example.com/v1/watcheds/a", undefined, { codeOnly: true }),
        events("w", 2),
      )
    ),
    named(
      "custom resources as Tables",
      create("watch.example.com/v1/watcheds", {
        apiVersion: "watch.example.com/v1",
        kind: "Watched",
        metadata: { name: "a" },
      }, { codeOnly: true }),
      watch("w", "watch.example.com/v1/watcheds", TABLE),
      events("w", 1),
      remove("watch.example.com/v1/watcheds/a", undefined, { codeOnly: true }),
      events("w", 1),
    ),
    named(
      "the content type of a watch",
      get("v1/secrets?watch=true&timeoutSeconds=1", { codeOnly: true, shows: ["content-type"] }),
      get("v1/secrets?watch=1&timeoutSeconds=1", { asText: true, shows: ["content-type", "cache-control"] }),
      get("v1/secrets?watch=TRUE&timeoutSeconds=1", { asText: true }),
      get("v1/secrets?watch&timeoutSeconds=1", { asText: true }),
      get("v1/secrets?watch=&timeoutSeconds=1", { asText: true }),
    ),
    named(
      "bookmarks have the kind and a version",
      watch("w", "v1/secrets?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"),
      events("w", 1),
    ),
    named(
      "bookmarks of Tables",
      watch("w", "v1/secrets?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", TABLE),
      events("w", 1),
    ),
    named(
      "bookmarks of metadata",
      watch("w", "v1/secrets?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", META),
      events("w", 1),
    ),
    named(
      "bookmarks of custom resources",
      watch(
        "w",
        "watch.example.com/v1/watcheds?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
      ),
      events("w", 1),
    ),
  ],
};
