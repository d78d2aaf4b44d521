import assert from "node:assert/strict";
import { Mask, UsageError } from "../../lib/base/mod.ts";
import { boolean, integer, text } from "../../lib/cli/mod.ts";
import { resolveSettings } from "../../lib/cli/setting.ts";
import { config } from "../../lib/cli/config.ts";
import { SETTINGS } from "../../lib/cli/settings.ts";
import { Operator } from "../../lib/operator/mod.ts";

const TABLE = {
  size: integer({ env: "PINTLE_SIZE", flag: "size", default: "3", description: "How many" }, { min: 1, max: 9 }),
  token: text({ env: "PINTLE_TOKEN", flag: "token", default: "", description: "A key", secret: true }),
};

// FR-60
Deno.test("flags win over the environment, which wins over defaults", () => {
  assert.equal(resolveSettings(TABLE, {}, {}).values.size, 3);
  assert.equal(resolveSettings(TABLE, { PINTLE_SIZE: "4" }, {}).values.size, 4);
  const { values, origins } = resolveSettings(TABLE, { PINTLE_SIZE: "4" }, { PINTLE_SIZE: "5" });
  assert.deepEqual([values.size, origins.size], [5, { text: "5", source: "flag" }]);
});

// FR-416
Deno.test("a setting of yes or no takes true, false, 1 and 0, and names its variable for anything else", () => {
  const table = { force: boolean({ env: "PINTLE_FORCE", flag: "force", default: "false", description: "Whether" }) };
  const read = (text: string): boolean => resolveSettings(table, { PINTLE_FORCE: text }, {}).values.force;
  assert.deepEqual(["true", "TRUE", "1", "false", "False", "0"].map(read), [true, true, true, false, false, false]);
  assert.equal(resolveSettings(table, {}, {}).values.force, false);
  for (const text of ["", "yes", "on", "2", " true"]) {
    assert.throws(() => read(text), new RegExp(`PINTLE_FORCE: "${text}" must be true or false, or 1 or 0`));
  }
  assert.throws(() => resolveSettings(table, {}, { PINTLE_FORCE: "no" }), /--force: "no" must be/);
  const faulty = { force: boolean({ env: "PINTLE_FORCE", flag: "force", default: "no", description: "Whether" }) };
  assert.throws(() => resolveSettings(faulty, {}, {}), /^UsageError: the default of PINTLE_FORCE: "no" must be/);
});

// FR-61
Deno.test("every mistake is named at once, with the nearest variable for a misspelt one", () => {
  assert.throws(
    () => resolveSettings(TABLE, { PINTLE_SIZE: "10", PINTLE_TOKN: "x", PATH: "/bin" }, {}),
    (error: Error) =>
      error instanceof UsageError && /PINTLE_SIZE: "10" must be a whole number from 1 to 9/.test(error.message) &&
      /PINTLE_TOKN is not a setting; did you mean PINTLE_TOKEN\?/.test(error.message) && !/PATH/.test(error.message),
  );
});

// FR-61
Deno.test("the fix of a bad setting names the command whose help lists it", () => {
  const helpOf = (variable: string) => variable === "PINTLE_SIZE" ? "test" : "config";
  const hintOf = (env: Record<string, string>, flags: Record<string, string>) => {
    try {
      return resolveSettings(TABLE, env, flags, helpOf) && "";
    } catch (error) {
      return (error as UsageError).hint;
    }
  };
  const list = "every setting and its default";
  assert.equal(hintOf({}, { PINTLE_SIZE: "10" }), `\`test --help\` lists ${list}`);
  assert.equal(hintOf({ PINTLE_SIZ: "1" }, {}), `\`test --help\` lists ${list}`);
  assert.equal(hintOf({ PINTLE_SIZ: "1", PINTLE_X: "1" }, {}), `\`test --help\` and \`config --help\` list ${list}`);
});

