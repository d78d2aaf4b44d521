/**
 * A folder that outlives the tests, for what takes long to build or install: `$XDG_CACHE_HOME/pintle-clients/<name>`.
 */
export async function cacheFolder(name: string): Promise<string> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? await Deno.makeTempDir()}/.cache`;
  const folder = `${home}/pintle-clients/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}
