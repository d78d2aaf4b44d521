import * as z from "zod";
import { type CustomObject, type CustomResource, defineResource } from "../mod.ts";

const LabelSelectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z.array(z.object({
    key: z.string(),
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
    values: z.array(z.string()).optional(),
  })).optional(),
});

const TargetsSchema = z.object({
  namespaces: z.array(z.string().min(1).max(254)).max(256).optional()
    .describe("Globs of namespace names; one that begins with ! excludes."),
  selector: LabelSelectorSchema.optional()
    .describe("Labels of namespaces. Where namespaces is given too, both must match."),
  name: z.string().min(1).max(253).optional().describe("Name of the copies; the source's name by default."),
  labels: z.record(z.string(), z.string()).optional().describe("Labels added to the copies."),
  annotations: z.record(z.string(), z.string()).optional().describe("Annotations added to the copies."),
}).meta({
  "x-kubernetes-validations": [{
    rule: "has(self.namespaces) || has(self.selector)",
    message: "at least one of namespaces and selector is required",
  }],
});

const SpecSchema = z.object({
  source: z.object({
    kind: z.enum(["Secret", "ConfigMap"]),
    name: z.string().min(1).max(253).describe("Name of an object in the Replication's own namespace."),
  }),
  targets: TargetsSchema,
  deletionPolicy: z.enum(["Delete", "Orphan"]).default("Delete")
    .describe(
      "What happens to copies that are no longer declared: Delete deletes them, Orphan keeps them and ends their ownership.",
    ),
  conflictPolicy: z.enum(["Fail", "Adopt"]).default("Fail")
    .describe(
      "What to do with an existing object of the copy's name that is not a copy. Adopt needs the administrator's trust.",
    ),
  suspend: z.boolean().default(false).describe("Pauses the Replication; copies are left unchanged."),
});

const StatusSchema = z.object({
  sourceVersion: z.string().optional().describe("resourceVersion of the source that the copies show."),
  namespaces: z.object({ matched: z.int(), ready: z.int(), failed: z.int() }).optional(),
  failures: z.array(z.object({ namespace: z.string(), reason: z.string(), message: z.string() })).optional()
    .describe("The first 20 namespaces that failed."),
});

export type ReplicationSpec = z.output<typeof SpecSchema>;

export type ReplicationStatus = z.output<typeof StatusSchema>;

export type ReplicationFailure = NonNullable<ReplicationStatus["failures"]>[number];

export type ReplicationObject = CustomObject<ReplicationSpec, ReplicationStatus>;

/** `Replication` (pintle.dev/v1alpha1): copies a Secret or ConfigMap of its namespace to others. */
export const Replication: CustomResource<ReplicationSpec, ReplicationStatus> = defineResource({
  group: "pintle.dev",
  version: "v1alpha1",
  kind: "Replication",
  shortNames: ["repl"],
  description: "Copies a Secret or ConfigMap of its own namespace to other namespaces.",
  columns: [
    { name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Reason", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: "Kind", jsonPath: ".spec.source.kind" },
    { name: "Source", jsonPath: ".spec.source.name" },
    { name: "Matched", type: "integer", jsonPath: ".status.namespaces.matched" },
    { name: "Copies", type: "integer", jsonPath: ".status.namespaces.ready" },
    { name: "Failed", type: "integer", jsonPath: ".status.namespaces.failed" },
  ],
  spec: SpecSchema,
  status: StatusSchema,
});
