/**
 * The commands of an operator's program, and its settings. It needs Deno.
 *
 * @example
 * ```ts
 * import { Operator } from "@pintle/pintle";
 * import { cli } from "@pintle/pintle/cli";
 *
 * const code = await cli(new Operator("widgets"), { args: ["version"], env: {}, version: "1.0.0" });
 * if (code !== 0) throw new Error("it prints its version");
 * ```
 *
 * @module
 */
export * from "./cli/mod.ts";
