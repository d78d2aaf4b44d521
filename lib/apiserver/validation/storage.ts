import { dnsSubdomain, labelSelector, qualifiedNameFaults } from "./names.ts";
import { nodeSelector } from "./node_selector.ts";
import { fields, immutable, oneOf, type Place, present, required, type Rule, set } from "./place.ts";
import { amount } from "./quantities.ts";

/** Claims, volumes and their classes, by core's and storage's validation. */

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES = ["Block", "Filesystem"];

function accessModes(at: Place, why: string): void {
  if (!at.isSet) at.required(why);
  const modes = [...new Set(at.items.map(({ text }) => text))];
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) at.unsupported(ACCESS_MODES, mode);
  if (modes.includes("ReadWriteOncePod") && modes.length > 1) {
    at.forbidden("may not use ReadWriteOncePod with other access modes");
  }
}

function positive(at: Place): void {
  if (amount(at) <= 0) at.invalid("must be greater than zero");
}

/** A claim's spec, also of a template. */
export function claimSpec(at: Place): void {
  const requests = at.field("resources").field("requests"), mode = at.field("volumeMode");
  if (at.field("selector").isPresent) labelSelector(at.field("selector"));
  accessModes(at.field("accessModes"), "at least 1 access mode is required");
  if (!requests.key("storage").isPresent) requests.renamed(`${at.path}.resources[storage]`).required();
  else positive(requests.key("storage").renamed(`${at.path}.resources[storage]`));
  if (at.field("storageClassName").isSet) dnsSubdomain(at.field("storageClassName"));
  if (mode.isPresent && !VOLUME_MODES.includes(mode.text)) mode.unsupported(VOLUME_MODES);
  for (const name of ["dataSource", "dataSourceRef"]) present(dataSource)(at.field(name));
}

const dataSource: Rule = fields({ name: required(), kind: required() });

/** PersistentVolumeClaims, by ValidatePersistentVolumeClaim and its update. */
export function claim(at: Place): void {
  const spec = at.field("spec");
  claimSpec(spec);
  if (!at.isUpdate) return;
  const size = spec.field("resources").field("requests").key("storage");
  const fixed = spec.changedFields.filter((field) => !isUpdatable(spec.field(field), field));
  immutable()(spec.field("volumeMode").renamed("volumeMode"));
  if (fixed.length > 0 || size.isChanged) {
    spec.forbidden(
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
    );
  }
}

/** A class may be given later. */
function isUpdatable({ old }: Place, field: string): boolean {
  return field === "resources" || field === "volumeAttributesClassName" ||
    (field === "storageClassName" && old === undefined);
}

/** Kinds of storage; one of them makes a volume. */
const SOURCES = [
  "hostPath",
  "nfs",
  "csi",
  "local",
  "iscsi",
  "fc",
  "flexVolume",
  "rbd",
  "cephfs",
  "awsElasticBlockStore",
]
  .concat(["gcePersistentDisk", "azureDisk", "azureFile", "cinder", "vsphereVolume", "portworxVolume", "scaleIO"]);
const RECLAIM = ["Delete", "Recycle", "Retain"];

/** PersistentVolumes, by ValidatePersistentVolume and its update. */
export function persistentVolume(at: Place): void {
  const spec = at.field("spec"), capacity = spec.field("capacity"), mode = spec.field("volumeMode");
  accessModes(spec.field("accessModes"), "");
  if (!capacity.isSet) capacity.required();
  if (!capacity.key("storage").isPresent || capacity.keys.length > 1) {
    capacity.unsupported(["storage"], capacity.value ?? null);
  }
  for (const name of capacity.keys) positive(capacity.key(name));
  const policy = spec.field("persistentVolumeReclaimPolicy");
  if (policy.isSet && !RECLAIM.includes(policy.text)) policy.unsupported(RECLAIM);
  const given = SOURCES.filter((name) => spec.field(name).isPresent);
  given.slice(1).forEach((name) => spec.field(name).forbidden("may not specify more than 1 volume type"));
  if (given.length === 0) spec.required("must specify a volume type");
  hostPath(spec.field("hostPath"));
  fields({
    nfs: present(fields({ server: required(), path: required() })),
    csi: present(fields({ driver: required(), volumeHandle: required() })),
    "nodeAffinity.required": present(nodeSelector),
  })(spec);
  if (spec.field("storageClassName").isSet) dnsSubdomain(spec.field("storageClassName"));
  if (mode.isPresent && !VOLUME_MODES.includes(mode.text)) mode.unsupported(VOLUME_MODES);
  if (at.isUpdate && SOURCES.some((name) => spec.field(name).isChanged)) {
    spec.renamed("spec.persistentvolumesource").forbidden("spec.persistentvolumesource is immutable after creation");
  }
  if (at.isUpdate) immutable()(mode);
}

function hostPath(at: Place): void {
  if (!at.isPresent) return;
  const path = at.field("path");
  if (!path.isSet) path.required();
  else if (path.text.split("/").includes("..")) path.invalid("must not contain '..'");
}

const BINDING = ["Immediate", "WaitForFirstConsumer"], PARAMETERS_MAX = 512;

/** StorageClasses, by ValidateStorageClass and its update. */
export function storageClass(at: Place): void {
  const provisioner = at.field("provisioner"), parameters = at.field("parameters");
  if (!provisioner.isSet) provisioner.required();
  else for (const fault of qualifiedNameFaults(provisioner.text.toLowerCase())) provisioner.invalid(fault);
  if (parameters.keys.length > PARAMETERS_MAX) parameters.tooLong(PARAMETERS_MAX);
  for (const key of parameters.keys) if (key === "") parameters.invalid("field can not be empty.", "");
  fields({ reclaimPolicy: set(oneOf("Delete", "Retain")), volumeBindingMode: set(oneOf(...BINDING)) })(at);
  topologies(at.field("allowedTopologies"));
  if (!at.isUpdate) return;
  for (const field of ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"]) {
    // kube-apiserver shows no value here.
    if (at.field(field).isChanged) at.field(field).invalid("field is immutable", null);
  }
}

function topologies(at: Place): void {
  for (const expression of at.items.flatMap((term) => term.field("matchLabelExpressions").items)) {
    const values = expression.field("values");
    if (!values.isSet) values.required("");
    for (const fault of qualifiedNameFaults(expression.field("key").text)) expression.field("key").invalid(fault);
  }
}
