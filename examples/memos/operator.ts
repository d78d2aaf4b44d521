// Memos: what a process remembers of an object and of all of them, for as long as it lives, and of which nothing is
// lost that matters.
// Try it: deno run -A examples/memos/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** A text that is translated at a price. */
export const Translation = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Translation",
  spec: z.object({ text: z.string().min(1), language: z.string().regex(/^[a-z]{2}$/) }),
  status: z.object({ text: z.string().optional() }),
});

/** Translates; each call costs money. */
export type Translate = (text: string, language: string, signal: AbortSignal) => Promise<string>;

/** A fresh operator. Objects of one text and language share an answer; one object never asks twice for the same. */
export function operator(translate: Translate): Operator {
  const made = new Operator("translations");
  const shared = new Map<string, string>(); // of the operator: a new one begins with none
  const lastAsked = () => ({ question: "", answer: "" }); // of an object: the function is the memo's key
  made.on(Translation).reconcile(async ({ spec, memo, status, signal }) => {
    const question = `${spec.language}:${spec.text}`, mine = memo(lastAsked);
    if (mine.question !== question) {
      const answer = shared.get(question) ?? await translate(spec.text, spec.language, signal);
      shared.set(question, answer);
      Object.assign(mine, { question, answer });
    }
    status.set({ text: mine.answer });
  });
  return made;
}

/** Stands for a service that costs money. */
const shout: Translate = (text, language) => Promise.resolve(`${text.toUpperCase()} (${language})`);

if (import.meta.main) Deno.exitCode = await cli(operator(shout), { args: Deno.args, env: Deno.env.toObject() });
