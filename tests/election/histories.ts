import fc from "fast-check";
import type { Link, Network } from "./network.ts";

/** A step of a history of several processes; `J` are the options with which one joins. */
export type Step<J> =
  | { readonly kind: "join"; readonly with: J }
  | { readonly kind: "leave" | "kill"; readonly process: number }
  | { readonly kind: "link"; readonly process: number; readonly link: Link }
  | { readonly kind: "clock"; readonly process: number; readonly byMs: number }
  | { readonly kind: "wait"; readonly ms: number };

/** The processes of a history. */
export interface Processes<J> {
  readonly network: Network;
  join(identity: string, how: J): Promise<unknown>;
  leave(identity: string): void;
  kill(identity: string): void;
  /** Lets time pass, and checks the invariants. */
  advance(ms: number): Promise<void>;
}

const SKEW_MS_MAX = 600_000;
const LINK: fc.Arbitrary<Link> = fc.oneof(
  fc.constantFrom<Link>({ kind: "clear" }, { kind: "refused" }, { kind: "hanging" }, { kind: "unanswered" }),
  fc.integer({ min: 500, max: 25_000 }).map((delayMs): Link => ({ kind: "late", delayMs })),
);

/** Offset of a clock. */
export const SKEW_MS: fc.Arbitrary<number> = fc.integer({ min: -SKEW_MS_MAX, max: SKEW_MS_MAX });

/** Histories of at most `members` processes. */
export function histories<J>(joins: fc.Arbitrary<J>, members: number): fc.Arbitrary<Step<J>[]> {
  const process = fc.nat(members), kind = <K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: kind("join"), with: joins }) },
    { weight: 2, arbitrary: fc.record({ kind: kind("leave", "kill"), process }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("link"), process, link: LINK }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("clock"), process, byMs: SKEW_MS }) },
    { weight: 5, arbitrary: fc.record({ kind: kind("wait"), ms: fc.integer({ min: 500, max: 15_000 }) }) },
  ) as fc.Arbitrary<Step<J>>;
  return fc.array(step, { minLength: 6, maxLength: 20 });
}

/** Runs a history, then `calmMs` with clear links; returns the options of the processes that still run. */
export async function runHistory<J>(
  history: readonly Step<J>[],
  processes: Processes<J>,
  members: number,
  calmMs: number,
): Promise<Map<string, J>> {
  const joined = new Map<string, J>(), left = new Set<string>(), { network } = processes;
  for (const step of history) {
    if (step.kind === "wait") {
      await processes.advance(step.ms);
      continue;
    }
    if (step.kind === "join") {
      const id = `p${joined.size}`;
      if (joined.size >= members) continue;
      joined.set(id, step.with);
      await processes.join(id, step.with);
      continue;
    }
    const id = [...joined.keys()][step.process];
    if (id === undefined || left.has(id)) continue;
    if (step.kind === "link") network.setLink(id, step.link);
    else if (step.kind === "clock") network.clockOf(id).shift(step.byMs);
    else {
      left.add(id);
      processes[step.kind](id);
    }
  }
  for (const id of joined.keys()) network.setLink(id, { kind: "clear" });
  await processes.advance(calmMs);
  return new Map([...joined].filter(([id]) => !left.has(id)));
}
