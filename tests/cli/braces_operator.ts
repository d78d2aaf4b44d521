import * as z from "zod";
import { AdmissionError, defineResource, Operator, withRules } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** Texts that a template engine takes for actions, and the word in whose place a chart puts its namespace. */
export const BRACES = [
  "{{ .Values.image }}",
  "{{{ }}}",
  "{{- fail `x` -}}",
  "{{/* gone */}}",
  "}} release-namespace {{",
];

const Template = defineResource({
  group: "braces.test.pintle.dev",
  version: "v2",
  kind: "Template",
  spec: withRules(
    z.object({ text: z.string().describe(BRACES.join("\n---\n")) }),
    { rule: "!self.text.contains('{{ x }}')", message: "{{ x }} is reserved" },
  ),
}).withVersion({
  version: "v1",
  spec: z.object({ line: z.string().describe(BRACES.join(" ")) }),
  toHub: ({ spec }) => ({ spec: { text: spec.line } }),
  fromHub: ({ spec }) => ({ spec: { line: spec.text } }),
});

/** An operator with webhooks, whose name YAML reads as a boolean. */
export function braces(): Operator {
  const operator = new Operator("on");
  operator.on(Template).reconcile(() => {}).validate(({ spec }) => {
    if (spec.text === "") throw new AdmissionError("it is empty");
  });
  return operator;
}

if (import.meta.main) {
  Deno.exitCode = await cli(braces, {
    name: "braces",
    version: "1.2.3-rc.1+build.5",
    args: Deno.args,
    env: Deno.env.toObject(),
  });
}
