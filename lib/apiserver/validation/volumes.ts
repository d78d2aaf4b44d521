import { configKeyFaults, dnsLabel } from "./names.ts";
import { descendingPath, fieldRef, resourceFieldRef } from "./containers.ts";
import { each, fields, oneOf, type Place, present, required, type Rule, set } from "./place.ts";
import { amount } from "./quantities.ts";
import { claimSpec } from "./storage.ts";

/** Volumes of pods, by core's validateVolumeSource. */

const MODE_MAX = 0o777, TOKEN_SECONDS_MIN = 600, TOKEN_SECONDS_MAX = 2 ** 32;
const HOST_PATHS = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const DOWNWARD_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

function fileMode(at: Place): void {
  if (at.number < 0 || at.number > MODE_MAX) {
    at.invalid("must be a number between 0 and 0777 (octal), both inclusive");
  }
}

const keyToPath: Rule = fields({
  key: (at) => at.isSet ? configKeyFaults(at.text).forEach((fault) => at.invalid(fault)) : at.required(),
  path: (at) => at.isSet ? descendingPath(at) : at.required(),
  mode: present(fileMode),
});

const absolutePath: Rule = (at) => at.isSet ? noBackstep(at) : at.required();

function noBackstep(at: Place): void {
  if (at.text.split("/").includes("..")) at.invalid("must not contain '..'");
}

const downwardFile: Rule = (at) => {
  const path = at.field("path"), field = at.field("fieldRef"), resource = at.field("resourceFieldRef");
  if (!path.isSet) path.required();
  else descendingPath(path);
  if (field.isPresent) fieldRef(field, DOWNWARD_FIELDS);
  else if (resource.isPresent) resourceFieldRef(resource, true);
  else at.required("one of fieldRef and resourceFieldRef is required");
  if (field.isPresent && resource.isPresent) {
    at.invalid("fieldRef and resourceFieldRef can not be specified simultaneously");
  }
  present(fileMode)(at.field("mode"));
};

const token: Rule = (at) => {
  const seconds = at.field("expirationSeconds");
  if (seconds.number < TOKEN_SECONDS_MIN) {
    seconds.invalid("may not specify a duration less than 10 minutes", seconds.number);
  } else if (seconds.number > TOKEN_SECONDS_MAX) {
    seconds.invalid("may not specify a duration larger than 2^32 seconds", seconds.number);
  }
  if (at.field("path").isSet) descendingPath(at.field("path"));
  else at.field("path").required();
};

const PROJECTIONS: Readonly<Record<string, Rule>> = {
  secret: fields({ name: required(), items: each(keyToPath) }),
  configMap: fields({ name: required(), items: each(keyToPath) }),
  downwardAPI: fields({ items: each(downwardFile) }),
  serviceAccountToken: token,
  clusterTrustBundle: fields({ path: required() }),
};

function projected(at: Place): void {
  present(fileMode)(at.field("defaultMode"));
  const paths = new Set<string>();
  for (const source of at.field("sources").items) {
    const given = source.keys.filter((name) => source.field(name).isPresent);
    given.slice(1).forEach((name) => source.field(name).forbidden("may not specify more than 1 volume type"));
    if (given[0] !== undefined) PROJECTIONS[given[0]]?.(source.field(given[0]));
    for (const name of given) projectedPaths(source.field(name), paths, at);
  }
}

/** Two sources may not write one file. */
function projectedPaths(source: Place, paths: Set<string>, volume: Place): void {
  for (const item of source.field("items").items) {
    const path = item.field("path").text;
    if (path !== "" && paths.has(path)) {
      volume.invalid("conflicting duplicate paths", source.field("name").isSet ? source.field("name").value : path);
    }
    paths.add(path);
  }
}

/** By the field of the volume. Kinds of storage that no cluster of this version serves have no rules. */
const SOURCES: Readonly<Record<string, Rule>> = {
  emptyDir: (at) => {
    if (at.field("sizeLimit").isPresent && amount(at.field("sizeLimit")) < 0) {
      at.field("sizeLimit").forbidden("SizeLimit field must be a valid resource quantity");
    }
  },
  secret: fields({ secretName: required(), defaultMode: present(fileMode), items: each(keyToPath) }),
  configMap: fields({ name: required(), defaultMode: present(fileMode), items: each(keyToPath) }),
  hostPath: fields({ path: absolutePath, type: present(oneOf(...HOST_PATHS)) }),
  persistentVolumeClaim: fields({ claimName: required() }),
  nfs: fields({
    server: required(),
    path: (at) => at.isSet ? at.text.startsWith("/") || at.invalid("must be an absolute path") : at.required(),
  }),
  csi: fields({ driver: required() }),
  downwardAPI: (at) => {
    present(fileMode)(at.field("defaultMode"));
    // kube-apiserver names the volume, not the item.
    for (const item of at.field("items").items) downwardFile(item.renamed(at.path));
  },
  projected,
  ephemeral: (at) => {
    const template = at.field("volumeClaimTemplate");
    if (template.isPresent) claimSpec(template.field("spec"));
    else template.required();
  },
  image: fields({ reference: required(), pullPolicy: set(oneOf("Always", "IfNotPresent", "Never")) }),
  iscsi: fields({ targetPortal: required(), iqn: required() }),
  flexVolume: fields({ driver: required() }),
};

/** All volumes of a pod; the source of each by its name. */
export function podVolumes(at: Place): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const volume of at.items) {
    const name = volume.field("name"), source = volumeSource(volume);
    if (!name.isSet) name.required();
    else {
      dnsLabel(name);
      if (sources.has(name.text)) name.duplicate();
    }
    sources.set(name.text, source);
  }
  return sources;
}

function volumeSource(volume: Place): string {
  // In the order of the Go struct, which decides which of two is refused.
  const given = Object.keys(SOURCES).concat(volume.keys).filter((name, index, all) =>
    name !== "name" && all.indexOf(name) === index && volume.field(name).isPresent
  );
  given.slice(1).forEach((name) => volume.field(name).forbidden("may not specify more than 1 volume type"));
  if (given[0] === undefined) volume.required("must specify a volume type");
  else SOURCES[given[0]]?.(volume.field(given[0]));
  return given[0] ?? "";
}
