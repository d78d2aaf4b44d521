import { type Duration, type Operator, sleep } from "@pintle/pintle";
import { durationMs } from "@pintle/pintle/client";
import { WebApp } from "./web_app.ts";

/** Asks an address; false where nothing answers. It ends when the signal aborts. */
export type Ask = (url: string, signal: AbortSignal) => Promise<boolean>;

export function watchAnswers(operator: Operator, ask: Ask, interval: Duration): void {
  operator.on(WebApp).daemon(async ({ name, namespace, report, stopped, clock }) => {
    const url = `http://${name}.${namespace}.svc/`;
    let before: boolean | undefined;
    while (!stopped.aborted) {
      const answers = await ask(url, stopped);
      if (answers !== before) {
        const reason = answers ? "Answers" : "Silent", message = `${url} ${answers ? "answers" : "does not answer"}`;
        report((status) => status.condition({ type: "Reachable", status: answers, reason, message }));
      }
      before = answers;
      await sleep(clock, durationMs(interval), stopped);
    }
  }, { id: "ask", backoff: interval });
}

/** Asks over HTTP, for at most five seconds. */
export async function askByHttp(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
