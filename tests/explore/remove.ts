import { NotFoundError, type ObjectKey } from "@pintle/pintle";
import type { ApiResource, Client, DeleteOptions } from "@pintle/pintle/client";

/** Deletes an object; one that is gone already is no failure. */
export async function remove(
  client: Client,
  resource: ApiResource,
  key: ObjectKey,
  options: DeleteOptions = {},
): Promise<void> {
  try {
    await client.delete(resource, key, options);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}
