/**
 * Writes the tables of docs/settings.md: every setting that the program of this repository lists by
 * `config --output json`.
 *
 *     deno task settings:page
 *
 * @module
 */
import { ROOT } from "./build_app.ts";

interface Listed {
  readonly env: string;
  readonly flag: string;
  readonly default: string;
  readonly description: string;
}

const PAGE = `${ROOT}/docs/settings.md`;
const MARK = "<!-- The rest of this page is written by `deno task settings:page`. -->\n";
const SECTIONS: readonly (readonly [title: string, has: (setting: Listed, own: ReadonlySet<string>) => boolean])[] = [
  ["Settings of every operator", ({ env }, own) => !env.startsWith("PINTLE_TEST_") && !own.has(env)],
  ["Settings of `test`", ({ env }) => env.startsWith("PINTLE_TEST_")],
  ["Settings of the shipped operator", ({ env }, own) => own.has(env)],
];

/** What the page is to be. */
export async function settingsPage(): Promise<string> {
  const page = await Deno.readTextFile(PAGE), head = page.slice(0, page.indexOf(MARK) + MARK.length);
  const all = await listed("main.ts"),
    common = new Set((await listed("examples/minimal/operator.ts")).map(({ env }) => env));
  const own = new Set(all.map(({ env }) => env).filter((env) => !env.startsWith("PINTLE_TEST_") && !common.has(env)));
  const sections = SECTIONS.map(([title, has]) =>
    `\n## ${title}\n\n| variable | flag | default | meaning |\n|---|---|---|---|\n${
      all.filter((setting) => has(setting, own)).map(row).join("")
    }`
  );
  return head + sections.join("");
}

function row({ env, flag, default: byDefault, description }: Listed): string {
  return `| \`${env}\` | \`${flag}\` | ${byDefault === "" ? "" : `\`${byDefault}\``} | ${
    description.replaceAll("|", "\\|")
  } |\n`;
}

/** The settings of a program, without those of this environment: an unknown one would be refused. */
async function listed(program: string): Promise<Listed[]> {
  const args = ["run", "-q", "-A", program, "config", "--output", "json"];
  const env = Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("PINTLE_")));
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env, clearEnv: true });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (import.meta.main) await Deno.writeTextFile(PAGE, await settingsPage());
