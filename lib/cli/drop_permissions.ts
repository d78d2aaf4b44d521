/**
 * Gives permissions of this process back for good: what a binary may do is the sum of what its commands need, and a
 * server that runs for months needs less. Permissions that it never had are none the less gone.
 */
export async function dropPermissions(names: readonly ("run" | "write" | "ffi" | "sys")[]): Promise<void> {
  for (const name of names) await Deno.permissions.revoke({ name });
}
