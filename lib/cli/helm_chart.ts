import { stringify } from "yaml";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { WEBHOOK_PORT } from "../admission/mod.ts";
import { installation, type Operator } from "../operator/mod.ts";
import { manifestsYaml } from "./manifest_files.ts";
import { SETTINGS } from "./settings.ts";

/** The files of a chart, by their paths in its folder. */
export interface ChartFiles {
  /** What the operator declares: CRDs, RBAC, webhooks. */
  readonly declared: ReadonlyMap<string, string>;
  /** What the operator's author completes, such as the image's repository. */
  readonly initial: ReadonlyMap<string, string>;
}

export interface ChartOptions {
  /** The program whose namespace and labels `manifests` prints. */
  readonly program: string;
  /** Of chart and image; SemVer. */
  readonly version: string;
}

/** Paths in a chart, with the kinds in each. Helm makes the namespace: `--create-namespace`. */
export const DECLARED_FILES: readonly { readonly path: string; readonly kinds: readonly string[] }[] = [
  { path: "templates/crds.yaml", kinds: ["CustomResourceDefinition"] },
  {
    path: "templates/rbac.yaml",
    kinds: ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
  },
  {
    path: "templates/webhooks.yaml",
    kinds: ["Service", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
  },
];

/**
 * The Helm chart of an operator: the objects of its installation, a Deployment and a Service for metrics.
 *
 * Names have no release prefix: the program finds its webhooks by the operator's name, and a cluster has one operator
 * of a name.
 */
export function helmChart(operator: Operator, { program, version }: ChartOptions): ChartFiles {
  const name = operator.name, slot = unusedWord(JSON.stringify(installation(operator, program, "")));
  const objects = installation(operator, program, slot).map(({ object }) => withSlots(object, slot));
  const declared = new Map<string, string>();
  for (const { path, kinds } of DECLARED_FILES) {
    const chosen = objects.filter(({ kind }) => kinds.includes(kind!));
    if (chosen.length === 0) continue;
    const text = asTemplate(manifestsYaml(chosen), name, slot);
    declared.set(path, path === "templates/crds.yaml" ? whereCrdsAreEnabled(text) : text);
  }
  const hasCrds = declared.has("templates/crds.yaml");
  return {
    declared,
    initial: new Map([
      ["Chart.yaml", chartYaml(name, version)],
      ["values.yaml", valuesYaml(name, hasCrds)],
      ["templates/_helpers.tpl", helpersTpl(name)],
      ["templates/deployment.yaml", deploymentYaml(name, operator.servesWebhooks)],
      ["templates/service.yaml", serviceYaml(name)],
      ["templates/NOTES.txt", notesTxt(name, hasCrds)],
    ]),
  };
}

/** A word that no declaration contains, to stand for the namespace. */
function unusedWord(text: string): string {
  let word = "release-namespace";
  while (text.includes(word)) word += "x";
  return word;
}

/** Replaces labels, and annotations from values, by single words for {@linkcode asTemplate}. */
function withSlots(object: DynamicObject, slot: string): DynamicObject {
  const metadata: Record<string, unknown> = { ...object.metadata, labels: `${slot}-labels` };
  // Helm never upgrades `crds/`, and an uninstall must not delete the users' objects with their CRD.
  if (object.kind === "CustomResourceDefinition") {
    metadata.annotations = { ...object.metadata?.annotations, "helm.sh/resource-policy": "keep" };
  }
  if (object.kind === "ServiceAccount") metadata.annotations = `${slot}-annotations`;
  return { ...object, metadata } as DynamicObject;
}

/** YAML as a template that renders to it: text of declarations is no action. */
function asTemplate(yaml: string, name: string, slot: string): string {
  return yaml.replaceAll("{{", '{{ "{{" }}')
    .replaceAll(` ${slot}-labels\n`, `\n    ${labels(name)}\n`)
    .replaceAll(` ${slot}-annotations\n`, "\n    {{- toYaml (.Values.serviceAccount).annotations | nindent 4 }}\n")
    .replaceAll(slot, "{{ .Release.Namespace | quote }}");
}

function labels(name: string): string {
  return `{{- include "${name}.labels" . | nindent 4 }}`;
}

/** Also enabled where the author's values.yaml is older than the first CRD. */
function whereCrdsAreEnabled(text: string): string {
  return `{{- if ne (toString (.Values.crds).enabled) "false" }}\n${text}{{- end }}\n`;
}

/** A YAML 1.1 scalar: quoted where it would be read as a number or a boolean. */
function scalar(text: string): string {
  return stringify(text, { version: "1.1" }).trimEnd();
}

function chartYaml(name: string, version: string): string {
  return `apiVersion: v2
name: ${scalar(name)}
description: The Kubernetes operator ${name}
type: application
# Both are the program's version: \`manifests --helm\` updates them.
version: ${version}
appVersion: ${version}
`;
}

function valuesYaml(name: string, hasCrds: boolean): string {
  return `image:
  # Where the operator's image is, such as registry.example.com/${name}.
  repository: ${scalar(name)}
  # The chart's appVersion where empty.
  tag: ""
  # Such as sha256:…; used instead of the tag. Unlike a tag, a digest cannot change.
  digest: ""
  # Always, IfNotPresent or Never.
  pullPolicy: IfNotPresent

# Names of Secrets for a private registry: [{ name: … }].
imagePullSecrets: []

# With more than one, the replicas elect a leader; the others stand by.
replicas: 1

# Settings of the operator, by variable: \`config\` lists them. A map is a field beside the name, as \`valueFrom\`.
env: {}

# Of the container.
resources:
  requests:
    cpu: 20m
    memory: 96Mi
  limits:
    memory: 256Mi

serviceAccount:
  # For a cloud's workload identity.
  annotations: {}
${
    hasCrds
      ? `
crds:
  # Whether the chart has the CRDs. \`helm uninstall\` never deletes them, nor their objects.
  enabled: true
`
      : ""
  }
# Labels of the nodes that pods run on.
nodeSelector: {}

# Taints of nodes that pods tolerate.
tolerations: []

# To nodes, and to other pods.
affinity: {}
`;
}

function helpersTpl(name: string): string {
  return `{{- define "${name}.version" -}}
{{ .Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "${name}.labels" -}}
app.kubernetes.io/name: ${scalar(name)}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ include "${name}.version" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}
`;
}

function deploymentYaml(name: string, servesWebhooks: boolean): string {
  const quoted = scalar(name), { env, default: fallback } = SETTINGS.gracePeriodMs;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${quoted}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    ${labels(name)}
spec:
  replicas: {{ .Values.replicas }}
  revisionHistoryLimit: 3
  strategy:
    {{- if gt (int .Values.replicas) 1 }}
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 1, maxSurge: 1 }
    {{- else }}
    # Two operators without an election would do the same work twice: the old one stops first.
    type: Recreate
    {{- end }}
  selector:
    matchLabels:
      app.kubernetes.io/name: ${quoted}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${quoted}
      annotations:
        kubectl.kubernetes.io/default-container: operator
    spec:
      serviceAccountName: ${quoted}
      # Variables named after Services would look like misspelt settings.
      enableServiceLinks: false
      # A little more than ${env} (${fallback}): running work finishes before the kubelet kills.
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
      {{- range $field := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
      {{- with index $.Values $field }}
      {{ $field }}:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      containers:
${containerYaml(name, servesWebhooks)}`;
}

/** Values of `env` win over the chart's own. */
function containerYaml(name: string, servesWebhooks: boolean): string {
  const { httpHost, httpPort, logFormat, leaderElection } = SETTINGS;
  const webhooks = servesWebhooks ? `\n            - name: webhooks\n              containerPort: ${WEBHOOK_PORT}` : "";
  return `        - name: operator
          {{- with .Values.image }}
          image: "{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default (include "${name}.version" $) }}{{ end }}"
          imagePullPolicy: {{ .pullPolicy }}
          {{- end }}
          args: [run]
          env:
            {{- $env := dict "${httpHost.env}" "0.0.0.0" "${logFormat.env}" "json" "MALLOC_ARENA_MAX" "1" }}
            {{- if gt (int .Values.replicas) 1 }}
            {{- $_ := set $env "${leaderElection.env}" "on" }}
            {{- end }}
            {{- range $name, $value := mergeOverwrite $env (.Values.env | default dict) }}
            - name: {{ $name | quote }}
              {{- if kindIs "map" $value }}
              {{- toYaml $value | nindent 14 }}
              {{- else }}
              {{- /* A number as it is written: \`quote\` alone writes 1000000 as 1e+06. */}}
              value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
              {{- end }}
            {{- end }}
          ports:
            - name: http
              containerPort: ${httpPort.default}${webhooks}
          # Readiness follows the watches; liveness this process only: an outage of the API server restarts nothing.
          livenessProbe:
            httpGet:
              path: /livez
              port: http
            periodSeconds: 10
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
            periodSeconds: 5
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
`;
}

function serviceYaml(name: string): string {
  return `# For the collector of metrics.
apiVersion: v1
kind: Service
metadata:
  name: ${scalar(name)}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    ${labels(name)}
spec:
  selector:
    app.kubernetes.io/name: ${scalar(name)}
  ports:
    - name: http
      port: ${SETTINGS.httpPort.default}
      targetPort: http
`;
}

function notesTxt(name: string, hasCrds: boolean): string {
  return `The operator's log:

  kubectl --namespace {{ .Release.Namespace }} logs deployment/${name} --follow
${
    hasCrds
      ? `
\`helm uninstall\` leaves the CRDs and their objects. To remove those too, delete the objects first: the operator cleans up
after them only while it runs.
`
      : ""
  }`;
}
