import { sleep } from "../../../lib/base/mod.ts";
import type { Fault } from "../fault.ts";
import { verdictIn, WEATHERS } from "../network_weather.ts";
import { split } from "../site.ts";
import { inRounds } from "./both_operators.ts";

/** How long each weather lasts. */
const WEATHER_MS = 7_000;

/**
 * The network between operators and API server delays, cuts, resets and swallows; answers are lost though the server
 * did its work.
 */
export const network: Fault = {
  name: "network",
  what: "connections delayed, cut, reset and silent, requests and answers lost",
  run: async (context) => {
    const { figures, clock, random, signal } = context, names = Object.keys(WEATHERS);
    await inRounds(context, { rounds: names.length }, async (under, nth) => {
      const gates = under.flatMap(({ processes }) => processes.map(({ gate }) => gate));
      const weather = WEATHERS[names[nth % names.length]!]!;
      const before = gates.map(({ disturbed }) => disturbed);
      for (const gate of gates) {
        const chance = split(random);
        gate.verdict = (request) => verdictIn(weather, chance, request);
        gate.cutWatches(); // so that watches meet it, too
      }
      await sleep(clock, WEATHER_MS, signal);
      gates.forEach((gate, nth) => {
        gate.verdict = () => ({ kind: "pass" });
        figures.faults += gate.disturbed - before[nth]!;
      });
    });
  },
};
