import assert from "node:assert/strict";
import { explore, failureStory, parsePlan } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { BUGS } from "./corpus.ts";

const OPTIONS = { seed: 7, waitMsMax: 60_000, signal: new AbortController().signal };

async function storyOf(bug: string, plan: string): Promise<string[]> {
  const planned = planRun([BUGS.find(({ name }) => name === bug)!.buggy])[0]!;
  const exploration = await explore(planned, { ...OPTIONS, plan: parsePlan(plan) });
  return failureStory(exploration, exploration.failures[0]!);
}

// FR-575
Deno.test("a story shows what the operator received, with what the server had answered before a fault took that away", async () => {
  const lost = await storyOf("second_certificate", "write:1:crash:unanswered");
  assert.match(
    lost.join("\n"),
    /\n {2}> .* patch secrets run-home\/www-tls {2}no answer \(the server answered 201\)\n/,
  );
  const refused = await storyOf("second_certificate", "write:2:fail:409:false");
  assert.match(refused.join("\n"), /\n {2}> .* patch secrets run-home\/www-tls-internal {2}409\n/);
});

// FR-575
Deno.test("a story marks the moment of comparison: at rest, and after the teardown if something remains", async () => {
  const story = await storyOf("second_certificate", "write:2:crash:before");
  const compared = story.findIndex((line) =>
    /^ {2}= .* s {2}at rest: compared with the runs without a fault$/.test(line)
  );
  const teardown = story.findIndex((line) => /scenario {4}delete tlssites/.test(line));
  const fault = story.findIndex((line) => line.startsWith("  >"));
  assert.ok(fault > 0 && fault < compared && compared < teardown, story.join("\n"));
  assert.ok(!story.some((line) => line.includes("after the teardown")), "it shows nothing");
  const remains = await storyOf("cleanup_halfway", "write:6:crash:unanswered");
  assert.deepEqual(remains.filter((line) => line.startsWith("  =")), [
    "  =   61.0 s  at rest: compared with the runs without a fault",
    "  =  121.0 s  after the teardown: compared with the runs without a fault",
  ]);
});
