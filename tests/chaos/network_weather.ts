import type { Random } from "../../lib/base/mod.ts";
import type { GateRequest, Verdict } from "./gate.ts";
import { weighted } from "./site.ts";

/** Share of requests that meet each fault, in percent; the rest passes. */
export type Weather = Readonly<Partial<Record<Verdict["kind"], number>>>;

/** Kinds of bad networks, by name. */
export const WEATHERS: Readonly<Record<string, Weather>> = {
  slow: { delay: 60 },
  cutting: { cut: 15, cutLater: 20 },
  resetting: { reset: 20, cutLater: 10 },
  swallowing: { swallow: 6, stall: 20 },
  "answers lost": { loseAnswer: 25 },
  "answers held": { holdAnswer: 6 },
  all: { delay: 20, cut: 5, reset: 5, swallow: 2, loseAnswer: 8, holdAnswer: 2, cutLater: 10, stall: 5 },
};

const DELAY_MS_MAX = 1_000, LATER_MS_MAX = 3_000;
/** What can be done to a watch alone. */
const OF_WATCHES: ReadonlySet<string> = new Set(["cutLater", "stall"]);

/** What becomes of one request in a weather. */
export function verdictIn(weather: Weather, random: Random, { isWatch }: Pick<GateRequest, "isWatch">): Verdict {
  const rest = 100 - Object.values(weather).reduce((sum, share) => sum + share, 0);
  const kind = weighted<Verdict["kind"]>({ pass: rest, ...weather } as Record<Verdict["kind"], number>, random.next());
  const point = random.next();
  if (OF_WATCHES.has(kind) && !isWatch) return { kind: "pass" };
  if (kind === "delay") return { kind, delayMs: DELAY_MS_MAX * point };
  if (kind === "cutLater" || kind === "stall") return { kind, afterMs: LATER_MS_MAX * point };
  return { kind };
}
