import { randomBytes } from "node:crypto";
import { Secret, type SecretObject, view } from "@pintle/pintle";
import type { WebAppContext } from "./web_app.ts";

const labels = { "web-app.example.com/part": "session-key" };

/** The Secrets of apps. All others are neither watched nor held in memory. */
export const SessionKey = view(Secret, { labelSelector: "web-app.example.com/part=session-key" });

/** Applies the Secret of an app. Its key is made once: while the Secret exists, the key is what it holds. */
export async function applySessionKey(context: WebAppContext): Promise<SecretObject> {
  const { name, namespace, cached, client, apply } = context, key = { name, namespace };
  // The cache may be behind. Before a key is made, the API server is asked.
  const known = cached(SessionKey).get(key) ?? await client.find<SecretObject>(Secret, key);
  const value = known?.data?.SESSION_KEY ?? btoa(randomBytes(32).toString("base64"));
  return await apply(SessionKey, { metadata: { labels }, data: { SESSION_KEY: value } });
}
