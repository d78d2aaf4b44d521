import { type Clock, formatJson, type Mask } from "../base/mod.ts";
import { type Client } from "../client/mod.ts";
import { type Journal, type JournalEntry, journalKey, type PresentState, withoutValues } from "../controller/mod.ts";
import { type HttpRoute, isRefusal, type Refusal, RequestAuthorizer } from "../health/mod.ts";
import type { RunningOperator } from "../operator/mod.ts";

/** One process's answer to `explain`. */
export interface Explanation {
  readonly operator: string;
  /** `standby` handles nothing now. */
  readonly state: string;
  /** What it knows of the object now; absent if it does not handle it. */
  readonly present?: PresentState;
  /** The newest last. */
  readonly entries: readonly JournalEntry[];
  /** Earlier passes that are forgotten. */
  readonly dropped: number;
  /** The process's clock. */
  readonly nowMs: number;
}

interface ExplainOptions {
  readonly operator: string;
  readonly journal: Journal;
  readonly running: () => RunningOperator | undefined;
  /** Sends reviews. */
  readonly client: Client;
  readonly clock: Clock;
  /** Masks values of Secrets in other objects and in errors. */
  readonly mask: Mask;
}

/** `/explain?resource=PLURAL.GROUP&namespace=NAMESPACE&name=NAME`, for callers that may `get` the object. */
export function explainRoute(options: ExplainOptions): HttpRoute {
  const authorizer = new RequestAuthorizer(options.client, options.clock);
  return {
    path: "/explain",
    timeoutMs: 15_000,
    bodyBytesMax: 0,
    handle: async (request) => {
      if (request.method !== "GET") return answer(405, { error: "only GET is served" });
      const caller = await authorizer.authenticate(request);
      if (isRefusal(caller)) return refused(caller);
      const { searchParams } = new URL(request.url);
      const of = (name: string) => searchParams.get(name) ?? "";
      const resource = of("resource"), namespace = of("namespace") || undefined, name = of("name");
      if (!resource || !name) return answer(400, { error: "the query needs resource=PLURAL.GROUP and name=NAME" });
      const may = async (resource: { group: string; plural: string }, namespace?: string, name?: string) =>
        await authorizer.refusal(caller, { verb: "get", resource, namespace, name });
      const refusal = await may(resourceOf(resource), namespace, name);
      if (refusal) return refused(refusal);
      const explanation = explanationOf(options, resource, { namespace, name }), allowed = new Map<string, boolean>();
      for (const { group, plural, namespace } of explanation.entries.flatMap(({ writes }) => writes)) {
        const key = `${group}/${plural} ${namespace}`;
        if (!allowed.has(key)) allowed.set(key, !await may({ group, plural }, namespace));
      }
      const isOwn = (write: JournalEntry["writes"][number]) =>
        `${write.plural}.${write.group}`.replace(/\.$/, "") === resource && write.name === name;
      const entries = explanation.entries.map((entry) =>
        withoutValues(
          entry,
          (write) => isOwn(write) || allowed.get(`${write.group}/${write.plural} ${write.namespace}`)!,
        )
      );
      return answer(200, options.mask.json({ ...explanation, entries }));
    },
  };
}

function explanationOf(
  { operator, journal, running, clock }: ExplainOptions,
  resource: string,
  key: { readonly namespace?: string; readonly name: string },
): Explanation {
  const current = running(),
    { entries, dropped } = journal.of(journalKey(resource, key)) ?? { entries: [], dropped: 0 };
  const present = current?.present(resource, key);
  return { operator, state: current?.state ?? "starting", present, entries, dropped, nowMs: clock.now() };
}

/** `plural.group`, or a plural of the core group. */
function resourceOf(resource: string): { group: string; plural: string } {
  const dot = resource.indexOf(".");
  return dot < 0 ? { group: "", plural: resource } : { group: resource.slice(dot + 1), plural: resource.slice(0, dot) };
}

function refused({ status, problem }: Refusal): Response {
  return answer(status, { error: problem });
}

function answer(status: number, body: unknown): Response {
  return new Response(`${formatJson(body as never)}\n`, { status, headers: { "content-type": "application/json" } });
}
