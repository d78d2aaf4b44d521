/** A kubeconfig for whatever listens at an address, with a token that the server need not know. */
export function kubeconfigText(server: string, token: string = "t"): string {
  return JSON.stringify({
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: { token } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  });
}
