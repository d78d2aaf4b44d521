/** Revokes permissions for good, even those never granted: `run` needs fewer than a binary's other commands. */
export async function dropPermissions(names: readonly ("run" | "write" | "ffi" | "sys")[]): Promise<void> {
  for (const name of names) await Deno.permissions.revoke({ name });
}
