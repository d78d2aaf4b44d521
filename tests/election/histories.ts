import fc from "fast-check";
import type { Way, Weather } from "./weather.ts";

/** What may happen to several processes; `J` is what each comes with. */
export type Happening<J> =
  | { readonly kind: "join"; readonly with: J }
  | { readonly kind: "leave" | "kill"; readonly whom: number }
  | { readonly kind: "turn"; readonly whom: number; readonly way: Way }
  | { readonly kind: "clock"; readonly whom: number; readonly byMs: number }
  | { readonly kind: "wait"; readonly ms: number };

/** The processes that a history happens to. */
export interface Scene<J> {
  readonly weather: Weather;
  join(identity: string, how: J): Promise<unknown>;
  leave(identity: string): void;
  kill(identity: string): void;
  /** Time passes, and what must always hold is looked at. */
  advance(ms: number): Promise<void>;
}

/** Longest displacement of a clock. */
const SKEW_MS_MAX = 600_000;
const WAY: fc.Arbitrary<Way> = fc.oneof(
  fc.constantFrom<Way>({ kind: "clear" }, { kind: "refused" }, { kind: "hanging" }, { kind: "unanswered" }),
  fc.integer({ min: 500, max: 25_000 }).map((delayMs): Way => ({ kind: "late", delayMs })),
);

/** How far a clock may be off. */
export const SKEW_MS: fc.Arbitrary<number> = fc.integer({ min: -SKEW_MS_MAX, max: SKEW_MS_MAX });

/** Histories of at most `members` processes. */
export function histories<J>(joins: fc.Arbitrary<J>, members: number): fc.Arbitrary<Happening<J>[]> {
  const whom = fc.nat(members), kind = <K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);
  const happening = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: kind("join"), with: joins }) },
    { weight: 2, arbitrary: fc.record({ kind: kind("leave", "kill"), whom }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("turn"), whom, way: WAY }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("clock"), whom, byMs: SKEW_MS }) },
    { weight: 5, arbitrary: fc.record({ kind: kind("wait"), ms: fc.integer({ min: 500, max: 15_000 }) }) },
  ) as fc.Arbitrary<Happening<J>>;
  return fc.array(happening, { minLength: 6, maxLength: 20 });
}

/** Has a history happen, then `calmMs` of clear weather; returns who has come and has not gone, and with what. */
export async function play<J>(
  history: readonly Happening<J>[],
  scene: Scene<J>,
  members: number,
  calmMs: number,
): Promise<Map<string, J>> {
  const came = new Map<string, J>(), left = new Set<string>(), { weather } = scene;
  for (const step of history) {
    if (step.kind === "wait") {
      await scene.advance(step.ms);
      continue;
    }
    if (step.kind === "join") {
      const id = `p${came.size}`;
      if (came.size >= members) continue;
      came.set(id, step.with);
      await scene.join(id, step.with);
      continue;
    }
    const id = [...came.keys()][step.whom];
    if (id === undefined || left.has(id)) continue;
    if (step.kind === "turn") weather.turn(id, step.way);
    else if (step.kind === "clock") weather.clockOf(id).turn(step.byMs);
    else {
      left.add(id);
      scene[step.kind](id);
    }
  }
  for (const id of came.keys()) weather.turn(id, { kind: "clear" });
  await scene.advance(calmMs);
  return new Map([...came].filter(([id]) => !left.has(id)));
}
