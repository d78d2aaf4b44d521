import { type ApiResource, controllerOf, formatGroupResource, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { type Client, discoverAll, type DiscoveredResource } from "../client/mod.ts";
import { nameOf } from "./deleter.ts";

/** Objects read of one resource: one is enough to keep a namespace. */
const READ_MAX = 50;

/**
 * Users' objects in a namespace: no namespace defaults, Events, children of a controller, or objects being deleted. At
 * most 50 of a resource.
 *
 * @throws {ForbiddenError} if a resource may not be listed: then the content is unknown.
 */
export async function contentOf(client: Client, namespace: string, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  const { resources, unknown } = await discoverAll(client, signal);
  for (const { group, version } of unknown) names.push(`objects of ${group}/${version} that cannot be listed`);
  for (const resource of contentResources(resources)) {
    const options = { namespace, limit: READ_MAX, metadataOnly: true, signal };
    for await (const { items } of client.pages<KubeObject>(resource, options)) {
      names.push(...items.filter((item) => isUsers(resource, item)).map((item) => nameOf(resource, item)));
      break;
    }
  }
  return names;
}

/** One version of every namespaced resource whose objects stay. */
function contentResources(discovered: readonly DiscoveredResource[]): DiscoveredResource[] {
  const byName = new Map<string, DiscoveredResource>();
  for (const resource of discovered) {
    const { namespaced, verbs, plural } = resource, name = formatGroupResource(resource);
    if (!namespaced || plural === "events" || byName.has(name)) continue;
    if (["list", "create", "delete"].every((verb) => verbs.includes(verb))) byName.set(name, resource);
  }
  return [...byName.values()];
}

function isUsers({ kind, group }: ApiResource, object: KubeObject): boolean {
  if (object.metadata?.deletionTimestamp || controllerOf(object)) return false;
  const { name } = keyOf(object);
  if (group !== "") return true;
  return !(kind === "ServiceAccount" && name === "default") && !(kind === "ConfigMap" && name === "kube-root-ca.crt");
}
