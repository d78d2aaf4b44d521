/**
 * A program for tests: opens a kind cluster while a minute goes by, and prints what comes of it.
 *
 * @module
 */
import { describeError, VirtualClock } from "../../lib/base/mod.ts";
import { KindSource } from "../../lib/harness/mod.ts";

const clock = new VirtualClock(), run = new AbortController();
const opening = new KindSource({ clock }).open(run.signal).then(() => "opened", describeError);
await clock.advance(60_000);
await Deno.stdout.write(new TextEncoder().encode(`${await opening}\n`));
