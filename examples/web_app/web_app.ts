import { defineResource, type ObjectOf, type ReconcileContext } from "@pintle/pintle";
import * as z from "zod";

const spec = z.object({
  image: z.string().min(1),
  replicas: z.int().min(0).max(50).default(1),
  port: z.int().min(1).max(65_535).default(8080),
  config: z.record(z.string(), z.string()).default({}),
  host: z.string().regex(/^[a-z0-9.-]+$/).optional(),
  job: z.object({ schedule: z.string().min(1), command: z.array(z.string()).min(1) }).optional(),
});

const status = z.object({
  readyReplicas: z.int().optional(),
  lastJob: z.string().optional(),
});

/** An application that answers HTTP requests: an image, its configuration, a host name, and a job beside it. */
export const WebApp = defineResource({
  group: "web-app.example.com",
  version: "v1alpha1",
  kind: "WebApp",
  columns: [
    { name: "Host", type: "string", jsonPath: ".spec.host" },
    { name: "Wanted", type: "integer", jsonPath: ".spec.replicas" },
    { name: "Ready", type: "integer", jsonPath: ".status.readyReplicas" },
  ],
  spec,
  status,
});

export type WebAppObject = ObjectOf<typeof WebApp>;
export type WebAppSpec = z.output<typeof spec>;
export type WebAppContext = ReconcileContext<WebAppObject, WebAppSpec, z.output<typeof status>>;
