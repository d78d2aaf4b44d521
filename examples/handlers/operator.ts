// Handlers of changes: accounts in a directory outside of the cluster are opened, changed, checked and closed.
// Try it: DIRECTORY_URL=http://directory.example.com deno run -A examples/handlers/operator.ts run
import * as z from "zod";
import { defineResource, type Duration, Operator, PermanentError, TemporaryError } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** An account of a user. */
export const Account = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Account",
  spec: z.object({ owner: z.string().min(1), quotaGb: z.int().min(1).default(5) }),
  status: z.object({ state: z.enum(["Open"]).optional() }),
});

/** The directory, as far as the operator uses it. Every call may be repeated; one that throws may work later. */
export interface Directory {
  open(account: string, owner: string, signal: AbortSignal): Promise<void>;
  setQuota(account: string, gigabytes: number, signal: AbortSignal): Promise<void>;
  has(account: string, signal: AbortSignal): Promise<boolean>;
  close(account: string, signal: AbortSignal): Promise<void>;
}

const QUOTA_GB_MAX = 100;

/** A fresh operator. */
export function operator(directory: Directory, { delay = "30s" }: { delay?: Duration } = {}): Operator {
  const made = new Operator("accounts");
  const ask = <T>(call: Promise<T>): Promise<T> =>
    call.catch((cause) => {
      throw new TemporaryError("the directory does not answer", { delay, reason: "DirectoryDown", cause });
    });
  made.on(Account)
    .create(async ({ uid, spec, status, signal }) => {
      await ask(directory.open(uid, spec.owner, signal));
      status.set({ state: "Open" });
    }, { id: "open" })
    .field("spec.quotaGb", async ({ uid, next, signal }) => {
      const quota = Number(next);
      if (quota > QUOTA_GB_MAX) {
        throw new PermanentError(`${quota} GB is more than ${QUOTA_GB_MAX}`, { reason: "QuotaTooLarge" });
      }
      await ask(directory.setQuota(uid, quota, signal));
    }, { id: "quota" })
    .update(({ diff, events }) => {
      events.normal("Changed", diff.map(({ path }) => path.join(".")).join(", "));
    }, { id: "tell" })
    .resume(async ({ uid, spec, log, signal }) => {
      if (await ask(directory.has(uid, signal))) return;
      log.warn("the directory has lost an account; it is opened again");
      await ask(directory.open(uid, spec.owner, signal));
      await ask(directory.setQuota(uid, spec.quotaGb, signal));
    }, { id: "check" })
    .delete(({ uid, signal }) => ask(directory.close(uid, signal)), { id: "close" });
  return made;
}

/** A directory that speaks HTTP: PUT, HEAD and DELETE of `/accounts/ID`. */
export function httpDirectory(url: string): Directory {
  const request = async (method: string, id: string, signal: AbortSignal, body?: object) => {
    const answer = await fetch(`${url}/accounts/${id}`, { method, signal, body: body && JSON.stringify(body) });
    await answer.body?.cancel();
    if (!answer.ok && answer.status !== 404) throw new Error(`${method}: ${answer.status}`);
    return answer.ok;
  };
  return {
    open: async (id, owner, signal) => void await request("PUT", id, signal, { owner }),
    setQuota: async (id, gigabytes, signal) => void await request("PUT", id, signal, { gigabytes }),
    has: (id, signal) => request("HEAD", id, signal),
    close: async (id, signal) => void await request("DELETE", id, signal),
  };
}

if (import.meta.main) {
  const directory = httpDirectory(Deno.env.get("DIRECTORY_URL") ?? "http://localhost:8000");
  Deno.exitCode = await cli(operator(directory), { args: Deno.args, env: Deno.env.toObject() });
}
