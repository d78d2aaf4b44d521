import { Binary, type Ended } from "./binary.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";

/**
 * Runs a program on a server that accepts a connection and answers nothing, and sends it a signal then. The kubeconfig
 * is written to `path`; afterwards nothing listens at its server.
 */
export async function endedAtHangingServer(
  args: readonly string[],
  path: string,
  signal: Deno.Signal,
): Promise<Ended> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Deno.writeTextFile(path, kubeconfigText(`https://127.0.0.1:${listener.addr.port}`, "very-secret"));
  const accepted = listener.accept();
  await using binary = await Binary.start(args, { env: { KUBECONFIG: path } });
  using _hanging = await accepted;
  binary.kill(signal);
  return await binary.ended();
}
