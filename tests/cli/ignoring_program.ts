// A program whose operator has a planted bug: it ignores a field of another spec.
import { buggy } from "../explore/bugs/field_ignored.ts";
import { bugProgram } from "./bug_program.ts";

if (import.meta.main) Deno.exitCode = await bugProgram(buggy);
