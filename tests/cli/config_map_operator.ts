import { ConfigMap, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/**
 * Puts its finalizer and its records on ConfigMaps, which are not its own, and its finalizer on a kind that it only
 * selects.
 */
const operator = new Operator("config-maps");
operator.on(ConfigMap).create(({ log, name }) => log.info("handled", { name })).delete(() => {});
operator.select({ plural: "limitranges" }, (handlers) => handlers.delete(() => {}));

Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
