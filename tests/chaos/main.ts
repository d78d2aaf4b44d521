/**
 * `deno task chaos`: injects faults into operators that run as processes on a real control plane, under random
 * operations, and checks after each what must always hold (./fault.ts; CONTRIBUTING.md).
 *
 * @module
 */
import { describeError, SystemClock, SystemRandom, UsageError } from "../../lib/base/mod.ts";
import { Interrupts } from "../../lib/cli/interrupts.ts";
import { envtestFolders, locateEnvtest } from "../../lib/harness/mod.ts";
import { chaosRun } from "./chaos_run.ts";
import { FAULTS } from "./faults.ts";
import { parseOptions, usage } from "./options.ts";

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/**
 * Runs the command; the exit code is 0 where everything passed, 1 where something failed, 2 for wrong input, 130 when
 * interrupted.
 */
async function main(args: readonly string[]): Promise<number> {
  using interrupts = new Interrupts({ hangup: true });
  const { signal } = interrupts, clock = new SystemClock(), env = Deno.env.toObject();
  try {
    const options = parseOptions(args, FAULTS.map(({ name }) => name), Math.floor(new SystemRandom().next() * 2 ** 32));
    if (!options) {
      say(usage(FAULTS));
      return 0;
    }
    const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
    const programs = await locateEnvtest(located, signal);
    say(`seed ${options.seed}, ${options.minutes} minutes`);
    const { passed, failed } = await chaosRun(FAULTS, { ...options, programs, clock, signal, say });
    if (signal.aborted) say("interrupted");
    say(`${passed} passed, ${failed} failed`);
    return signal.aborted ? 130 : failed > 0 ? 1 : 0;
  } catch (error) {
    if (signal.aborted) return 130;
    const hint = error instanceof UsageError && error.hint ? `\n  ${error.hint}` : "";
    Deno.stderr.writeSync(new TextEncoder().encode(`chaos: ${describeError(error)}${hint}\n`));
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
