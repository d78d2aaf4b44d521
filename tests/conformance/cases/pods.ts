export const container = { name: "a", image: "registry.example/a:1", ports: [{ containerPort: 80 }] };
export const podSpec = { containers: [container] };

/** Fields of a Deployment with these containers. */
export function deployment(
  replicas: number | undefined,
  ...containers: Record<string, unknown>[]
): Record<string, unknown> {
  return {
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers } },
    },
  };
}
