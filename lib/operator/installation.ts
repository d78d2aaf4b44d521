import { type ApiResource, type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import { conversionFit, CRDS, WEBHOOK_PORT, webhookConfigurations, webhookServiceName } from "../admission/mod.ts";
import { LinkedAbort } from "../base/mod.ts";
import { AlreadyExistsError, type Client, NotFoundError } from "../client/mod.ts";
import type { Operator } from "./operator.ts";
import { LEASE_RULES, REVIEW_RULES, webhookRules } from "./permissions.ts";

/** The default namespace of a program's ServiceAccount. */
export function installNamespace(program: string): string {
  return `${program}-system`;
}

/** An object of an installation, and the resource to apply it to. */
export interface InstalledObject {
  /** Where it is applied. */
  readonly resource: ApiResource;
  /** The manifest. */
  readonly object: DynamicObject;
}

const RBAC = "rbac.authorization.k8s.io";

/** The program whose `install` made the namespace; labels do not tell: an apply also sets them on an earlier one. */
export const CREATED_BY = "pintle.dev/created-by";

/**
 * What a cluster needs before the operator runs, in order of application: CRDs, a namespace, a ServiceAccount, a
 * ClusterRole with exactly the operator's rules and those of `/explain`, a Role for the election lease, and bindings.
 * With webhooks also a Service and their configurations, which refuse requests until it runs.
 */
export function installation(operator: Operator, program: string, namespace: string): InstalledObject[] {
  const { name } = operator, labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": program };
  const made = (of: ApiResource, apiVersion: string, metadata: Record<string, unknown>, rest: object = {}) => ({
    resource: of,
    object: { apiVersion, kind: of.kind, metadata: { ...metadata, labels }, ...rest } as DynamicObject,
  });
  const admission = webhookRules(operator);
  return [
    ...operator.crds({ namespace }).map((object) => ({ resource: CRDS, object })),
    made(resource("", "Namespace", false), "v1", { name: namespace }),
    made(resource("", "ServiceAccount", true), "v1", { name, namespace }),
    made(resource(RBAC, "ClusterRole", false), `${RBAC}/v1`, { name }, {
      rules: [...operator.rules(), ...admission.cluster, ...REVIEW_RULES],
    }),
    made(resource(RBAC, "ClusterRoleBinding", false), `${RBAC}/v1`, { name }, {
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
    made(resource(RBAC, "Role", true), `${RBAC}/v1`, { name, namespace }, {
      rules: [...LEASE_RULES, ...admission.own],
    }),
    made(resource(RBAC, "RoleBinding", true), `${RBAC}/v1`, { name, namespace }, {
      roleRef: { apiGroup: RBAC, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    }),
    ...webhookObjects(operator, program, namespace),
  ];
}

/** The leader adds the configurations' authorities. Empty without webhooks. */
function webhookObjects(operator: Operator, program: string, namespace: string): InstalledObject[] {
  if (!operator.servesWebhooks) return [];
  const service = { namespace, name: webhookServiceName(operator.name) };
  const labels = { "app.kubernetes.io/name": operator.name, "app.kubernetes.io/managed-by": program };
  const spec = {
    selector: { "app.kubernetes.io/name": operator.name },
    ports: [{ name: "webhooks", port: 443, targetPort: WEBHOOK_PORT, protocol: "TCP" }],
  };
  return [
    {
      resource: resource("", "Service", true),
      object: { apiVersion: "v1", kind: "Service", metadata: { ...service, labels }, spec } as DynamicObject,
    },
    ...webhookConfigurations({ name: operator.name, declarations: operator.admission, place: { service }, labels }),
  ];
}

/** Whether an object makes API servers call the operator. */
export function isWebhook({ resource }: InstalledObject): boolean {
  return resource.group === "admissionregistration.k8s.io";
}

function resource(group: string, kind: string, namespaced: boolean): ApiResource {
  return { group, version: "v1", kind, plural: `${kind.toLowerCase()}s`, namespaced };
}

export interface ApplyInstallationOptions {
  /** Also the field manager. */
  readonly program: string;
  readonly namespace: string;
  /** The objects to apply; all by default. */
  readonly objects?: readonly InstalledObject[];
  /** The server checks everything and stores nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  /** Whether a CRD keeps a conversion webhook at a URL, instead of the Service. */
  readonly keepsUrl?: boolean;
  /** Called per object; `checked` is false if a dry run could not check it, as its namespace does not exist. */
  readonly onApplied?: (object: DynamicObject, checked: boolean) => void;
}

/**
 * Applies what the operator needs and waits until its kinds are served. Idempotent.
 *
 * @throws {ForbiddenError} naming the missing RBAC rule; other errors of the API server.
 */
export async function applyInstallation(
  client: Client,
  operator: Operator,
  options: ApplyInstallationOptions,
): Promise<void> {
  const { program, namespace, dryRun, signal, onApplied, keepsUrl } = options;
  for (const { resource, object } of options.objects ?? installation(operator, program, namespace)) {
    try {
      if (resource.kind === "Namespace" && !dryRun) await createMarked(client, { resource, object }, program, signal);
      if (resource === CRDS) await applyCrd(client, object, { keepsUrl, dryRun, signal });
      else await client.apply(resource, object, { force: true, dryRun, signal });
      onApplied?.(object, true);
    } catch (error) {
      // A dry run makes no namespace, so the server cannot check what goes inside.
      if (!(dryRun && object.metadata?.namespace && error instanceof NotFoundError)) throw error;
      onApplied?.(object, false);
    }
  }
  if (dryRun) return;
  for (const crd of operator.crds()) await untilEstablished(client, crd.metadata!.name!, signal);
}

async function createMarked(
  client: Client,
  { resource, object }: InstalledObject,
  program: string,
  signal?: AbortSignal,
): Promise<void> {
  if (await client.find(resource, keyOf(object), { signal, metadataOnly: true })) return;
  const marked = { ...object, metadata: { ...object.metadata, annotations: { [CREATED_BY]: program } } };
  await client.create(resource, marked, { signal }).catch((error) => {
    if (!(error instanceof AlreadyExistsError)) throw error; // created by another process meanwhile
  });
}

async function applyCrd(
  client: Client,
  declared: DynamicObject,
  { keepsUrl = false, dryRun, signal }: Pick<ApplyInstallationOptions, "keepsUrl" | "dryRun" | "signal">,
): Promise<void> {
  const live = await client.find<DynamicObject>(CRDS, keyOf(declared), { signal });
  const { first, object } = conversionFit(declared, live, keepsUrl);
  if (first) await client.patch(CRDS, keyOf(declared), { type: "merge", dryRun, signal, body: first });
  // A dry run created nothing, so the server would refuse this one.
  if (!(first && dryRun)) await client.apply(CRDS, object, { force: true, dryRun, signal });
}

/** Applies the CRDs and waits until they are served. A conversion webhook at a URL stays. */
export async function applyCrds(client: Client, operator: Operator, signal?: AbortSignal): Promise<void> {
  for (const crd of operator.crds()) {
    await applyCrd(client, crd, { keepsUrl: true, signal });
    await untilEstablished(client, crd.metadata!.name!, signal);
  }
}

const ESTABLISHED_SECONDS_MAX = 30;

async function untilEstablished(client: Client, name: string, signal?: AbortSignal): Promise<void> {
  const crd = await client.get<DynamicObject>(CRDS, { name }, { signal });
  if (isEstablished(crd)) return;
  using link = new LinkedAbort([signal]);
  const watch = client.watch<DynamicObject>(CRDS, {
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: crd.metadata!.resourceVersion!,
    timeoutSeconds: ESTABLISHED_SECONDS_MAX,
    signal: link.signal,
  });
  for await (const { object } of watch) if (isEstablished(object)) return;
  signal?.throwIfAborted();
  throw new Error(
    `customresourcedefinition ${name} was not served within ${ESTABLISHED_SECONDS_MAX} s: ` +
      `kubectl describe crd ${name} shows why`,
  );
}

function isEstablished(crd: DynamicObject): boolean {
  // A real server shows `conditions: null` for a CRD just stored.
  const { conditions } = (crd.status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return (conditions ?? []).some(({ type, status }) => type === "Established" && status === "True");
}
