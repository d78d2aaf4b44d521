// Built-in kinds: pods that carry a label live for a limited time, whatever created them; nothing is stored in them.
// Try it: LIFETIME=5m deno run -A examples/builtin_kinds/operator.ts run
import { ABSENT, type Duration, NotFoundError, Operator, Pod, PRESENT } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import { durationMs } from "@pintle/pintle/client";

/** Pods with this label do not grow old. */
export const MORTAL = "examples.pintle.dev/mortal";
/** With this annotation they do. */
export const SPARED = "examples.pintle.dev/spared";

/** A fresh operator. */
export function operator({ lifetime = "5m" }: { lifetime?: Duration } = {}): Operator {
  const made = new Operator("reaper"), lifetimeMs = durationMs(lifetime);
  made.on(Pod)
    .event(({ type, name, log }) => log.info(`${type} ${name}`), { labels: { [MORTAL]: PRESENT } })
    .timer(async ({ object, name, namespace, uid, client, clock, log }) => {
      const { creationTimestamp, deletionTimestamp } = object.metadata!;
      const ageMs = clock.now() - Date.parse(creationTimestamp!);
      if (deletionTimestamp || ageMs < lifetimeMs) return;
      log.info("its time is over", { ageMs });
      try {
        // By uid: a pod that was created again under its name starts afresh.
        await client.delete(Pod, { namespace, name }, { uid });
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }, {
      id: "reap",
      interval: Math.min(10_000, Math.ceil(lifetimeMs / 10)),
      labels: { [MORTAL]: PRESENT },
      annotations: { [SPARED]: ABSENT },
      when: ({ object }) => !object.metadata?.namespace?.startsWith("kube-"),
    });
  // What a handler does through its client cannot be seen from the declarations.
  made.permissions({ apiGroups: [""], resources: ["pods"], verbs: ["delete"] });
  return made;
}

if (import.meta.main) {
  const made = operator({ lifetime: (Deno.env.get("LIFETIME") ?? "5m") as Duration });
  Deno.exitCode = await cli(made, { args: Deno.args, env: Deno.env.toObject() });
}
