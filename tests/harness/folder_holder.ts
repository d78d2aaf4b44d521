/** Makes a temporary folder, prints its path, and holds it until its input ends. */
import { TemporaryFolder } from "../../lib/harness/temporary_folder.ts";

await using folder = TemporaryFolder.make("held");
await Deno.writeTextFile(`${folder.path}/key`, "secret");
Deno.stdout.writeSync(new TextEncoder().encode(`${folder.path}\n`));
for await (const _ of Deno.stdin.readable);
