import process from "node:process";

/**
 * What to do where a port cannot be listened on, if `choice` names an option for another one. A port in use often has
 * an earlier run of the same program, which SIGKILL of its parent left behind: the hint finds it.
 */
export function listenHint(cause: unknown, port: number, choice: string): string {
  const { code } = cause as { code?: string };
  if (code === "EADDRINUSE") {
    const find = process.platform === "linux" ? `ss -ltnp 'sport = :${port}'` : `lsof -nP -iTCP:${port} -sTCP:LISTEN`;
    return `\`${find}\` shows the process that has it: end it by \`kill PID\`, or choose another port with ${choice}`;
  }
  if (code === "EACCES") return `a port below 1024 needs a privilege: choose another one with ${choice}`;
  return `choose another address or port with ${choice}`;
}
