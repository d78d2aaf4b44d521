/** What an object says of its kind, and the path of its collection in the script's namespace. */
export interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: string;
}

/** A kind of a script's namespace; `path` is absolute where it is of the cluster. */
export function target(apiVersion: string, kind: string, plural: string): Target {
  return { apiVersion, kind, path: `${apiVersion}/${plural}` };
}

export const CONFIG_MAP: Target = target("v1", "ConfigMap", "configmaps");
export const DEPLOYMENT: Target = target("apps/v1", "Deployment", "deployments");
export const WIDGET: Target = target("shop.example.com/v1", "Widget", "widgets");
export const POD: Target = target("v1", "Pod", "pods");
export const SERVICE: Target = target("v1", "Service", "services");
