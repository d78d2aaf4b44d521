import { isObject } from "../../lib/base/mod.ts";
import type { StepAnswer } from "./script_run.ts";

/**
 * How two answers differ. `lenient`: the embedded server accepts what the real one refuses, which lets a test pass that
 * fails in a cluster. `strict`: it refuses what the real one accepts.
 */
export type DifferenceKind = "lenient" | "strict" | "code" | "message" | "content";

/** The first difference between the answers to one script. */
export interface Difference {
  /** From 1. */
  readonly step: number;
  readonly kind: DifferenceKind;
  /** Of the field in the answer. */
  readonly path: string;
  readonly real: unknown;
  readonly embedded: unknown;
}

/** Undefined where all answers agree. */
export function differenceOf(real: readonly StepAnswer[], embedded: readonly StepAnswer[]): Difference | undefined {
  for (let index = 0; index < Math.max(real.length, embedded.length); index++) {
    const wanted = real[index] ?? {}, seen = embedded[index] ?? {};
    const found = firstDifference(wanted, seen, "");
    if (found) return { step: index + 1, kind: kindOf(wanted, seen, found.path), ...found };
  }
  return undefined;
}

const REFUSED_FROM = 400;

function kindOf(real: StepAnswer, embedded: StepAnswer, path: string): DifferenceKind {
  const refused = (real.code ?? 0) >= REFUSED_FROM, refusedHere = (embedded.code ?? 0) >= REFUSED_FROM;
  if (refused !== refusedHere) return refused ? "lenient" : "strict";
  if (real.code !== embedded.code) return "code";
  return refused && /^body\.(?:message|details\.causes.*\.message)$/.test(path) ? "message" : "content";
}

/** Codes before bodies: they say most. */
const FIRST = ["code", "type", "warning", "reason", "details", "message"];

function firstDifference(
  real: unknown,
  embedded: unknown,
  path: string,
): Pick<Difference, "path" | "real" | "embedded"> | undefined {
  if (Array.isArray(real) && Array.isArray(embedded)) {
    for (let index = 0; index < Math.max(real.length, embedded.length); index++) {
      const found = firstDifference(real[index], embedded[index], `${path}[${index}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (isObject(real) && isObject(embedded)) {
    const fields = new Set([...FIRST, ...Object.keys(real), ...Object.keys(embedded)]);
    for (const field of fields) {
      const found = firstDifference(real[field], embedded[field], path === "" ? field : `${path}.${field}`);
      if (found) return found;
    }
    return undefined;
  }
  return real === embedded ? undefined : { path, real, embedded };
}
