/**
 * A program for tests: an operator that logs in with what `LOGIN_FILE` holds, and has a probe that fails as long as
 * `PROBE_FILE` is there.
 *
 * @module
 */
import { ConfigMap, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";
import { type Login } from "../../lib/client.ts";

const { LOGIN_FILE, PROBE_FILE, ...env } = Deno.env.toObject();

const operator = new Operator("logged-in")
  .login(async () => JSON.parse(await Deno.readTextFile(LOGIN_FILE!)) as Login)
  .probe("database", async () => {
    const there = await Deno.stat(PROBE_FILE!).then(() => true, () => false);
    if (there) throw new Error("the database does not answer");
  });
operator.on(ConfigMap).event(({ type, name, log }) => log.info("heard", { type, heard: name }));

Deno.exitCode = await cli(operator, { args: Deno.args, env });