// FR-193
Deno.test("a variable that the kubelet sets for a Service named like a setting is no setting, and a lone variable of that form is", () => {
  const links = {
    PINTLE_REPLICATOR_SERVICE_HOST: "10.0.0.1",
    PINTLE_REPLICATOR_SERVICE_PORT: "8080",
    PINTLE_REPLICATOR_SERVICE_PORT_HTTP: "8080",
    PINTLE_REPLICATOR_PORT: "tcp://10.0.0.1:8080",
    PINTLE_REPLICATOR_PORT_8080_TCP: "tcp://10.0.0.1:8080",
    PINTLE_REPLICATOR_PORT_8080_TCP_ADDR: "10.0.0.1",
    PINTLE_REPLICATOR_PORT_8080_TCP_PORT: "8080",
    PINTLE_REPLICATOR_PORT_8080_TCP_PROTO: "tcp",
  };
  assert.equal(resolveSettings(TABLE, links, {}).values.size, 3);
  assert.throws(
    () => resolveSettings(TABLE, { ...links, PINTLE_HTTP_PORT: "1" }, {}),
    /^UsageError: PINTLE_HTTP_PORT is no/,
  );
});

async function shown(columns: number, output: "table" | "json"): Promise<string> {
  const lines: string[] = [];
  const { origins, values } = resolveSettings({ ...SETTINGS, ...TABLE }, { PINTLE_TOKEN: "hunter2" }, {});
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => {},
    interactive: false,
    color: false,
    errorColor: false,
    columns: () => columns,
  };
  await config({
    args: [],
    program: "p",
    command: "p",
    version: "1",
    operator: new Operator("p"),
    settings: values,
    table: { ...SETTINGS, ...TABLE },
    origins,
    env: {},
    terminal,
    mask: new Mask(),
  }, { output });
  return lines.join("\n");
}

// FR-62
Deno.test("a secret's value is masked in every form, and its origin is shown", async () => {
  for (const output of ["table", "json"] as const) {
    const text = await shown(80, output);
    assert.ok(!text.includes("hunter2"));
    assert.match(text, /\*{8}/);
  }
  const rows: { env: string; source: string }[] = JSON.parse(await shown(80, "json"));
  assert.equal(rows.find(({ env }) => env === "PINTLE_TOKEN")?.source, "env");
});

// FR-329
Deno.test("a setting that cannot work is refused before anything starts, by name and with what is possible", () => {
  const wrong = {
    PINTLE_HANDLER_TIMEOUT: ["0s", "must be longer than 0s"],
    PINTLE_REQUEST_TIMEOUT: ["0ms", "must be longer than 0s"],
    PINTLE_WATCH_IDLE_MAX: ["0s", "must be longer than 0s"],
    PINTLE_STALENESS_MAX: ["0s", "must be longer than 0s"],
    PINTLE_BACKOFF_INITIAL: ["0s", "must be longer than 0s"],
    PINTLE_BACKOFF_MAX: ["5 minutes", "must be a duration"],
    PINTLE_WEBHOOK_URL: ["http://127.0.0.1:9443", "must be auto, or an https address"],
    PINTLE_HTTP_HOST: ["not a host", "must be an IP address or the name of a host"],
    PINTLE_WEBHOOK_HOST: ["999.1.1.1", "must be an IP address or the name of a host"],
    PINTLE_NAMESPACES: ["team-*,Team", 'has "Team", which matches no namespace'],
  };
  const env = Object.fromEntries(Object.entries(wrong).map(([name, [value]]) => [name, value!]));
  assert.throws(() => resolveSettings(SETTINGS, env, {}), (error: Error) => {
    for (const [name, [value, problem]] of Object.entries(wrong)) {
      assert.ok(error.message.includes(`${name}: "${value}" ${problem}`), `${name}: ${problem} in\n${error.message}`);
    }
    return error instanceof UsageError;
  });
  for (
    const env of [
      { PINTLE_WEBHOOK_URL: "https://127.0.0.1:9443", PINTLE_HTTP_HOST: "::1", PINTLE_WEBHOOK_HOST: "localhost" },
      {
        PINTLE_WEBHOOK_URL: "auto",
        PINTLE_HTTP_HOST: "0.0.0.0",
        PINTLE_GRACE_PERIOD: "0s",
        PINTLE_OWN_WRITE_WAIT_MAX: "0s",
      },
    ] as Record<string, string>[]
  ) resolveSettings(SETTINGS, env, {});
});
