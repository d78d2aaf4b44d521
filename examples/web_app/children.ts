import { createHash } from "node:crypto";
import {
  type ConfigMap,
  type CronJob,
  type Deployment,
  type DesiredOf,
  type PodDisruptionBudget,
  type Service,
} from "@pintle/pintle";
import type { WebAppSpec } from "./web_app.ts";

/** What the pods of an app are found by. */
const selector = (name: string) => ({ "web-app.example.com/name": name });

export function configMapOf({ config }: WebAppSpec): DesiredOf<typeof ConfigMap> {
  return { data: config };
}

export function serviceOf(name: string, { port }: WebAppSpec): DesiredOf<typeof Service> {
  return { spec: { selector: selector(name), ports: [{ name: "http", port: 80, targetPort: port }] } };
}

/** Changes with the configuration, and with nothing else. `keyUid` is the uid of the Secret: a new one is a new key. */
export function configHash({ config }: WebAppSpec, keyUid: string): string {
  const entries = Object.entries(config).sort(([one], [other]) => one < other ? -1 : 1);
  return createHash("sha256").update(JSON.stringify([entries, keyUid])).digest("hex").slice(0, 16);
}

export function deploymentOf(name: string, spec: WebAppSpec, hash: string): DesiredOf<typeof Deployment> {
  const labels = selector(name);
  return {
    spec: {
      replicas: spec.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { "web-app.example.com/config-hash": hash } },
        spec: {
          containers: [{
            name: "app",
            image: spec.image,
            ports: [{ name: "http", containerPort: spec.port }],
            envFrom: [{ configMapRef: { name } }, { secretRef: { name } }],
          }],
        },
      },
    },
  };
}

/** One pod at a time may be evicted. A single pod gets no budget: it would keep its node from being drained. */
export function budgetOf(name: string, { replicas }: WebAppSpec): DesiredOf<typeof PodDisruptionBudget> | undefined {
  if (replicas < 2) return undefined;
  return { spec: { maxUnavailable: 1, selector: { matchLabels: selector(name) } } };
}

export function cronJobOf(name: string, { image, job }: WebAppSpec): DesiredOf<typeof CronJob> | undefined {
  if (!job) return undefined;
  const envFrom = [{ configMapRef: { name } }, { secretRef: { name } }];
  const containers = [{ name: "job", image, command: job.command, envFrom }];
  return {
    spec: {
      schedule: job.schedule,
      concurrencyPolicy: "Forbid",
      jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers } } } },
    },
  };
}
