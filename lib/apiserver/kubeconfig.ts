import { formatJson } from "../base/mod.ts";
import type { Identity } from "../base/certificates.ts";

const NAME = "pintle-embedded";

/** JSON, which is YAML too. */
export function kubeconfigText(server: string, authority: string, user: { name: string; identity: Identity }): string {
  return `${
    formatJson(
      {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: NAME, cluster: { server, "certificate-authority-data": btoa(authority) } }],
        users: [{
          name: user.name,
          user: {
            "client-certificate-data": btoa(user.identity.certificate),
            "client-key-data": btoa(user.identity.key),
          },
        }],
        contexts: [{ name: NAME, context: { cluster: NAME, user: user.name, namespace: "default" } }],
        "current-context": NAME,
      },
      2,
    )
  }\n`;
}

/**
 * Creates or replaces `path` in one step, with mode 0600 whatever the umask.
 *
 * @throws {Error} where the write fails; nothing is left behind.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${Deno.pid}.tmp`;
  // createNew does not follow links.
  const file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
  try {
    try {
      await new Blob([text]).stream().pipeTo(file.writable);
    } catch (error) {
      throw new Error(`cannot write ${path}`, { cause: error });
    }
    await Deno.rename(draft, path);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
}
