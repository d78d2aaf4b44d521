import { type ApiResource, formatGroupResource, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import type { Client } from "../client/mod.ts";
import type { PassDecision } from "./decide.ts";
import { type Journal, type JournalEntry, journalError, journalKey, PassRecord } from "./journal.ts";
import { reasonKind, targetOf } from "./key_state.ts";
import { RecordedClient, type StoredObject } from "./recorded_client.ts";
import { outcomeOfPass, type PassReport, resultOfPass } from "./report.ts";

/** Objects that are named as the reason of one pass. */
const TRIGGERS_MAX = 8;

interface RecordedPass {
  readonly record: PassRecord;
  /** Records its requests. */
  readonly client: Client;
  /** Enters the pass. */
  end(ended: Pick<JournalEntry, "durationMs" | "failures" | "next"> & { readonly report: PassReport }): void;
}

/** Enters the passes of one controller into the journal. */
export class PassJournal {
  readonly #journal: Journal;
  readonly #kind: ApiResource;
  readonly #stored: StoredObject;
  /** By key: what enqueued it since its last pass. */
  readonly #triggers = new Map<string, Set<string>>();

  constructor(journal: Journal, kind: ApiResource, stored: StoredObject) {
    this.#journal = journal;
    this.#kind = kind;
    this.#stored = stored;
  }

  /** Another object enqueued the key. */
  trigger(key: string, reason: string, source: () => string): void {
    const triggers = this.#triggers.get(key) ?? new Set<string>();
    this.#triggers.set(key, triggers);
    if (triggers.size < TRIGGERS_MAX) triggers.add(`${reason} ${source()}`);
  }

  forget(key: string): void {
    this.#triggers.delete(key);
  }

  begin(
    key: string,
    { object, decision, client, nowMs }: {
      readonly object: KubeObject;
      readonly decision: Pick<PassDecision<unknown>, "cause" | "reasons">;
      readonly client: Client;
      readonly nowMs: number;
    },
  ): RecordedPass {
    const record = new PassRecord(),
      reasons = this.#explained(key, decision.reasons),
      { resourceVersion } = object.metadata ?? {};
    record.read({ object: targetOf(this.#kind, keyOf(object)), from: "cache", version: resourceVersion });
    return {
      record,
      client: new RecordedClient(client, {}, { record, stored: this.#stored }),
      end: ({ report, ...ended }) => {
        const { reads, writes, omitted } = record, outcome = outcomeOfPass(report);
        this.#journal.add(journalKey(formatGroupResource(this.#kind), keyOf(object)), {
          startMs: nowMs,
          cause: decision.cause.kind,
          reasons,
          reads,
          writes,
          ...(omitted > 0 && { omitted }),
          result: report.kind === "aborted" ? "interrupted" : resultOfPass(outcome),
          error: outcome.kind === "done" ? undefined : journalError(`${outcome.reason}: ${outcome.message}`),
          ...ended,
        });
      },
    };
  }

  /** The reasons of a pass, each with the objects that it comes from. Triggers of other reasons are of a later pass. */
  #explained(key: string, reasons: ReadonlySet<string>): string[] {
    const triggers = this.#triggers.get(key);
    if (!triggers) return [...reasons];
    const explained = [...reasons].flatMap((reason) => {
      const sources = [...triggers].filter((trigger) => reasonKind(trigger) === reasonKind(reason));
      for (const source of sources) triggers.delete(source);
      return sources.length > 0 ? sources : [reason];
    });
    if (triggers.size === 0) this.#triggers.delete(key);
    return explained;
  }
}
