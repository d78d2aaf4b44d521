// A program whose operator has a planted bug: it loses the second child to a crash.
import { buggy } from "../explore/bugs/second_certificate.ts";
import { bugProgram } from "./bug_program.ts";

if (import.meta.main) Deno.exitCode = await bugProgram(buggy);
