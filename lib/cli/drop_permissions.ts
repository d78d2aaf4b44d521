/**
 * Revokes permissions of this process for good: a binary has what all its commands need, and `run` needs less. Revokes
 * those that it never had, too.
 */
export async function dropPermissions(names: readonly ("run" | "write" | "ffi" | "sys")[]): Promise<void> {
  for (const name of names) await Deno.permissions.revoke({ name });
}
