import { formatDuration } from "../../base/mod.ts";
import { type Condition, formatKey, keyOf, type KubeObject } from "../../apimachinery/mod.ts";
import { isNotFound } from "../../client/mod.ts";
import { type HandledKind, handledKinds } from "../inventory.ts";
import { type Check, type CheckContext, type Finding, ok, problem, warning } from "./check.ts";
import { clockSkewMs } from "./server_checks.ts";

/** A deletion that takes longer is stuck. */
const DELETION_MS_MAX = 60_000;
const PAGES_MAX = 20;
const NAMED_MAX = 3;

/** Objects stuck in deletion, and objects that are not ready by their operator's condition. */
export const objectsCheck: Check = {
  name: "objects",
  async run(context) {
    const { client, clock, operator, signal } = context;
    const nowMs = clock.now() + (await clockSkewMs(context) ?? 0);
    const found: Finding[] = [], quiet: string[] = [];
    // Objects of foreign kinds are read only if the operator puts a finalizer on them.
    const kinds = (await handledKinds(operator, client, signal)).filter(({ own, holds }) => own || holds);
    for (const handled of kinds) {
      const objects: KubeObject[] = [];
      let pages = 0, partial = false;
      const options = { metadataOnly: !handled.kind.hasStatus, signal };
      try {
        for await (const { items, metadata } of client.pages<KubeObject>(handled.kind, options)) {
          objects.push(...items.filter(isFinding));
          if (++pages < PAGES_MAX || !metadata?.continue) continue;
          partial = true;
          break;
        }
      } catch (error) {
        if (!isNotFound(error)) throw error; // the check of the installation reports it
        continue;
      }
      const bad = kindFindings(handled, objects, nowMs, context);
      if (bad.length > 0) found.push(...bad);
      else quiet.push(`${handled.name}${partial ? " (the first of many)" : ""}`);
    }
    if (quiet.length > 0) found.push(ok(`all is well with ${quiet.join(", ")}`));
    return found;
  },
};

function isFinding(object: KubeObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined || unready(object) !== undefined;
}

function kindFindings(
  handled: HandledKind,
  objects: readonly KubeObject[],
  nowMs: number,
  { command, operator }: CheckContext,
): Finding[] {
  const { name, finalizer } = handled, own = [finalizer, ...operator.legacyFinalizers];
  const leaving = objects.filter(({ metadata }) => {
    const sinceMs = Date.parse(metadata?.deletionTimestamp ?? "");
    return nowMs - sinceMs > DELETION_MS_MAX;
  });
  const isOurs = ({ metadata }: KubeObject) => metadata?.finalizers?.some((each) => own.includes(each)) ?? false;
  const ours = leaving.filter(isOurs), theirs = leaving.filter((object) => !isOurs(object));
  const not = objects.filter((object) => !object.metadata?.deletionTimestamp && unready(object));
  const since = (object: KubeObject) => {
    const age = formatDuration(nowMs - Date.parse(object.metadata!.deletionTimestamp!)), why = unready(object);
    return `${formatKey(keyOf(object))} (for ${age}${why ? `; ${why}` : ""})`;
  };
  const found: Finding[] = [];
  if (ours.length > 0) {
    found.push(problem(
      `${ours.length} deleted ${name} wait for the operator to remove ${finalizer}: ${named(ours, since)}`,
      `let an operator run (\`${command} run\`, or its Deployment) and read its log about them`,
    ));
  }
  if (theirs.length > 0) {
    const holders = [...new Set(theirs.flatMap(({ metadata }) => metadata?.finalizers ?? []))].join(", ");
    const message = `${theirs.length} deleted ${name} wait for finalizers of others (${holders}): ${
      named(theirs, since)
    }`;
    found.push(warning(message, "ask the owners of these finalizers"));
  }
  if (not.length > 0) {
    const message = `${not.length} ${name} not ready: ${
      named(not, (each) => `${formatKey(keyOf(each))} (${unready(each)})`)
    }`;
    found.push(warning(message, `kubectl get ${name} --all-namespaces`));
  }
  return found;
}

function named(objects: readonly KubeObject[], describe: (object: KubeObject) => string): string {
  const more = objects.length > NAMED_MAX ? ` and ${objects.length - NAMED_MAX} more` : "";
  return objects.slice(0, NAMED_MAX).map(describe).join(", ") + more;
}

/** The reason of `Ready=False`, if any. */
function unready(object: KubeObject): string | undefined {
  const { conditions } = ((object as { status?: unknown }).status ?? {}) as { conditions?: Condition[] | null };
  const ready = Array.isArray(conditions) ? conditions.find(({ type }) => type === "Ready") : undefined;
  return ready?.status === "False" ? ready.message || ready.reason : undefined;
}
